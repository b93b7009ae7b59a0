import type { ReportError } from '../../../crypto/dap/types.ts';
import type { TokenRefusal } from './permit.ts';

/** Heading and what to do for each reason why there is no token. `%`: whom to ask. */
export const TOKEN_WORDS: Readonly<
  Record<TokenRefusal, readonly [heading: string, sentence: string]>
> = {
  codeUnknown: [
    'This invitation is not known',
    'The employer has sent out no invitation with the code in your link. Please open the link again from your invitation; if you typed it, compare every character. Nothing was used up.',
  ],
  codeUsed: [
    'This invitation was used already',
    'Somebody went on from it before, in another tab, browser or device, and an invitation can be used once. If that was you, go on there, or open your receipt. If it was not you, or nothing is left there, tell %: a new invitation can be issued once.',
  ],
  codeExpired: [
    'This invitation does not work any more',
    'Its round has closed, or a newer invitation was issued to you and took its place. Please open the newest invitation that you have; if this is it, ask %. If you answered with it before, your answer stands, and its receipt tells you more.',
  ],
  wrongKey: [
    'This invitation is for another group or round',
    'The code and the group in your link do not belong together. Please open the link again from your own invitation; if it is the one you were sent, tell %. Nothing was used up.',
  ],
  invalidMessage: [
    'The employer did not understand the request',
    'It probably arrived damaged, and was thrown away here. Please try again, if possible in another network; if that does not help, ask %. Nothing was used up.',
  ],
  bad_token: [
    'The employer’s token is not valid',
    'Its reply does not fit the key that both parties signed. It was thrown away here and will not be asked for again, so that nothing can be learnt from it. Please tell %: a new invitation can be issued once.',
  ],
  other: ['The employer gave no token', 'It did not say why. Please try again later, or ask %.'],
};

/** The connection to the employer broke, or nobody knows whether the request arrived. */
export const TOKEN_LOST =
  'The connection to the employer was lost. Nothing of yours is lost: if you try again, this page asks in the very same words, and gets the same token even if the first request had arrived.';

export const TOKEN_BUSY =
  'The employer’s server is too busy just now. Nothing of yours is lost. Please try again in a minute.';

/** What to say, and what to do, when the guardian did not take a report. `%`: whom to ask. */
export const REFUSAL_WORDS: Readonly<Record<ReportError, string>> = {
  batch_collected:
    'This group has been counted already, so the answer came too late. There is nothing more to do.',
  report_replayed:
    'The guardian already has an answer from your invitation and takes no second one. If you sent it before, it counts; with its receipt you can withdraw it and answer anew. If you did not, please tell %.',
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
