/** Why a page stops before its work. */
export type StopCode =
  | 'no_webassembly'
  | 'no_webcrypto'
  | 'no_storage'
  | 'bad_link'
  | 'unreachable'
  | 'unknown_round'
  | 'unknown_group'
  | 'not_genuine'
  | 'keys_changed'
  | 'script_differs'
  | 'planned'
  | 'closed'
  | 'other_tab'
  | 'no_token'
  | 'bad_receipt'
  | 'other_guardian'
  | 'unknown_receipt'
  | 'altered_receipt'
  | 'retention_over'
  | 'failed';

/** The one error of the checks at the start. `detail` fills the gap that some sentences have. */
export class Stop extends Error {
  readonly code: StopCode;
  readonly detail: string;

  constructor(code: StopCode, detail = '') {
    super(code);
    this.name = 'Stop';
    this.code = code;
    this.detail = detail;
  }
}

/** Heading and one sentence for each reason to stop; `%` stands for the detail. */
export const STOP_WORDS: Readonly<Record<StopCode, readonly [heading: string, sentence: string]>> =
  {
    no_webassembly: [
      'This browser cannot do the sealing',
      'It does not run WebAssembly, which the sealing needs; please open your link in another browser or on another device.',
    ],
    no_webcrypto: [
      'This browser cannot do the sealing',
      'It gives this page no secure random numbers (WebCrypto); please open your link in another browser or on another device.',
    ],
    no_storage: [
      'This browser keeps nothing for this page',
      'Without the tab’s own storage a lost connection would cost you your one answer; please allow it, or open your link in another browser or on another device.',
    ],
    bad_link: [
      'This link is not complete',
      'Please open it again from your invitation, or type all of it, with everything behind the # sign.',
    ],
    unreachable: [
      'The guardian does not answer',
      'Its server could not be reached just now; please try again in a few minutes.',
    ],
    unknown_round: [
      'This link leads to no round',
      'The guardian of this page knows no round with this link; please compare it with your invitation, and if it is the same, tell the person who invited you.',
    ],
    unknown_group: [
      'This link leads to no group',
      'The round has no group with the number in your link; please compare it with your invitation, and if it is the same, tell the person who invited you.',
    ],
    not_genuine: [
      'This is not what both parties signed',
      'What the server sent does not fit your link and the signatures of both parties; please tell the person who invited you.',
    ],
    keys_changed: [
      'The keys of the two parties have changed',
      'This browser remembers other signing keys from your last visit; please do not go on here, and ask the person who invited you.',
    ],
    script_differs: [
      'This page runs another program than the signed one',
      'Its program is not the one that both parties signed for this round; please do not answer here, and tell the person who invited you.',
    ],
    planned: ['This round is not open yet', 'It opens on %; please come back then.'],
    closed: [
      'This round is closed',
      'It ended and takes no more answers; if you have a receipt, it can tell you how your answer ended.',
    ],
    other_tab: [
      'This invitation is open in another tab',
      'Please go on there, or close that tab and try again here; two tabs with one invitation would get into each other’s way.',
    ],
    no_token: [
      'This link alone opens nothing',
      'It is for answering anew, and needs the receipt of your earlier answer; please start from the receipt, or from your invitation.',
    ],
    bad_receipt: [
      'This is not a whole receipt',
      'Something in it is missing or was changed; please open the file or the QR code once more, just as you got it.',
    ],
    other_guardian: [
      'This receipt is from another guardian',
      'It belongs to %; please open it on that server.',
    ],
    unknown_receipt: [
      'The guardian does not know the round of this receipt',
      'It may come from another guardian’s server; if it came from this one, please tell your representative and show the receipt.',
    ],
    altered_receipt: [
      'This receipt does not fit its round',
      'Its parts do not belong together, so it is not as this page made it; please open the receipt that you saved yourself.',
    ],
    retention_over: [
      'The list of this round is deleted',
      'It was kept for as long as both parties had agreed, so nobody can look up any more what became of an answer.',
    ],
    failed: [
      'This page could not start',
      'Something went wrong in this browser; please load the page again, or use another browser.',
    ],
  };
