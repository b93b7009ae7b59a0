import { Router } from 'express';
import { z } from 'zod';
import { toBase64url } from '../../../crypto/bytes.ts';
import { scopeFacts } from '../../aggregator/retention-scope.ts';
import { daysWords, retentionOf, scopeWords } from '../../domain/retention.ts';
import { pageHeaders } from '../../http/app.ts';
import { formBody, parseForm } from '../../http/forms.ts';
import { signedInOf } from '../../http/guard.ts';
import { frame, type PageSource } from '../../http/pages.ts';
import { Refusal } from '../../http/refusal.ts';
import { pathBytes } from '../../http/schema.ts';
import type { RetentionRequestPage } from '../../http/views.ts';
import type { StoredChange } from '../../storage/retention.ts';
import type { GuardianParts } from '../parts.ts';
import { approveChange, refuseChange } from '../retention.ts';

/** UTF-16 code units; a browser holds to half of it, and sends line ends as two. */
const MAX_REASON = 2000;
const APPROVAL = z.strictObject({ confirmed: z.literal('yes').optional() });
const REFUSAL = z.strictObject({ reason: z.string().max(MAX_REASON) });

const STATE_WORDS = {
  waiting: 'Waits for a decision',
  applied: 'Agreed',
  refused: 'Refused',
  cancelled: 'Taken back by the employer',
} as const;

type Errors = Pick<RetentionRequestPage, 'approveError' | 'refuseError' | 'refuseText'>;
const NO_ERRORS: Errors = { approveError: null, refuseError: null, refuseText: '' };

/** Where the guardian agrees to a longer retention, or refuses it. */
export function retentionRoutes(
  parts: GuardianParts,
  source: PageSource,
  nudge: () => void,
): Router {
  const router = Router();
  const headers = pageHeaders('none');
  const changeAt = (path: unknown): StoredChange => {
    const change = parts.retention.withHash(pathBytes(path, 32, 'notFound'));
    if (change === undefined) throw new Refusal('notFound', 'There is no such request.');
    return change;
  };
  const page = (change: StoredChange, mayDecide: boolean, errors = NO_ERRORS) => {
    const request = requestPage(parts, change, mayDecide && change.state === 'waiting', errors);
    const failed = errors.approveError !== null || errors.refuseError !== null;
    const title = failed ? `Error: ${request.heading}` : request.heading;
    return { ...frame(source, title, '/surveys'), request };
  };

  router.get('/retention/:change', headers, (request, response) => {
    const mayDecide = signedInOf(response)?.staff.role === 'guardian';
    response.render('retention-request', page(changeAt(request.params.change), mayDecide));
  });

  router.post('/retention/:change/approve', headers, formBody(), (request, response) => {
    const change = changeAt(request.params.change);
    if (parseForm(APPROVAL, request.body).confirmed === undefined) {
      const approveError = 'Tick the box to confirm that you agree';
      response.status(400);
      response.render('retention-request', page(change, true, { ...NO_ERRORS, approveError }));
      return;
    }
    approveChange(parts, change.hash);
    nudge();
    response.redirect(303, '/surveys');
  });

  router.post('/retention/:change/refuse', headers, formBody(), (request, response) => {
    const change = changeAt(request.params.change);
    const refuseText = parseForm(REFUSAL, request.body).reason;
    // One line: it becomes part of a sentence on the page of events.
    const reason = refuseText.replace(/\s+/g, ' ').trim();
    if (reason === '') {
      const errors = { ...NO_ERRORS, refuseError: 'Say why it is refused', refuseText };
      response.status(400).render('retention-request', page(change, true, errors));
      return;
    }
    refuseChange(parts, change.hash, reason);
    response.redirect(303, '/surveys');
  });
  return router;
}

function requestPage(
  parts: GuardianParts,
  change: StoredChange,
  mayDecide: boolean,
  errors: Errors,
): RetentionRequestPage {
  const facts = scopeFacts(parts, change);
  const { holds, from, days } = retentionOf(change.kind);
  const more = change.days - (facts?.days ?? change.days);
  return {
    heading: `Keep longer: ${scopeWords(change.kind, facts?.title ?? null)}`,
    stateLabel: STATE_WORDS[change.state],
    reason: change.reason,
    hash: toBase64url(change.hash),
    holds,
    from,
    inForce: facts === undefined ? 'not known' : daysWords(facts.days),
    asked: daysWords(change.days),
    difference: more > 0 ? daysWords(more) : null,
    standard: daysWords(days),
    mayDecide,
    ...errors,
  };
}
