import type { Express } from 'express';
import { rhoWords, standingOn, WINDOW_DAYS } from '../domain/account.ts';
import { DAY_MS } from '../domain/days.ts';
import { toNumber } from '../domain/fraction.ts';
import { epsilonOf, TERMS } from '../domain/noise-presets.ts';
import { storedSheet } from '../domain/sheets.ts';
import { dayWords } from '../domain/shown.ts';
import { pageHeaders } from './app.ts';
import { frame, type PageSource } from './pages.ts';
import type { AccountPage } from './views.ts';

/** What the rounds of twelve months cost each person, at either party. */
export function accountPage(app: Express, source: PageSource): void {
  app.get('/account', pageHeaders('none'), (_request, response) => {
    response.render('account', { ...frame(source, 'Account', '/account'), account: page(source) });
  });
}

function page({ stores }: PageSource): AccountPage {
  const today = Math.floor(stores.clock.now() / DAY_MS);
  const entries = stores.account.entries();
  const { sum, cap, entries: counting } = standingOn(entries, today);
  const rho = toNumber(sum);
  const counted = new Set(counting.map(({ round }) => round));
  return {
    sum: rhoWords(sum),
    cap: cap === undefined ? null : rhoWords(cap),
    part: cap === undefined ? null : Math.min(1, rho / toNumber(cap)),
    epsilon: rho === 0 ? null : epsilonOf(rho).toFixed(1),
    rounds: [...entries].reverse().map(({ round, firstDay, cost, preset }) => {
      const stored = stores.rounds.withNumber(round);
      const sheet = stored && stores.sheets.withHash(stored.sheetHash);
      return {
        number: round,
        // The account outlives the survey that a round was of.
        survey: sheet ? storedSheet(sheet.bytes).title : null,
        preset: TERMS[preset].name,
        began: dayWords(firstDay),
        cost: rhoWords(cost),
        until: dayWords(firstDay + WINDOW_DAYS - 1),
        counts: counted.has(round),
      };
    }),
  };
}
