import { Router } from 'express';
import { toBase64url } from '../../../crypto/bytes.ts';
import { dateAt } from '../../domain/days.ts';
import { sheetFacts } from '../../domain/sheet-facts.ts';
import { storedSheet } from '../../domain/sheets.ts';
import { pageHeaders } from '../../http/app.ts';
import { frame, type PageSource } from '../../http/pages.ts';
import { Refusal } from '../../http/refusal.ts';
import { pathBytes } from '../../http/schema.ts';
import { SHEET_STATE_WORDS } from '../../http/views.ts';
import type { EmployerParts } from '../parts.ts';
import { previewOf } from '../sheets.ts';

/** Groups that one page lists. */
const ROWS_SHOWN = 500;

/** Where an admin sees what a survey would show, before and after the guardian decides. */
export function surveyRoutes(parts: EmployerParts, source: PageSource): Router {
  const router = Router();
  const headers = pageHeaders('none');

  router.get('/surveys', headers, (_request, response) => {
    const surveys = parts.sheets
      .all()
      .reverse()
      .map((stored) => ({
        href: `/surveys/${toBase64url(stored.hash)}`,
        title: storedSheet(stored.bytes).title,
        stateLabel: SHEET_STATE_WORDS[stored.state],
        since: dateAt(stored.changedMs),
      }));
    response.render('own-surveys', { ...frame(source, 'Surveys', '/surveys'), surveys });
  });

  router.get('/surveys/:sheet', headers, async (request, response) => {
    const stored = parts.sheets.withHash(pathBytes(request.params.sheet, 32, 'notFound'));
    if (stored === undefined) throw new Refusal('notFound', 'There is no such survey.');
    const sheet = storedSheet(stored.bytes);
    const preview = await previewOf(parts, sheet);
    response.render('own-survey', {
      ...frame(source, sheet.title, '/surveys'),
      survey: {
        title: sheet.title,
        stateLabel: SHEET_STATE_WORDS[stored.state],
        reason: stored.reason,
        facts: sheetFacts(sheet).filter(({ name }) => name !== 'Title'),
        preview: { ...preview, rows: preview.rows.slice(0, ROWS_SHOWN) },
        more: Math.max(0, preview.rows.length - ROWS_SHOWN),
      },
    });
  });
  return router;
}
