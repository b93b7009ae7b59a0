import { Router } from 'express';
import { z } from 'zod';
import { toBase64url } from '../../../crypto/bytes.ts';
import { changeWords } from '../../aggregator/retention-scope.ts';
import { dateAt } from '../../domain/days.ts';
import { LIGHT_WORDS } from '../../domain/noise-presets.ts';
import { scoreFacts, sheetFacts } from '../../domain/sheet-facts.ts';
import { storedSheet } from '../../domain/sheets.ts';
import { pageHeaders } from '../../http/app.ts';
import { formBody, parseForm } from '../../http/forms.ts';
import { signedInOf } from '../../http/guard.ts';
import { frame, type PageSource } from '../../http/pages.ts';
import { Refusal } from '../../http/refusal.ts';
import { pathBytes } from '../../http/schema.ts';
import { SHEET_STATE_WORDS, type SurveyPage } from '../../http/views.ts';
import type { StoredSheet } from '../../storage/sheets.ts';
import type { GuardianParts } from '../parts.ts';
import { agreesByName, approveSheet, refuseSheet } from '../sheets.ts';

/** UTF-16 code units; a browser holds to half of it, and sends line ends as two. */
const MAX_REASON = 2000;
const APPROVAL = z.strictObject({
  confirmed: z.literal('yes').optional(),
  named: z.string().max(100).optional(),
});
const REFUSAL = z.strictObject({ reason: z.string().max(MAX_REASON) });

/** What was wrong with a decision that was sent. */
type Errors = Pick<SurveyPage, 'approveError' | 'approveField' | 'refuseError' | 'refuseText'>;
const NO_ERRORS: Errors = {
  approveError: null,
  approveField: 'confirmed',
  refuseError: null,
  refuseText: '',
};

/**
 * Where the guardian reads what is submitted, and approves or refuses it. A decision is for the sheet
 * whose hash is in the address: what was read is what is decided.
 */
export function surveyRoutes(parts: GuardianParts, source: PageSource, nudge: () => void): Router {
  const router = Router();
  const headers = pageHeaders('none');
  const sheetAt = (path: unknown): StoredSheet => {
    const stored = parts.sheets.withHash(pathBytes(path, 32, 'notFound'));
    if (stored === undefined) throw new Refusal('notFound', 'There is no such survey.');
    return stored;
  };
  const page = (stored: StoredSheet, mayDecide: boolean, errors = NO_ERRORS) => {
    const survey = surveyPage(stored, mayDecide && stored.state === 'submitted', errors);
    const failed = errors.approveError !== null || errors.refuseError !== null;
    const title = failed ? `Error: ${survey.title}` : survey.title;
    return { ...frame(source, title, '/surveys'), survey };
  };

  router.get('/surveys', headers, (_request, response) => {
    const sheets = parts.sheets.all().reverse().map(listed);
    response.render('surveys', {
      ...frame(source, 'Surveys', '/surveys'),
      waiting: sheets.filter(({ state }) => state === 'submitted'),
      decided: sheets.filter(({ state }) => state !== 'submitted'),
      retention: parts.retention.waiting().map((change) => ({
        href: `/retention/${toBase64url(change.hash)}`,
        words: changeWords(parts, change),
        since: dateAt(change.changedMs),
      })),
    });
  });

  router.get('/surveys/:sheet', headers, (request, response) => {
    const mayDecide = signedInOf(response)?.staff.role === 'guardian';
    response.render('survey', page(sheetAt(request.params.sheet), mayDecide));
  });

  router.post('/surveys/:sheet/approve', headers, formBody(), (request, response) => {
    const stored = sheetAt(request.params.sheet);
    const { confirmed, named = '' } = parseForm(APPROVAL, request.body);
    if (confirmed === undefined) {
      const approveError = 'Tick the box to confirm that you have read all of it';
      response.status(400).render('survey', page(stored, true, { ...NO_ERRORS, approveError }));
      return;
    }
    if (!agreesByName(storedSheet(stored.bytes), named)) {
      const approveError = 'Write Light to agree to rounds whose noise can be averaged out';
      const errors = { ...NO_ERRORS, approveError, approveField: 'named' as const };
      response.status(400).render('survey', page(stored, true, errors));
      return;
    }
    approveSheet(parts, stored.hash);
    nudge();
    response.redirect(303, `/surveys/${toBase64url(stored.hash)}`);
  });

  router.post('/surveys/:sheet/refuse', headers, formBody(), (request, response) => {
    const stored = sheetAt(request.params.sheet);
    const refuseText = parseForm(REFUSAL, request.body).reason;
    // One line: it becomes part of a sentence on the page of events.
    const reason = refuseText.replace(/\s+/g, ' ').trim();
    if (reason === '') {
      const errors = { ...NO_ERRORS, refuseError: 'Say why it is refused', refuseText };
      response.status(400).render('survey', page(stored, true, errors));
      return;
    }
    refuseSheet(parts, stored.hash, reason);
    response.redirect(303, `/surveys/${toBase64url(stored.hash)}`);
  });
  return router;
}

function listed(stored: StoredSheet) {
  return {
    href: `/surveys/${toBase64url(stored.hash)}`,
    title: storedSheet(stored.bytes).title,
    state: stored.state,
    stateLabel: SHEET_STATE_WORDS[stored.state],
    since: dateAt(stored.changedMs),
  };
}

function surveyPage(stored: StoredSheet, mayDecide: boolean, errors: Errors): SurveyPage {
  const sheet = storedSheet(stored.bytes);
  return {
    title: sheet.title,
    stateLabel: SHEET_STATE_WORDS[stored.state],
    reason: stored.reason,
    hash: toBase64url(stored.hash),
    facts: sheetFacts(sheet).filter(({ name }) => name !== 'Title'),
    notice: sheet.notice.points,
    questions: sheet.questions,
    scores: scoreFacts(sheet),
    mayDecide,
    light: sheet.noise.preset === 'light' ? LIGHT_WORDS : null,
    ...errors,
  };
}
