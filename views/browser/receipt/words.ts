import type { ReportError } from '../../../crypto/dap/types.ts';
import type { Withdrawal } from './withdraw.ts';

/** Why an answer that was received was refused at the count. */
export const REFUSED_WORDS: Readonly<Record<ReportError, string>> = {
  batch_collected: 'its group had been counted before it was opened',
  report_replayed: 'another answer with the same number or token had been counted',
  report_dropped: 'it could not be counted with its group',
  hpke_unknown_config_id: 'it was sealed with a key that was not the round’s',
  hpke_decrypt_error: 'one of its seals could not be opened',
  vdaf_verify_error: 'it did not pass the check that an answer is well formed',
  task_expired: 'it came after the end of the round',
  invalid_message: 'it was damaged, or its token or consent was not valid',
  report_too_early: 'it came before the beginning of the round',
  task_not_started: 'it came before the beginning of the round',
  outdated_config: 'it was made by a page that was out of date',
};

/** Why a group is not shown, by the guardian's reason. */
export const WITHHELD_WORDS: Readonly<Record<string, string>> = {
  'too-few': 'it had fewer answers than the survey’s minimum, so they were destroyed unopened',
  'lot-too-small': 'too few answers in a part of the count were valid',
  refusals: 'the employer refused more answers than it may',
  'seal-mismatch': 'the two parties did not count the same answers',
  'other-party': 'the other party withheld it',
  'keys-lost': 'the round’s keys are gone',
  'not-revealed': 'the employer took the noised result and never showed its own half',
  deadline: 'it was not released before the deadline',
};

/** Heading and sentences for each end of a withdrawal but its success. `%`: whom to ask. */
export const WITHDRAWAL_WORDS: Readonly<
  Record<Exclude<Withdrawal, 'withdrawn' | 'absent'>, readonly [heading: string, sentence: string]>
> = {
  late: [
    'The round has just closed',
    'The withdrawal came too late: the guardian had closed the round before it arrived, and your answer is being counted. Open the receipt again to see how it ended.',
  ],
  refused: [
    'The answer was not withdrawn',
    'The guardian says that the receipt’s key is not the one of this answer. Please open the receipt that you saved yourself, or ask %.',
  ],
  lost: [
    'Nobody knows whether it was withdrawn',
    'The connection was lost. If you try again, nothing can go wrong: withdrawing twice is the same as once.',
  ],
  busy: [
    'The answer is not withdrawn yet',
    'The guardian is too busy just now. Please try again in a minute.',
  ],
};
