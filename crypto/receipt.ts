import { concat, equalBytes, utf8 } from './bytes.ts';
import { decodeWith, Writer } from './codec.ts';
import { REPORT_ID_SIZE } from './dap/types.ts';
import { CryptoError } from './errors.ts';
import { Secret } from './secret.ts';
import { SHA256_SIZE, sha256 } from './sha256.ts';
import { SIGNING_SEED_SIZE } from './signing.ts';
import { TOKEN_KEY_SIZE } from './token-key.ts';

/**
 * What a person keeps of an answer. It holds none of the answer. Whoever has it can withdraw the
 * report while the round is open, answer anew with its token, and look the report up afterwards.
 */
export interface Receipt {
  /** SHA-256 of the manifest's head, 32 bytes. */
  readonly manifestHash: Uint8Array;
  /** 0 to 65535 */
  readonly groupIndex: number;
  /** 16 bytes */
  readonly reportId: Uint8Array;
  /** 32 bytes: the seed of the key that signed the report. */
  readonly seed: Secret<Uint8Array>;
  /** The token's signature, 256 bytes; its other bytes follow from the manifest and the seed. */
  readonly authenticator: Uint8Array;
}

const VERSION = 1;
/** Enough for a damaged or mistyped receipt never to pass for another one. */
const CHECK_SIZE = 8;
const CHECK_LABEL = utf8('chorus receipt v1\0');

/** Bytes of an encoded receipt: in base64url it fits one QR code, with an address around it. */
export const RECEIPT_SIZE =
  1 + SHA256_SIZE + 2 + REPORT_ID_SIZE + SIGNING_SEED_SIZE + TOKEN_KEY_SIZE + CHECK_SIZE;

/**
 * version(1) ‖ manifest hash ‖ u16 group ‖ report id ‖ seed ‖ authenticator ‖ check, 347 bytes. The
 * check is the start of a SHA-256 over all before it: the report id stands nowhere else, and a
 * receipt whose id was damaged would be told that its answer is missing.
 *
 * @throws CryptoError `invalid_argument` for a wrong length or index
 */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const body = new Writer()
    .u8(VERSION)
    .opaque(receipt.manifestHash, SHA256_SIZE)
    .u16(receipt.groupIndex)
    .opaque(receipt.reportId, REPORT_ID_SIZE)
    .opaque(receipt.seed.reveal(), SIGNING_SEED_SIZE)
    .opaque(receipt.authenticator, TOKEN_KEY_SIZE)
    .finish();
  return concat(body, checkOf(body));
}

/** Copies, not views. @throws CryptoError `decode` for anything but an encoded receipt */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  return decodeWith(new Uint8Array(bytes), (reader) => {
    const version = reader.u8();
    if (version !== VERSION) throw new CryptoError('decode', `a receipt of version ${version}`);
    const receipt = {
      manifestHash: reader.opaque(SHA256_SIZE),
      groupIndex: reader.u16(),
      reportId: reader.opaque(REPORT_ID_SIZE),
      seed: new Secret(reader.opaque(SIGNING_SEED_SIZE)),
      authenticator: reader.opaque(TOKEN_KEY_SIZE),
    };
    const body = reader.since(0);
    if (!equalBytes(reader.opaque(CHECK_SIZE), checkOf(body))) {
      throw new CryptoError('decode', 'the receipt is damaged');
    }
    return receipt;
  });
}

function checkOf(body: Uint8Array): Uint8Array {
  return sha256(CHECK_LABEL, body).subarray(0, CHECK_SIZE);
}
