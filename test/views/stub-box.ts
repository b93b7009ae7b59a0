import { equalBytes, fromBase64url, toHex } from '../../crypto/bytes.ts';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { decodeReportExtensions } from '../../crypto/dap/extensions.ts';
import { reportSignature, verifyReportSignature } from '../../crypto/dap/report.ts';
import type { ReportError } from '../../crypto/dap/types.ts';
import { decodeReport, type Report } from '../../crypto/dap/upload.ts';
import { CryptoError } from '../../crypto/errors.ts';
import { checkHead, openEntry } from '../../crypto/manifest.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { noticeHash } from '../../crypto/sheet.ts';
import { verifySignature } from '../../crypto/signing.ts';
import { verifyToken } from '../../crypto/token.ts';
import { taskChallengeHash } from '../../crypto/token-challenge.ts';
import type { ServedGroup } from '../../views/browser/shared/served.ts';
import { sheet } from './sample.ts';

const ALLOWED = new Set(['consent', 'token', 'signature'] as const);

/** The sealed box of group 1, with the guardian's own checks of what is public in a report. */
export class StubBox {
  readonly group: ServedGroup;
  /** By the id in hex. */
  readonly reports = new Map<string, Report>();
  readonly withdrawn = new Set<string>();
  declined = 0;
  /** Nonces in hex, and the id of the report on which each is spent. */
  readonly #spent = new Map<string, string>();
  readonly #taskId: Uint8Array;
  readonly #spki: Uint8Array;
  readonly #challengeHash: Uint8Array;

  constructor(headBytes: Uint8Array, entries: readonly Uint8Array[]) {
    const head = checkHead(parseCanonicalJson(headBytes));
    const { entry, task } = openEntry(head, sheet, 1, entries[1] as Uint8Array);
    this.group = { head, entry, sheet, task };
    this.#taskId = task.taskId;
    this.#spki = fromBase64url(entry.token_key);
    this.#challengeHash = taskChallengeHash(task.taskId, head.employer, head.guardian);
  }

  clear(): void {
    this.reports.clear();
    this.withdrawn.clear();
    this.#spent.clear();
    this.declined = 0;
  }

  /** Takes a report, or says why not; a message with id zero is somebody who declined. */
  cast(body: Buffer): { id: Uint8Array; error?: ReportError } {
    const bytes = new Uint8Array(body);
    const id = bytes.slice(0, 16);
    if (id.every((byte) => byte === 0)) {
      this.declined++;
      return { id };
    }
    let report: Report;
    let nonce: string;
    try {
      report = decodeReport(bytes);
      nonce = this.#check(report);
    } catch (error) {
      if (error instanceof CryptoError) return { id, error: 'invalid_message' };
      throw error;
    }
    const name = toHex(id);
    const known = this.reports.get(name);
    if (known !== undefined && equalBytes(known.bytes, bytes)) return { id };
    if (known !== undefined || this.withdrawn.has(name) || this.#spent.has(nonce)) {
      return { id, error: 'report_replayed' };
    }
    this.reports.set(name, report);
    this.#spent.set(nonce, name);
    return { id };
  }

  #check(report: Report): string {
    const extensions = decodeReportExtensions(report.metadata.publicExtensions, ALLOWED);
    const { consent, token } = extensions;
    if (consent === undefined || !equalBytes(consent, noticeHash(sheet)) || token === undefined) {
      throw new CryptoError('decode', 'no token, or no consent to these sentences');
    }
    verifyReportSignature(this.#taskId, report);
    const nonce = sha256(reportSignature(report).publicKey);
    verifyToken(token, { spki: this.#spki, nonce, challengeHash: this.#challengeHash });
    return toHex(nonce);
  }

  withdraw(id: Uint8Array, signature: Uint8Array): 'withdrawn' | 'notFound' | 'unauthorized' {
    const name = toHex(id);
    if (this.withdrawn.has(name)) return 'withdrawn';
    const report = this.reports.get(name);
    if (report === undefined) return 'notFound';
    try {
      const { publicKey } = reportSignature(report);
      verifySignature(publicKey, signature, 'chorus withdraw v1', this.#taskId, id);
    } catch {
      return 'unauthorized';
    }
    this.reports.delete(name);
    this.withdrawn.add(name);
    for (const [nonce, spentOn] of this.#spent) if (spentOn === name) this.#spent.delete(nonce);
    return 'withdrawn';
  }
}
