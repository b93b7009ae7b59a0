import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import {
  type AggregationJobInitReq,
  encodeAggregationJobInitReq,
  type ReportShare,
  type VerifyInit,
} from '../../crypto/dap/aggregation.ts';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import { vdafContext } from '../../crypto/dap/task.ts';
import { decodeReport } from '../../crypto/dap/upload.ts';
import { HpkePrivateKey } from '../../crypto/hpke.ts';
import { surveyOf } from '../../crypto/manifest.ts';
import { merkleRoot } from '../../crypto/merkle.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { noticeHash } from '../../crypto/sheet.ts';
import { prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import type { TaskContext } from '../../server/aggregator/task-context.ts';
import { TokenVerifier } from '../../server/aggregator/token-check.ts';
import { startVerification, type TaskKeys } from '../../server/aggregator/verify.ts';
import type { TestRound, TwoParties } from './parties.ts';

/** Playing one of the two parties towards the other: with its token and its keys, but not its rules. */

type PartyName = 'guardian' | 'employer';
const OTHER = { guardian: 'employer', employer: 'guardian' } as const;

export interface Call {
  readonly method?: string;
  readonly type?: string;
  readonly body?: Uint8Array | object;
  /** Another token than the party's own; null for none. */
  readonly token?: string | null;
}

/** A call to the other party as this one would make it. */
export function callAs(
  parties: TwoParties,
  party: PartyName,
  path: string,
  { method, type, body, token = parties.token(party) }: Call = {},
): Promise<Response> {
  const bytes =
    body === undefined || body instanceof Uint8Array
      ? body
      : new TextEncoder().encode(JSON.stringify(body));
  return fetch(`${parties.urls[OTHER[party]]}${path}`, {
    method: method ?? (bytes === undefined ? 'GET' : 'POST'),
    headers: {
      accept: 'application/problem+json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(bytes === undefined ? {} : { 'content-type': type ?? 'application/json' }),
    },
    ...(bytes === undefined ? {} : { body: bytes as Uint8Array<ArrayBuffer> }),
  });
}

/** How a call was refused: `400 invalidMessage`. @throws Error if it was not a problem document */
export async function refusedWith(reply: Response | Promise<Response>): Promise<string> {
  const response = await reply;
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('application/problem+json')) {
    throw new Error(`not a problem document but ${response.status} ${type}`);
  }
  const problem = (await response.json()) as { type: string; title: string; status: number };
  if (problem.status !== response.status || problem.title === '') throw new Error('odd problem');
  return `${response.status} ${problem.type.split(':').at(-1)}`;
}

/** A key file of a party, parsed. */
export function keyFile(
  parties: TwoParties,
  party: PartyName,
  name: string,
): Record<string, unknown> {
  return JSON.parse(readFileSync(join(parties.folder, party, 'keys', `${name}.json`), 'utf8'));
}

/** The seed with which a party signs. */
export function signingSeed(parties: TwoParties, party: PartyName): Secret<Uint8Array> {
  const { signing_seed } = keyFile(parties, party, 'identity');
  return new Secret(fromBase64url(signing_seed as string));
}

/** All that the two parties know of one group of a round. */
export function contextOf(round: TestRound, groupIndex: number): TaskContext {
  const task = round.tasks[groupIndex];
  if (task === undefined) throw new Error(`no group ${groupIndex}`);
  return {
    head: round.head,
    sheet: round.sheet,
    vdaf: prio3Survey(surveyOf(round.sheet)),
    time: round.head.days.start,
    interval: round.head.days,
    taskId: task.taskId,
    configuration: task.taskConfiguration,
    ctx: vdafContext(task.taskId),
    groupIndex,
    noticeHash: noticeHash(round.sheet),
    tokens: new TokenVerifier(),
    tokenBinding: task,
  };
}

export function taskPath(round: TestRound, groupIndex: number): string {
  return `/tasks/${toBase64url(contextOf(round, groupIndex).taskId)}`;
}

function guardianKeys(parties: TwoParties, round: TestRound, groupIndex: number): TaskKeys {
  const { input_seed, verify_keys } = keyFile(parties, 'guardian', `round-${round.head.round}`);
  return {
    role: 'leader',
    configId: round.head.guardian.hpke.config_id,
    privateKey: HpkePrivateKey.fromSeed(new Secret(fromBase64url(input_seed as string))),
    verifyKey: new Secret(fromBase64url((verify_keys as string[])[groupIndex] as string)),
  };
}

/** What the guardian sends of one report. @throws Error if its own half is not good */
export function verifyInitOf(
  parties: TwoParties,
  round: TestRound,
  groupIndex: number,
  bytes: Uint8Array,
): VerifyInit<Omit<ReportShare, 'metadata'>> {
  const report = decodeReport(bytes);
  const own = startVerification(
    contextOf(round, groupIndex),
    guardianKeys(parties, round, groupIndex),
    report,
    report.leaderEncryptedInputShare,
  );
  if (typeof own === 'string') throw new Error(`the guardian itself refuses: ${own}`);
  return {
    reportShare: {
      metadataBytes: report.metadataBytes,
      publicShare: report.publicShare,
      encryptedInputShare: report.helperEncryptedInputShare,
    },
    payload: own.outbound,
  };
}

/** An AggregationJobInitReq as the guardian makes it, but for `changes`. */
export function jobBody(
  verifyInits: readonly VerifyInit<Omit<ReportShare, 'metadata'>>[],
  changes: Partial<AggregationJobInitReq<Omit<ReportShare, 'metadata'>>> = {},
): Uint8Array {
  return encodeAggregationJobInitReq({
    verificationKeyId: 0,
    aggParam: new Uint8Array(0),
    extensions: [],
    verifyInits,
    ...changes,
  });
}

/** Sends a lot of reports as the guardian does. */
export function sendJob(
  parties: TwoParties,
  round: TestRound,
  groupIndex: number,
  body: Uint8Array,
): Promise<Response> {
  return callAs(parties, 'guardian', `${taskPath(round, groupIndex)}/aggregation_jobs`, {
    type: MEDIA_TYPE.aggregationJobInitReq,
    body,
  });
}

/** What the guardian claims at the seal of a bucket with these reports. */
export function sealClaim(reportIds: readonly Uint8Array[]): {
  count: number;
  checksum: string;
  ids_root: string;
} {
  const sorted = [...reportIds].sort((a, b) => Buffer.compare(a, b));
  const checksum = new Uint8Array(32);
  for (const id of reportIds) {
    sha256(id).forEach((byte, i) => {
      checksum[i] = (checksum[i] as number) ^ byte;
    });
  }
  return {
    count: reportIds.length,
    checksum: toBase64url(checksum),
    ids_root: toBase64url(merkleRoot(sorted)),
  };
}
