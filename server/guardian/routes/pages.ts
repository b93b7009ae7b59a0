import { Router } from 'express';
import { pageHeaders } from '../../http/app.ts';
import { daysOf, frame, type PageSource } from '../../http/pages.ts';
import { Refusal } from '../../http/refusal.ts';
import { pathBytes } from '../../http/schema.ts';
import type { GuardianParts } from '../parts.ts';
import { closeRoundEarly } from '../rounds.ts';

/** The pages that only the guardian has: answering, and closing a round in the evaluation. */
export function pageRoutes(parts: GuardianParts, source: PageSource, nudge: () => void): Router {
  const router = Router();

  // The page fetches its token from the employer, and talks to nobody else.
  const employer = new URL(parts.pairing.url).origin;
  router.get('/answer', pageHeaders('wasm', [employer]), (_request, response) => {
    // The script that the open round was signed with; without one, any script says that none is open.
    const round = parts.rounds.inState('open')[0];
    const hash = round && parts.contexts.round(round.manifestHash).head.script_hash;
    response.render('answer', { ...frame(source, 'Your answer', '/answer'), script: hash ?? null });
  });

  router.get('/receipt', pageHeaders('wasm'), (_request, response) => {
    response.render('receipt', frame(source, 'Your receipt', '/receipt'));
  });

  router.get('/scripts/:name', (request, response) => {
    const script = parts.scripts.get(
      pathBytes(request.params.name.replace(/\.js$/, ''), 32, 'notFound'),
    );
    if (script === undefined) throw new Refusal('notFound');
    response.set('cache-control', 'public, max-age=31536000, immutable');
    response.type('text/javascript').send(script);
  });

  if (source.evaluation) {
    router.get('/evaluation/close-round', pageHeaders('none'), (_request, response) => {
      const round = openRound(parts);
      const { sheet } = parts.contexts.round(round.manifestHash);
      response.render('close-round', {
        ...frame(source, 'Close this round', ''),
        closing: { number: round.number, closes: daysOf(round).closes, k: sheet.k },
      });
    });

    router.post('/evaluation/close-round', pageHeaders('none'), (_request, response) => {
      closeRoundEarly(parts, openRound(parts));
      nudge();
      response.redirect(303, '/');
    });
  }
  return router;
}

function openRound(parts: GuardianParts) {
  const round = parts.rounds.inState('open')[0];
  if (round === undefined) throw new Refusal('notYet', 'No round is open.');
  return round;
}
