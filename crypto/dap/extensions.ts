import { CryptoError } from '../errors.ts';
import { type Extension, requireIncreasing } from './types.ts';

/**
 * Every extension that a report of ours may carry, all public. DAP's registry has no private range:
 * these code points are fixed here and nowhere else.
 */
export const REPORT_EXTENSION = {
  /** SHA-256 of the notice that the person agreed to. */
  consent: { type: 0xff01, size: 32 },
  /** A Privacy Pass token: one per entitled person and round (RFC 9578 §2). */
  token: { type: 0xff02, size: 354 },
  /** Ed25519 public key (32) ‖ signature (64): see `report.ts`. It is the last one by its number. */
  signature: { type: 0xff03, size: 96 },
} as const;

/** How code names an extension of a report. */
export type ReportExtensionName = keyof typeof REPORT_EXTENSION;

/** The data of each extension that is present, by name. */
export type ReportExtensions = { readonly [Name in ReportExtensionName]?: Uint8Array };

/** By increasing type, the order in which they are encoded. */
const NAMES: readonly ReportExtensionName[] = ['consent', 'token', 'signature'];

/** The list of these extensions. @throws CryptoError `invalid_argument` for a wrong size */
export function encodeReportExtensions(extensions: ReportExtensions): readonly Extension[] {
  const list: Extension[] = [];
  for (const name of NAMES) {
    const extensionData = extensions[name];
    if (extensionData === undefined) continue;
    const { type, size } = REPORT_EXTENSION[name];
    if (extensionData.length !== size) {
      throw new CryptoError('invalid_argument', `the ${name} extension has ${size} bytes`);
    }
    list.push({ extensionType: type, extensionData });
  }
  return list;
}

/**
 * The extensions of a report by name (DAP §Input Share Validation). Refuses a type that is unknown
 * or not in `allowed`, another order than strictly increasing (so also duplicates) and a wrong size.
 * Whether one that is allowed may be missing is for the caller to say.
 *
 * @throws CryptoError `decode`; the report is then `invalid_message`
 */
export function decodeReportExtensions(
  extensions: readonly Extension[],
  allowed: ReadonlySet<ReportExtensionName>,
): ReportExtensions {
  requireIncreasing(extensions);
  const found: { [Name in ReportExtensionName]?: Uint8Array } = {};
  for (const { extensionType, extensionData } of extensions) {
    const name = NAMES.find((known) => REPORT_EXTENSION[known].type === extensionType);
    if (name === undefined || !allowed.has(name)) {
      throw new CryptoError('decode', `report extension ${extensionType} is not allowed`);
    }
    if (extensionData.length !== REPORT_EXTENSION[name].size) {
      throw new CryptoError('decode', `a ${name} extension of ${extensionData.length} bytes`);
    }
    found[name] = extensionData;
  }
  return found;
}
