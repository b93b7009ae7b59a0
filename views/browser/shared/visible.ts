import { element } from './dom.ts';

/** What no cryptography hides; `/how` says the same. */
export const VISIBLE = [
  'The employer’s server sees that somebody went on from your invitation, because “Continue” fetches a token there. It does not see what was chosen next: those who decline press it too.',
  'After the round closes, the employer sees how many answers each group had. If everybody in a group who went on also answered, it can tell that.',
  'Nothing that either party stores links you to your answer. But a party that watches live and dishonestly can link the act of answering to you, by the time or by your network address. It can never link what you answered.',
  'If you never press “Continue”, the employer’s own records still show that your invitation was not used. No cryptography can mend that.',
] as const;

export function visibleDetails(): HTMLElement {
  return element(
    'details',
    {},
    element('summary', {}, 'What remains visible'),
    element('ul', { class: 'wordy-list' }, ...VISIBLE.map((point) => element('li', {}, point))),
  );
}
