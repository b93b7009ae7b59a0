import { Router } from 'express';
import { MEDIA_TYPE } from '../../../crypto/dap/media-types.ts';
import { REPORT_ID_SIZE, type ReportError } from '../../../crypto/dap/types.ts';
import {
  decodeUploadRequest,
  encodeUploadErrors,
  type Report,
  type ReportUploadStatus,
} from '../../../crypto/dap/upload.ts';
import { HPKE_ENC_SIZE, HPKE_TAG_SIZE } from '../../../crypto/hpke.ts';
import { checkPublicPart } from '../../aggregator/check.ts';
import type { TaskContext } from '../../aggregator/task-context.ts';
import { bytesBody } from '../../http/app.ts';
import { Refusal } from '../../http/refusal.ts';
import { pathBytes } from '../../http/schema.ts';
import { castBallot } from '../ballot.ts';
import type { GuardianParts } from '../parts.ts';

/** One report of the largest survey, or a handful of ordinary ones. */
const UPLOAD_LIMIT_BYTES = 128 * 1024;
/** Around the VDAF's input share: an empty extension list, a length, and the seal's tag. */
const SEAL_OVERHEAD = 2 + 4 + HPKE_TAG_SIZE;

/** DAP §Upload Request: into the sealed box, or refused with nothing stored. */
export function reportRoutes(parts: GuardianParts): Router {
  const router = Router();
  // What never changes of a task, so that its row with all that it holds is read once.
  const known = new Map<string, { context: TaskContext; manifestHash: Buffer }>();
  const box = (parameter: string) => {
    const kept = known.get(parameter);
    if (kept !== undefined) return kept;
    const task = parts.tasks.withId(pathBytes(parameter, 32, 'unrecognizedTask'));
    if (task === undefined) throw new Refusal('unrecognizedTask');
    // A draft may still be discarded; then its task is unknown again.
    const found = { context: parts.contexts.task(task), manifestHash: task.manifestHash };
    if (parts.rounds.schedule(task.manifestHash)?.state !== 'planned') known.set(parameter, found);
    return found;
  };
  router.post(
    '/tasks/:task/reports',
    ...bytesBody(MEDIA_TYPE.uploadRequest, UPLOAD_LIMIT_BYTES),
    async (request, response) => {
      const { context, manifestHash } = box(String(request.params.task));
      // Somebody declined: a message of the same size, answered alike, of which nothing is kept.
      if (isDecline(request.body)) {
        response.end();
        return;
      }
      const reports = decodeUploadRequest(request.body);
      if (reports.length === 0) throw new Refusal('invalidMessage', 'the upload holds no report');
      const answers = await Promise.all(
        reports.map((report) => receive(parts, context, manifestHash, report)),
      );
      const refused = answers.filter((answer) => answer !== undefined);
      if (refused.length > 0) {
        response.type(MEDIA_TYPE.uploadErrors).send(Buffer.from(encodeUploadErrors(refused)));
      } else {
        response.end();
      }
    },
  );
  return router;
}

/** The report id that no report has: 16 zero bytes. */
function isDecline(body: Uint8Array): boolean {
  return (
    body.length > REPORT_ID_SIZE && body.subarray(0, REPORT_ID_SIZE).every((byte) => byte === 0)
  );
}

async function receive(
  parts: GuardianParts,
  context: TaskContext,
  manifestHash: Buffer,
  report: Report,
): Promise<ReportUploadStatus | undefined> {
  const { reportId } = report.metadata;
  const credentials = checkReport(context, report);
  const error =
    typeof credentials === 'string'
      ? credentials
      : await castBallot(parts, {
          context,
          manifestHash,
          reportId,
          report: report.bytes,
          publicLength: report.metadataBytes.length + report.publicShare.length,
          credentials,
        });
  return error && { id: reportId, error };
}

/** What can be checked without opening anything: sizes, keys, time, extensions, signature. */
function checkReport(
  context: TaskContext,
  report: Report,
): ReturnType<typeof checkPublicPart> | ReportError {
  const { vdaf, head } = context;
  const { leaderEncryptedInputShare: leader, helperEncryptedInputShare: helper } = report;
  if (
    report.publicShare.length !== vdaf.publicShareSize ||
    leader.enc.length !== HPKE_ENC_SIZE ||
    helper.enc.length !== HPKE_ENC_SIZE ||
    leader.payload.length !== vdaf.inputShareSize(0) + SEAL_OVERHEAD ||
    helper.payload.length !== vdaf.inputShareSize(1) + SEAL_OVERHEAD
  ) {
    return 'invalid_message';
  }
  if (
    leader.configId !== head.guardian.hpke.config_id ||
    helper.configId !== head.employer.hpke.config_id
  ) {
    return 'outdated_config';
  }
  return checkPublicPart(context, report);
}
