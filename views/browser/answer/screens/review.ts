import { button, element, paragraph } from '../../shared/dom.ts';
import type { Screen } from '../../shared/stage.ts';
import type { Opened } from '../checks.ts';
import type { Sealed } from '../seal.ts';
import { leavesDetails } from './leaves.ts';
import { answerWords } from './question.ts';

/** All answers with a way to change each, what will leave the device, and the one Submit. */
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
      paragraph(
        'Submit sends your sealed answer once. Until the round closes you can withdraw it with the receipt that you get next.',
      ),
      leavesDetails(opened, sealed, false),
      element('div', { class: 'actions' }, button('Submit', 'button', steps.submit)),
    ],
  };
}
