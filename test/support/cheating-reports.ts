import { concat } from '../../crypto/bytes.ts';
import { inputShareAad, inputShareInfo } from '../../crypto/dap/aad.ts';
import { encodeReportExtensions } from '../../crypto/dap/extensions.ts';
import { decodeTaskConfiguration, vdafContext } from '../../crypto/dap/task.ts';
import type { AggregatorRole, Extension, HpkeCiphertext } from '../../crypto/dap/types.ts';
import {
  encodePlaintextInputShare,
  encodeReport,
  encodeReportMetadata,
} from '../../crypto/dap/upload.ts';
import { HPKE_ENCAPSULATION_SEED_SIZE, hpkeSeal } from '../../crypto/hpke.ts';
import { Secret } from '../../crypto/secret.ts';
import { sign, signingPublicKey } from '../../crypto/signing.ts';
import { PRIO3_SURVEY, survey } from '../../crypto/vdaf/circuits/survey.ts';
import { systemRandomness } from '../../server/party.ts';
import { type TestTask, tokenFor } from './test-tokens.ts';
import { cheatingPrio3 } from './vdaf-reports.ts';

/** The ways in which a client of our own may depart from the protocol. What is absent is honest. */
export interface Cheat {
  readonly reportId?: Uint8Array;
  readonly signingSeed?: Uint8Array;
  readonly time?: number;
  /** The vector to be proved, instead of one chosen option in each question. */
  readonly vector?: readonly bigint[];
  /** The public extensions, given the right ones; what they become is what is signed. */
  readonly extensions?: (
    signature: Extension,
    consent: Extension,
    token: Extension,
  ) => readonly Extension[];
  readonly publicShare?: (publicShare: Uint8Array) => Uint8Array;
  /** Another PlaintextInputShare of one party, before it is sealed. */
  readonly plaintext?: Partial<Record<AggregatorRole, (plaintext: Uint8Array) => Uint8Array>>;
  /** Another HpkeCiphertext of one party, after it is sealed. */
  readonly sealed?: Partial<Record<AggregatorRole, (sealed: HpkeCiphertext) => HpkeCiphertext>>;
  /** Another signature, put in before the halves are sealed. */
  readonly signature?: (signature: Uint8Array) => Uint8Array;
}

const SIGNATURE_SIZE = 64;

/** The one-hot vector of an answer: one option index for each question of four places. */
export function oneHot(answer: readonly number[], places = 4): bigint[] {
  return answer.flatMap((choice) =>
    Array.from({ length: places }, (_, place) => BigInt(Number(place === choice))),
  );
}

/** A report made, signed and sealed as an honest client does it, except where `cheat` says. */
export function cheatingReport(
  task: TestTask,
  cheat: Cheat = {},
): { report: Uint8Array; reportId: Uint8Array } {
  const parameters = decodeTaskConfiguration(task.taskConfiguration).survey;
  const vdaf = cheatingPrio3(survey(parameters), PRIO3_SURVEY);
  const reportId = cheat.reportId ?? systemRandomness(16);
  const honest = vdaf.shard(
    vdafContext(task.taskId),
    cheat.vector ?? oneHot(parameters.blockLengths.map(() => 0)),
    reportId,
    systemRandomness(vdaf.randSize),
  );
  const publicShare = cheat.publicShare?.(honest.publicShare) ?? honest.publicShare;

  const seed = new Secret(cheat.signingSeed ?? systemRandomness(32));
  const [consent, token, right] = encodeReportExtensions({
    consent: task.consent as Uint8Array,
    token: tokenFor(task, seed),
    signature: concat(signingPublicKey(seed), new Uint8Array(SIGNATURE_SIZE)),
  }) as [Extension, Extension, Extension];
  const publicExtensions = cheat.extensions?.(right, consent, token) ?? [consent, token, right];
  const unsigned = encodeReportMetadata({
    reportId,
    time: cheat.time ?? task.time,
    publicExtensions,
  });
  const signature = sign(seed, 'chorus report v1', task.taskId, unsigned, publicShare);
  const isSigned = publicExtensions.at(-1)?.extensionType === right.extensionType;
  const metadataBytes = isSigned
    ? concat(
        unsigned.subarray(0, unsigned.length - SIGNATURE_SIZE),
        cheat.signature?.(signature) ?? signature,
      )
    : unsigned;

  const aad = inputShareAad(task.taskId, task.taskConfiguration, metadataBytes, publicShare);
  const seal = (role: AggregatorRole, share: Secret<Uint8Array>): HpkeCiphertext => {
    const plaintext = encodePlaintextInputShare({ privateExtensions: [], payload: share.reveal() });
    const { enc, ciphertext } = hpkeSeal(
      task[role].publicKey,
      inputShareInfo(role),
      aad,
      cheat.plaintext?.[role]?.(plaintext) ?? plaintext,
      systemRandomness(HPKE_ENCAPSULATION_SEED_SIZE),
    );
    const sealed = { configId: task[role].configId, enc, payload: ciphertext };
    return cheat.sealed?.[role]?.(sealed) ?? sealed;
  };
  const [leader, helper] = honest.inputShares as [Secret<Uint8Array>, Secret<Uint8Array>];
  return {
    reportId,
    report: encodeReport({
      metadataBytes,
      publicShare,
      leaderEncryptedInputShare: seal('leader', leader),
      helperEncryptedInputShare: seal('helper', helper),
    }),
  };
}

/** A copy with one bit flipped. */
export function flipped(bytes: Uint8Array, bit = 0): Uint8Array {
  const out = bytes.slice();
  const at = bit >> 3;
  out[at] = (out[at] as number) ^ (1 << (bit & 7));
  return out;
}

/** Rubbish inside the helper's seal: only the employer can find out. */
export const HELPER_RUBBISH: Cheat = {
  plaintext: { helper: (plaintext) => flipped(plaintext, 8 * (plaintext.length - 1)) },
};
