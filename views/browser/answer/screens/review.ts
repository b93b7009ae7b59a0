import { levelOf } from '../../../../crypto/sheet.ts';
import { button, element, paragraph } from '../../shared/dom.ts';
import type { Screen } from '../../shared/stage.ts';
import type { Opened } from '../checks.ts';
import type { Sealed } from '../seal.ts';
import { leavesDetails } from './leaves.ts';
import { answerWords } from './question.ts';

/** What this page works out from the answers: told to the person, and sent as further answers. */
function workedOut({ sheet }: Opened, answers: readonly number[]): HTMLElement[] {
  if (sheet.derived.length === 0) return [];
  const levels = sheet.derived.flatMap((item) => {
    const level = item.levels[levelOf(sheet, item, answers)];
    const from = sheet.questions.filter(({ id }) => item.from.includes(id));
    const words = level?.name ?? 'Not known, as one of its questions is not answered';
    return [
      element('dt', {}, item.name),
      element(
        'dd',
        {},
        element('strong', { class: 'worked-out' }, words),
        paragraph(`From: ${from.map(({ name }) => name).join(', ')}. ${item.why}`, 'small quiet'),
      ),
    ];
  });
  const sent = sheet.derived.length === 1 ? 'one more answer' : 'further answers';
  return [
    element('h2', {}, 'Worked out from your answers'),
    element('dl', { class: 'facts' }, ...levels),
    paragraph(
      `Your browser worked this out, and shows it to you alone. Sealed like the rest, it is sent as ${sent}; only totals of whole groups are ever shown.`,
      'quiet',
    ),
  ];
}

/** All answers with a way to change each, what follows from them, what will leave the device, and the one Submit. */
export function reviewScreen(
  opened: Opened,
  answers: readonly number[],
  sealed: Sealed,
  steps: { change: (index: number) => void; submit: () => void; back: () => void },
): Screen {
  const rows = opened.sheet.questions.map((question, i) => {
    const change = button('Change', 'link-button', () => steps.change(i));
    change.append(element('span', { class: 'unseen' }, ` the answer on ${question.name}`));
    return element(
      'div',
      { class: 'review-row' },
      element('dt', {}, question.text),
      element('dd', { class: 'review-answer' }, answerWords(question, answers[i] as number)),
      element('dd', { class: 'review-change' }, change),
    );
  });
  return {
    title: 'Check your answers',
    content: [
      element('p', { class: 'back' }, button('Back', 'link-button', steps.back)),
      element('h1', {}, 'Check your answers'),
      element('dl', { class: 'review' }, ...rows),
      ...workedOut(opened, answers),
      paragraph(
        'Submit sends your sealed answer once. Until the round closes you can withdraw it with the receipt that you get next.',
      ),
      leavesDetails(opened, sealed, false),
      element('div', { class: 'actions' }, button('Submit', 'button', steps.submit)),
    ],
  };
}
