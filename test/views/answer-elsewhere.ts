import { encodeUploadRequest } from '../../crypto/dap/upload.ts';
import { askForToken, newRequest } from '../../views/browser/answer/permit.ts';
import { sealAnswer } from '../../views/browser/answer/seal.ts';
import { receiptText } from '../../views/browser/shared/receipts.ts';
import type { StubGuardian } from './stub-guardian.ts';

/**
 * An answer as the page makes it, without the page: its own code asks the employer for a token, seals
 * the answer and writes the receipt; the box checks it as it checks any.
 *
 * @returns the receipt, base64url
 * @throws Error unless there is a token and the box takes the answer
 */
export async function answerElsewhere(guardian: StubGuardian): Promise<string> {
  const { group } = guardian.box;
  const opened = {
    ...{ ...group, manifestHash: guardian.hash, code: guardian.employer.invite(group.entry.index) },
    ...{ key: '', pins: 'same' as const },
  };
  const outcome = await askForToken(opened, newRequest(opened));
  if (outcome.kind !== 'token') throw new Error(`no token: ${outcome.kind}`);
  const places = group.sheet.questions.map((_, i) => i % 6);
  const { report, receipt } = sealAnswer(opened, outcome.permit, places);
  const { error } = guardian.box.cast(Buffer.from(encodeUploadRequest([report])));
  if (error !== undefined) throw new Error(`refused: ${error}`);
  return receiptText(receipt);
}
