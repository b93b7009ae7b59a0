import { toHex } from '../../../../crypto/bytes.ts';
import { element, paragraph } from '../../shared/dom.ts';
import type { Opened } from '../checks.ts';
import type { Sealed } from '../seal.ts';

/** Bytes of each half that are written out. */
const EXCERPT = 64;

const NUMBER = new Intl.NumberFormat('en-GB');

function half(heading: string, sentence: string, bytes: Uint8Array): HTMLElement {
  const excerpt = toHex(bytes.subarray(0, EXCERPT)).replace(/.{8}/g, '$& ');
  return element(
    'div',
    { class: 'half' },
    element('h2', {}, heading),
    paragraph(`${sentence} ${NUMBER.format(bytes.length)} bytes:`, 'small'),
    element(
      'p',
      { class: 'mono' },
      `${excerpt.trim()} … and ${NUMBER.format(bytes.length - EXCERPT)} more`,
    ),
  );
}

/** "What leaves this device": the very bytes of the message, not a drawing of them. */
export function leavesDetails(opened: Opened, sealed: Sealed, sent: boolean): HTMLElement {
  const { guardian, employer } = opened.sheet.notice;
  const { report, guardianHalf, employerHalf } = sealed;
  const rest = report.length - guardianHalf.length - employerHalf.length;
  return element(
    'details',
    {},
    element('summary', {}, sent ? 'What left this device' : 'What leaves this device'),
    paragraph(
      `One message of ${NUMBER.format(report.length)} bytes ${sent ? 'went' : 'goes'} to the guardian’s server. It holds two sealed halves. Each is made of random numbers; only both together give your answer.`,
    ),
    element(
      'div',
      { class: 'halves' },
      half(`For ${guardian}`, 'Only the guardian’s key opens it.', guardianHalf),
      half(`For ${employer}`, 'Only the employer’s key opens it.', employerHalf),
    ),
    paragraph(
      `The other ${NUMBER.format(rest)} bytes carry the seals, a random number, the round’s first day, the fingerprint of what you agreed to, your token, a one-time key with its signature, and checks that the answer is well formed. There is no name in them, no clock time, and nothing about your device.`,
    ),
    paragraph(
      'While you are connected, the guardian’s server can see your network address and what kind of browser you use.',
    ),
  );
}
