/** Why a group is withheld, and the words that people read. */
export const WITHHELD = {
  'too-few': 'fewer answers than the survey’s minimum',
  'lot-too-small': 'too few valid answers in a part of the count',
  refusals: 'the employer refused more answers than it may',
  'seal-mismatch': 'the two parties did not count the same answers',
  'other-party': 'withheld by the other party',
  'not-revealed': 'the employer took the noised result and never showed its own half',
  'keys-lost': 'the round’s keys are gone',
  deadline: 'not released before the deadline',
} as const;

/** What is said of a round when both parties have signed its manifest. */
export function roundPlanned(number: number, groups: number): string {
  return `Round ${number} is planned, with ${groups} ${groups === 1 ? 'group' : 'groups'}.`;
}

/** What is said of a round when its last group is done. */
export function roundFinished(
  number: number,
  states: { readonly confirmed: number; readonly withheld: number },
): string {
  const groups = `${states.confirmed} ${states.confirmed === 1 ? 'group' : 'groups'} released`;
  const withheld = states.withheld === 0 ? '' : `, ${states.withheld} withheld`;
  return `Round ${number} is finished: ${groups}${withheld}.`;
}

export type WithheldReason = keyof typeof WITHHELD;
export const WITHHELD_REASONS = Object.keys(WITHHELD) as readonly WithheldReason[];
