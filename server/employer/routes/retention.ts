import { Router } from 'express';
import { z } from 'zod';
import { toBase64url } from '../../../crypto/bytes.ts';
import { changeWords, scopeFacts } from '../../aggregator/retention-scope.ts';
import { dateAt } from '../../domain/days.ts';
import {
  daysWords,
  RETENTIONS,
  RetentionRefused,
  type RetentionScope,
  retentionKind,
  retentionOf,
  scopeWords,
} from '../../domain/retention.ts';
import { pageHeaders } from '../../http/app.ts';
import { formBody, parseForm } from '../../http/forms.ts';
import { signedInOf } from '../../http/guard.ts';
import { frame, type PageSource } from '../../http/pages.ts';
import { Refusal } from '../../http/refusal.ts';
import { bytesField, pathBytes } from '../../http/schema.ts';
import type { RetentionChangePage, RetentionPage, RetentionSetting } from '../../http/views.ts';
import type { ChangeState, StoredChange } from '../../storage/retention.ts';
import type { EmployerParts } from '../parts.ts';
import { cancelRetention, changeRetention, checkChange, deletedBy, wordsOf } from '../retention.ts';

const digits = z.string().regex(/^\d{1,9}$/);
const ENTRY = z.strictObject({ days: z.string().max(20), from: digits });
const CONFIRMATION = z.strictObject({
  days: digits,
  from: digits,
  word: z.string().max(100).default(''),
});
const CANCEL = z.strictObject({ change: bytesField(32) });

/** What has to be typed before something is deleted. */
const WORD = 'delete';
/** In an address, the whole installation. */
const INSTALLATION = 'installation';
const DECIDED_SHOWN = 20;

const ENDINGS: Readonly<Record<Exclude<ChangeState, 'waiting'>, string>> = {
  applied: 'in force, or replaced since',
  refused: 'refused',
  cancelled: 'taken back',
};

/**
 * Where the admin sees and changes how long things are kept. In two steps: the first shows what the
 * change would delete, the second does it. Forms carry the value that they were made from.
 */
export function retentionRoutes(
  parts: EmployerParts,
  source: PageSource,
  nudge: () => void,
): Router {
  const router = Router();
  const headers = pageHeaders('none');

  router.get('/retention', headers, (_request, response) => {
    const mayChange = signedInOf(response)?.staff.role === 'admin';
    const page = retentionPage(parts, mayChange);
    response.render('retention', { ...frame(source, 'Retention', '/retention'), ...page });
  });

  const changePage = (scope: RetentionScope, error: string | null, entered: string) => {
    const setting = changeable(parts, scope);
    const title = error === null ? setting.heading : `Error: ${setting.heading}`;
    const page: RetentionChangePage = { ...setting, error, entered };
    return { ...frame(source, title, '/retention'), setting: page };
  };

  router.get('/retention/:kind/:scope', headers, (request, response) => {
    const scope = scopeAt(request.params);
    response.render('retention-change', changePage(scope, null, ''));
  });

  /** @returns undefined, and the form again, if the change cannot be made */
  const reviewPage = (
    scope: RetentionScope,
    { days, from }: { days: string; from: string },
    error: string | null,
  ) => {
    const number = /^\d{1,9}$/.test(days.trim()) ? Number(days) : Number.NaN;
    const facts = checkChange(parts, scope, number, Number(from));
    const heading = scopeWords(scope.kind, facts.title);
    const shorter = number < facts.days;
    const review = {
      heading,
      href: hrefOf(scope),
      before: daysWords(facts.days),
      after: daysWords(number),
      from: facts.days,
      days: number,
      shorter,
      removals: shorter ? deletedBy(parts, scope, number) : [],
      error,
    };
    const title = error === null ? heading : `Error: ${heading}`;
    return { ...frame(source, title, '/retention'), review };
  };

  router.post('/retention/:kind/:scope', headers, formBody(), (request, response) => {
    const scope = scopeAt(request.params);
    const entry = parseForm(ENTRY, request.body);
    try {
      response.render('retention-review', reviewPage(scope, entry, null));
    } catch (error) {
      if (!(error instanceof RetentionRefused)) throw error;
      response.status(400);
      response.render('retention-change', changePage(scope, sentence(error), entry.days));
    }
  });

  router.post('/retention/:kind/:scope/confirm', headers, formBody(), (request, response) => {
    const scope = scopeAt(request.params);
    const entry = parseForm(CONFIRMATION, request.body);
    try {
      const facts = checkChange(parts, scope, Number(entry.days), Number(entry.from));
      const shorter = Number(entry.days) < facts.days;
      if (shorter && entry.word.trim().toLowerCase() !== WORD) {
        const error = `Type the word ${WORD}, or change nothing`;
        response.status(400).render('retention-review', reviewPage(scope, entry, error));
        return;
      }
      changeRetention(parts, scope, Number(entry.days), Number(entry.from));
    } catch (error) {
      if (!(error instanceof RetentionRefused)) throw error;
      response.status(409);
      response.render('retention-change', changePage(scope, sentence(error), entry.days));
      return;
    }
    nudge();
    response.redirect(303, '/retention');
  });

  router.post('/retention/cancel', headers, formBody(), (request, response) => {
    try {
      cancelRetention(parts, parseForm(CANCEL, request.body).change);
    } catch (error) {
      if (error instanceof RetentionRefused) throw new Refusal('planMismatch', sentence(error));
      throw error;
    }
    nudge();
    response.redirect(303, '/retention');
  });
  return router;
}

/** @throws Refusal `notFound` */
function scopeAt({ kind: name, scope }: { kind?: unknown; scope?: unknown }): RetentionScope {
  const kind = retentionKind(String(name));
  if (kind === undefined) throw new Refusal('notFound');
  if (scope === INSTALLATION) return { kind, sheet: null };
  return { kind, sheet: pathBytes(scope, 32, 'notFound') };
}

function hrefOf({ kind, sheet }: RetentionScope): string {
  return `/retention/${kind}/${sheet === null ? INSTALLATION : toBase64url(sheet)}`;
}

/** @throws Refusal `notFound` if there is no such survey, or it has no such setting */
function changeable(parts: EmployerParts, scope: RetentionScope): RetentionSetting {
  const facts = scopeFacts(parts, scope);
  const retention = retentionOf(scope.kind);
  if (facts === undefined || (scope.sheet !== null && !retention.perSurvey)) {
    throw new Refusal('notFound', 'There is no such setting.');
  }
  const { label, holds, from, consequence, least, most } = retention;
  const upTo = Math.min(most, facts.most ?? most);
  return {
    heading: scopeWords(scope.kind, facts.title),
    label,
    holds,
    from,
    consequence,
    days: facts.days,
    inForce: daysWords(facts.days),
    standard:
      scope.sheet === null ? daysWords(retention.days) : 'as the installation, or its sheet',
    bounds:
      upTo < least
        ? `It cannot be set: its ${daysWords(upTo)} are fewer than ${least}`
        : `${least} to ${upTo} days`,
    href: hrefOf(scope),
  };
}

function retentionPage(parts: EmployerParts, mayChange: boolean): RetentionPage {
  const surveys = parts.sheets
    .all()
    .filter(({ state }) => state === 'approved' || state === 'retired')
    .reverse();
  const since = ({ changedMs }: StoredChange) => dateAt(changedMs);
  const all = parts.retention.all();
  return {
    mayChange,
    waiting: all
      .filter(({ state }) => state === 'waiting')
      .map((change) => ({
        words: changeWords(parts, change),
        since: since(change),
        hash: toBase64url(change.hash),
      })),
    decided: all
      .filter(({ state }) => state !== 'waiting')
      .slice(0, DECIDED_SHOWN)
      .map((change) => {
        const ending = ENDINGS[change.state as Exclude<ChangeState, 'waiting'>];
        const reason = change.reason ? `: ${change.reason}` : '';
        return { words: `${wordsOf(parts, change)}: ${ending}${reason}`, since: since(change) };
      }),
    installation: RETENTIONS.map(({ kind }) => changeable(parts, { kind, sheet: null })),
    surveys: surveys.map(({ hash }) => ({
      title: scopeFacts(parts, { kind: 'trends', sheet: hash })?.title ?? '',
      settings: RETENTIONS.filter(({ perSurvey }) => perSurvey).map(({ kind }) =>
        changeable(parts, { kind, sheet: hash }),
      ),
    })),
  };
}

/** A refusal's words as a sentence of their own. */
function sentence({ message }: Error): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}
