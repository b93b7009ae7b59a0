import { fromBase64url } from '../../crypto/bytes.ts';
import { aggregateShareAad, aggregateShareInfo } from '../../crypto/dap/aad.ts';
import type { AggregatorRole, HpkeCiphertext } from '../../crypto/dap/types.ts';
import { HPKE_ENCAPSULATION_SEED_SIZE, hpkeSeal } from '../../crypto/hpke.ts';
import { discreteGaussians } from '../../crypto/noise.ts';
import type { Randomness } from '../../crypto/random.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import type { TaskContext } from './task-context.ts';

/** An aggregate share with one fresh draw of the sheet's noise on every element, encoded. */
export function addNoise(
  { vdaf, sheet }: Pick<TaskContext, 'vdaf' | 'sheet'>,
  share: Uint8Array,
  randomness: Randomness,
): Secret<Uint8Array> {
  const variance = {
    numerator: BigInt(sheet.noise.variance.numerator),
    denominator: BigInt(sheet.noise.variance.denominator),
  };
  return vdaf.encodeAggregateShare(
    vdaf.addIntegers(
      vdaf.decodeAggregateShare(new Secret(share)),
      discreteGaussians(variance, vdaf.outputLength, randomness),
    ),
  );
}

/** Seals a party's aggregate share to the round's collector key (DAP §Aggregate Share Encryption). */
export function sealAggregateShare(
  context: TaskContext,
  role: AggregatorRole,
  share: Uint8Array,
  collectionJobReq: Uint8Array,
  randomness: Randomness,
): HpkeCiphertext {
  const { collector } = context.head.employer;
  const { enc, ciphertext } = hpkeSeal(
    fromBase64url(collector.public_key),
    aggregateShareInfo(role),
    aggregateShareAad(context.taskId, context.configuration, collectionJobReq),
    share,
    randomness(HPKE_ENCAPSULATION_SEED_SIZE),
  );
  return { configId: collector.config_id, enc, payload: ciphertext };
}

/** What the employer is bound to when it seals: SHA-256(share ‖ random). */
export function commitment(share: Uint8Array, random: Uint8Array): Uint8Array {
  return sha256(share, random);
}

/** A group's sealed bucket, as both parties name it. */
export interface SealedBucket {
  readonly count: number;
  readonly checksum: Uint8Array;
  /** RFC 6962 root over the sorted counted ids. */
  readonly idsRoot: Uint8Array;
}

/** The parts that the employer signs at the seal, each of fixed length. */
export function sealParts(
  taskId: Uint8Array,
  sealed: SealedBucket,
  committed: Uint8Array,
): Uint8Array[] {
  const count = new Uint8Array(8);
  new DataView(count.buffer).setBigUint64(0, BigInt(sealed.count));
  return [taskId, count, sealed.checksum, sealed.idsRoot, committed];
}
