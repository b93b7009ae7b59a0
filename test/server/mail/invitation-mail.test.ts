import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { InvitationWriter } from '../../../server/mail/invitation-mail.ts';

const VIEWS = join(fileURLToPath(new URL('../../../', import.meta.url)), 'views');
const writer = new InvitationWriter(VIEWS);
const WORDS = {
  kind: 'invitation',
  title: 'How work <feels>',
  purpose: 'To change shifts & habits.',
  closes: '4 December 2026',
  employer: 'Northlight & Sons',
  guardian: 'Works Council',
  contact: 'council@example.com',
  link: `https://guardian.example/answer#${'a'.repeat(22)}.3.${'b'.repeat(43)}`,
} as const;

describe.each(['invitation', 'reminder', 'reissue'] as const)('the %s', (kind) => {
  const { subject, text, html } = writer.write({ ...WORDS, kind });

  test('says who asks, why, until when, and with whom it rests', () => {
    expect(subject).toContain('How work <feels>');
    for (const part of [
      WORDS.employer,
      WORDS.purpose,
      WORDS.closes,
      WORDS.guardian,
      WORDS.contact,
    ]) {
      expect(text).toContain(part);
    }
    expect(html).toContain('Northlight &amp; Sons');
    expect(html).toContain('How work &lt;feels&gt;');
  });

  test('says what stays visible: going on, and not opening', () => {
    for (const body of [text, html]) {
      expect(body).toContain('opening the link tells nobody whose it is');
      expect(body).toContain('sees that someone went on from this invitation');
      expect(body).toContain('if everyone who went on answered, it can tell');
      expect(body).toContain('a mail scanner for one, changes nothing');
    }
  });

  test('has the one link and nothing that anyone could count', () => {
    expect(text.match(/https?:\S+/g)).toEqual([WORDS.link]);
    expect(html.match(/href="([^"]+)"/g)).toEqual([`href="${WORDS.link}"`]);
    expect(html).not.toMatch(/<(img|script|link|iframe|style)\b|src=|url\(/i);
  });
});

test('a reminder says that it goes to everyone alike', () => {
  const { subject, text } = writer.write({ ...WORDS, kind: 'reminder' });
  expect(subject).toMatch(/^Reminder to everyone/);
  expect(text).toContain('goes to everyone who was invited, alike');
  expect(text).toContain('nobody keeps a list');
});

test('a second invitation says that the first link ends and that it permits a second answer', () => {
  const { text } = writer.write({ ...WORDS, kind: 'reissue' });
  expect(text).toContain('the link in the first one ends');
  expect(text).toContain('permits a second answer');
});
