import type { ReportError } from '../../../crypto/dap/types.ts';
import type { StopCode } from './stop.ts';

/** Heading and one sentence for each reason to stop; `%` stands for the detail. */
export const STOP_WORDS: Readonly<Record<StopCode, readonly [heading: string, sentence: string]>> =
  {
    no_webassembly: [
      'This browser cannot seal your answer',
      'It does not run WebAssembly, which the sealing needs; please open your link in another browser or on another device.',
    ],
    no_webcrypto: [
      'This browser cannot seal your answer',
      'It gives this page no secure random numbers (WebCrypto); please open your link in another browser or on another device.',
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
      'The guardian knows no round with this link; please compare it with your invitation.',
    ],
    unknown_group: [
      'This link leads to no group',
      'The round has no group with the number in your link; please compare it with your invitation.',
    ],
    not_genuine: [
      'This is not what both parties signed',
      'What the server sent does not fit your link and the signatures of both parties; please tell the person who invited you.',
    ],
    keys_changed: [
      'The keys of the two parties have changed',
      'This browser remembers other signing keys from your last visit; please do not answer here, and ask the person who invited you.',
    ],
    script_differs: [
      'This page runs another program than the signed one',
      'Its program is not the one that both parties signed for this round; please do not answer here, and tell the person who invited you.',
    ],
    planned: ['This round is not open yet', 'It opens on %; please come back then.'],
    closed: [
      'This round is closed',
      'It ended and takes no more answers; thank you for wanting to take part.',
    ],
    failed: [
      'This page could not start',
      'Something went wrong in this browser; please load the page again, or use another browser.',
    ],
  };

/** What to say, and what to do, when the guardian did not take a report. `%`: whom to ask. */
export const REFUSAL_WORDS: Readonly<Record<ReportError, string>> = {
  batch_collected:
    'This group has been counted already, so the answer came too late. There is nothing more to do.',
  report_replayed:
    'The guardian already has an answer under this number and takes no second one. If you have not sent one before, start again: a new number will be drawn.',
  report_dropped:
    'This group already has as many answers as people, so yours was not taken. Please tell %: somebody may have answered more than once.',
  hpke_unknown_config_id:
    'The guardian does not know the key that your answer was sealed with. Please start again from your link.',
  hpke_decrypt_error: 'The sealed answer could not be opened. Please start again from your link.',
  vdaf_verify_error: 'The sealed answer did not pass its check. Please start again from your link.',
  task_expired:
    'The round closed in the meantime, so your answer was not taken. There is nothing more to do.',
  invalid_message:
    'The answer arrived damaged and was not taken. Please start again, if possible in another network.',
  report_too_early:
    'The round is not open yet, so your answer was not taken. Please come back later.',
  task_not_started:
    'The round is not open yet, so your answer was not taken. Please come back later.',
  outdated_config:
    'This page is out of date, so your answer was not taken. Please start again from your link.',
};

/** For a refusal without a known code. */
export const REFUSED =
  'The guardian did not take the answer. Please start again from your link, or ask %.';

export const LOST =
  'The connection was lost. Your sealed answer is still here, unchanged. If you try again it counts once, even if it has arrived already.';

export const BUSY =
  'The guardian is too busy just now. Your sealed answer is still here, unchanged. Please try again in a minute.';
