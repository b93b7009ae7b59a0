import { Router } from 'express';
import { toBase64url } from '../../../crypto/bytes.ts';
import { pageHeaders } from '../../http/app.ts';
import { frame, type PageSource } from '../../http/pages.ts';
import { Refusal } from '../../http/refusal.ts';
import type { EvaluationMail } from '../../party.ts';
import type { EmployerParts } from '../parts.ts';

const SHOWN = 100;
const LINK = /https?:\/\/\S+/;
const ANSWER_LINK = /\/answer#[\w-]+\.\d+\.([\w-]+)/;
const MOMENT = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'medium',
  timeZone: 'UTC',
});

/** The evaluation's mail box of everybody: nothing of the kind exists anywhere else. */
export function evaluationMail(
  parts: EmployerParts,
  source: PageSource,
  received: () => readonly EvaluationMail[],
): Router {
  const router = Router();

  /** With their numbers, newest first; invitations of the open round only. */
  const shown = () => {
    const hashes = new Set(
      parts.rounds.inState('open').map((round) => toBase64url(round.manifestHash)),
    );
    return received()
      .map((mail, number) => ({ ...mail, number, at: MOMENT.format(mail.atMs) }))
      .filter(({ text }) => {
        const hash = ANSWER_LINK.exec(text)?.[1];
        return hash === undefined || hashes.has(hash);
      })
      .reverse();
  };

  router.get('/evaluation/mail', pageHeaders('none'), (request, response) => {
    const search = typeof request.query.to === 'string' ? request.query.to.trim() : '';
    const all = shown();
    const found = all.filter(({ to }) => to.includes(search.toLowerCase()));
    response.set('cache-control', 'no-store').render('evaluation-mail', {
      ...frame(source, 'Mail of the sample people', ''),
      box: {
        search,
        mails: found.slice(0, SHOWN).map(({ number, to, subject, at }) => ({
          to,
          subject,
          at,
          href: `/evaluation/mail/${number}`,
        })),
        found: found.length,
        all: all.length,
        more: found.length > SHOWN,
      },
    });
  });

  router.get('/evaluation/mail/:number', pageHeaders('none'), (request, response) => {
    const mail = shown().find(({ number }) => String(number) === request.params.number);
    if (mail === undefined) throw new Refusal('notFound', 'There is no such mail any more.');
    const link = LINK.exec(mail.text);
    const [before, after] =
      link === null
        ? [mail.text, '']
        : [mail.text.slice(0, link.index), mail.text.slice(link.index + link[0].length)];
    response.set('cache-control', 'no-store').render('evaluation-mail-message', {
      ...frame(source, mail.subject, ''),
      mail: { ...mail, before, after, link: link?.[0] ?? null },
    });
  });
  return router;
}
