import { randomBytes } from 'node:crypto';
import { concat } from '../../crypto/bytes.ts';
import { decodeReportExtensions, encodeReportExtensions } from '../../crypto/dap/extensions.ts';
import { buildReport } from '../../crypto/dap/report.ts';
import { decodeReport, encodeReport, encodeReportMetadata } from '../../crypto/dap/upload.ts';
import { HPKE_ENC_SIZE } from '../../crypto/hpke.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { SIGNATURE_SIZE, SIGNING_KEY_SIZE, sign, signingPublicKey } from '../../crypto/signing.ts';
import { TokenVerifier } from '../../server/aggregator/token-check.ts';
import { systemRandomness } from '../../server/party.ts';
import { entitled, type TestTask, tokenFor } from '../support/test-tokens.ts';
import { OPTIONS, QUESTIONS } from './parties.ts';

/** Reports as the browser makes them. */
export function realReports(task: TestTask, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const answer = Array.from({ length: QUESTIONS }, (_, q) => (i + q) % OPTIONS);
    const seed = new Secret(systemRandomness(32));
    return buildReport(entitled(task, seed), answer, seed, systemRandomness).report;
  });
}

/**
 * Reports that only the upload can be measured with: rightly signed, with real tokens, and of the
 * right sizes, but with noise in their seals. Made faster than real ones; the guardian opens none before close.
 */
export function hollowReports(
  task: TestTask,
  sizes: { publicShare: number; leader: number; helper: number },
  count: number,
): Uint8Array[] {
  return Array.from({ length: count }, () => {
    const seed = new Secret(systemRandomness(32));
    const publicKey = signingPublicKey(seed);
    const reportId = systemRandomness(16);
    const publicShare = new Uint8Array(randomBytes(sizes.publicShare));
    const consent = task.consent as Uint8Array;
    const token = tokenFor(task, seed);
    const metadata = (signature: Uint8Array) =>
      encodeReportMetadata({
        reportId,
        time: task.time,
        publicExtensions: encodeReportExtensions({
          consent,
          token,
          signature: concat(publicKey, signature),
        }),
      });
    const signature = sign(
      seed,
      'chorus report v1',
      task.taskId,
      metadata(new Uint8Array(SIGNATURE_SIZE)),
      publicShare,
    );
    const ciphertext = (configId: number, payload: number) => ({
      configId,
      enc: new Uint8Array(randomBytes(HPKE_ENC_SIZE)),
      payload: new Uint8Array(randomBytes(payload)),
    });
    return encodeReport({
      metadataBytes: metadata(signature),
      publicShare,
      leaderEncryptedInputShare: ciphertext(task.leader.configId, sizes.leader),
      helperEncryptedInputShare: ciphertext(task.helper.configId, sizes.helper),
    });
  });
}

/** The mean that the token of a report takes of a party's processor, in microseconds. */
export function tokenCheckCpu(task: TestTask, reports: readonly Uint8Array[]): number {
  const verifier = new TokenVerifier();
  const known = new Set(['consent', 'token', 'signature'] as const);
  const checks = reports.map((report) => {
    const { publicExtensions } = decodeReport(report).metadata;
    const { token, signature } = decodeReportExtensions(publicExtensions, known);
    const nonce = sha256((signature as Uint8Array).subarray(0, SIGNING_KEY_SIZE));
    return { token: token as Uint8Array, binding: { ...task, nonce } };
  });
  const checkAll = () => {
    for (const { token, binding } of checks) verifier.verify(token, binding);
  };
  checkAll();
  const before = process.cpuUsage();
  checkAll();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / reports.length;
}
