import type { Question } from '../../../../crypto/sheet.ts';
import { button, element, paragraph } from '../../shared/dom.ts';
import type { Screen } from '../../shared/stage.ts';

export const NOT_SAID = 'Prefer not to say';

/** The words of a chosen place; the place behind the options is "prefer not to say". */
export function answerWords(question: Question, place: number): string {
  return question.options[place] ?? NOT_SAID;
}

const MISSING = 'Choose an answer, or “Prefer not to say”';

interface QuestionScreen {
  readonly question: Question;
  /** From 0. */
  readonly index: number;
  readonly count: number;
  readonly chosen: number | undefined;
  /** What the button says: "Continue", or the way back to the review. */
  readonly next: string;
  readonly answered: (place: number) => void;
  /** Called when a radio is chosen, so that leaving and coming back keeps it. */
  readonly touched: (place: number) => void;
  readonly back: () => void;
}

function choice(label: string, place: number, chosen: number | undefined): HTMLElement {
  const input = element('input', {
    type: 'radio',
    name: 'answer',
    value: place,
    id: `answer-${place}`,
  });
  input.checked = place === chosen;
  return element('label', { class: 'choice', for: `answer-${place}` }, input, label);
}

/** One question: a native group of radios, and an error at the field and above if none is chosen. */
export function questionScreen(screen: QuestionScreen): Screen {
  const { question, index, count } = screen;
  const place = `Question ${index + 1} of ${count}`;
  const options = question.options.map((option, i) => choice(option, i, screen.chosen));
  const apart = choice(NOT_SAID, question.options.length, screen.chosen);
  apart.classList.add('choice-apart');
  const fieldset = element(
    'fieldset',
    { 'aria-describedby': 'why' },
    element('legend', {}, element('h1', {}, question.text)),
    element('p', { class: 'hint', id: 'why' }, `Why this is asked: ${question.why}`),
    element('div', { class: 'choices' }, ...options, apart),
  );
  const field = element('div', {}, fieldset);
  const form = element(
    'form',
    { novalidate: true, autocomplete: 'off' },
    field,
    element(
      'div',
      { class: 'actions' },
      element('button', { type: 'submit', class: 'button' }, screen.next),
    ),
  );
  const back = element('p', { class: 'back' }, button('Back', 'link-button', screen.back));
  form.addEventListener('change', (event) => {
    if (event.target instanceof HTMLInputElement) screen.touched(Number(event.target.value));
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const value = new FormData(form).get('answer');
    if (value === null) showError(field, fieldset, back);
    else screen.answered(Number(value));
  });
  return { title: place, content: [back, paragraph(place, 'step-progress'), form] };
}

function showError(field: HTMLElement, fieldset: HTMLElement, before: HTMLElement): void {
  document.getElementById('error-summary')?.remove();
  document.getElementById('answer-error')?.remove();
  const link = element('a', { href: '#answer-0' }, MISSING);
  link.addEventListener('click', (event) => {
    // The fragment holds the link to the round; it must not change.
    event.preventDefault();
    fieldset.querySelector('input')?.focus();
  });
  const summary = element(
    'div',
    { id: 'error-summary', class: 'error-summary', role: 'alert', tabindex: -1 },
    element('h2', {}, 'There is a problem'),
    element('ul', {}, element('li', {}, link)),
  );
  before.before(summary);
  const error = element(
    'p',
    { id: 'answer-error', class: 'error-text' },
    element('span', { class: 'unseen' }, 'Error: '),
    MISSING,
  );
  fieldset.querySelector('.choices')?.before(error);
  field.classList.add('field-error');
  fieldset.setAttribute('aria-describedby', 'why answer-error');
  if (!document.title.startsWith('Error: ')) document.title = `Error: ${document.title}`;
  summary.focus();
}
