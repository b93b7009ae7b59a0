import { Router } from 'express';
import { z } from 'zod';
import { isEmail, tidyEmail } from '../domain/email.ts';
import { IDLE_MS, LINK_MS, type Role } from '../domain/staff.ts';
import { pageHeaders } from './app.ts';
import { formBody, parseForm } from './forms.ts';
import { signedInOf } from './guard.ts';
import { frame, type PageSource } from './pages.ts';
import { Refusal } from './refusal.ts';
import type { StaffDesk } from './staff-desk.ts';

/** Requests for a link from one network address, in a quarter of an hour. */
const REQUESTS = 30;
const REQUESTS_MS = 15 * 60_000;

const EMAIL_FORM = z.strictObject({ email: z.string() });
const MINUTES = LINK_MS / 60_000;

/** Where somebody arrives. */
const LANDING = {
  admin: '/',
  manager: '/trends',
  auditor: '/trends',
  guardian: '/surveys',
} as const satisfies Record<Role, string>;

/** What the page says to whom it was not the first thing they asked for; by the query of its address. */
const BEFORE: ReadonlyMap<string, string> = new Map([
  ['out', 'You are signed out.'],
  [
    'everywhere',
    'You are signed out in every browser. Links that were on their way to you do not work any more.',
  ],
  [
    'ended',
    `Your sign-in has ended: it was not used for ${IDLE_MS / 3_600_000} hours, was too old, or your role changed. What you asked for just now was not done. Please sign in again.`,
  ],
]);

/** Signing in and out, alike at both parties. `guard` has refused forms that came from elsewhere. */
export function signInRoutes(desk: StaffDesk, source: PageSource): Router {
  const router = Router();
  const headers = pageHeaders('none');
  const requests = desk.limit(REQUESTS, REQUESTS_MS);
  const { name, options } = desk.cookie;
  const form = (error: string | null, email: string, before: string | null = null) => ({
    ...frame(source, error === null ? 'Sign in' : 'Error: Sign in', ''),
    canMail: desk.canMail,
    before,
    error,
    email,
  });

  router.get('/sign-in', headers, (request, response) => {
    const staff = signedInOf(response)?.staff;
    if (staff !== undefined) {
      response.redirect(303, LANDING[staff.role]);
      return;
    }
    const [why = ''] = Object.keys(request.query);
    response.render('sign-in', form(null, '', BEFORE.get(why) ?? null));
  });

  router.post('/sign-in', headers, formBody(), (request, response) => {
    if (!requests.allows(request.socket.remoteAddress ?? '')) {
      response.set('retry-after', String(REQUESTS_MS / 1000));
      throw new Refusal('tooOften');
    }
    const given = parseForm(EMAIL_FORM, request.body).email;
    const email = tidyEmail(given);
    if (!isEmail(email)) {
      const error = email === '' ? 'Enter your e-mail address' : 'This is no e-mail address';
      response.status(400).render('sign-in', form(error, given));
      return;
    }
    response.render('sign-in-sent', {
      ...frame(source, 'Look into your mail', ''),
      sent: { email, minutes: MINUTES },
    });
    setImmediate(() => void desk.sendLink(email));
  });

  const over = () => ({ ...frame(source, 'This link does not work any more', ''), owner: null });

  router.get('/sign-in/:link', headers, (request, response) => {
    response.set('cache-control', 'no-store');
    const owner = desk.ownerOf(request.params.link);
    if (owner === undefined) response.status(410).render('sign-in-confirm', over());
    else {
      response.render('sign-in-confirm', {
        ...frame(source, 'Sign in', ''),
        owner: { email: owner.email, role: owner.role },
        action: `/sign-in/${request.params.link}`,
      });
    }
  });

  router.post('/sign-in/:link', headers, (request, response) => {
    const owner = desk.ownerOf(request.params.link);
    const secret = desk.redeem(request.params.link);
    if (owner === undefined || secret === undefined) {
      response.status(410).render('sign-in-confirm', over());
      return;
    }
    // What this browser was signed in with before is of no more use to anybody.
    const before = signedInOf(response);
    if (before !== undefined) desk.signOut(before.session);
    response.cookie(name, secret, options).redirect(303, LANDING[owner.role]);
  });

  router.post('/sign-out', headers, (_request, response) => {
    const signedIn = signedInOf(response);
    if (signedIn !== undefined) desk.signOut(signedIn.session);
    response.clearCookie(name, options).redirect(303, '/sign-in?out');
  });

  router.post('/sign-out/everywhere', headers, (_request, response) => {
    const signedIn = signedInOf(response);
    if (signedIn !== undefined) desk.signOutEverywhere(signedIn.staff);
    response.clearCookie(name, options).redirect(303, '/sign-in?everywhere');
  });

  if (source.evaluation) {
    // Never mailed, so no scanner opens it: it signs in at once, and again tomorrow.
    router.get('/evaluation/sign-in/:link', headers, (request, response) => {
      response.set('cache-control', 'no-store');
      const entered = desk.redeemEvaluationLink(request.params.link);
      if (entered === undefined) throw new Refusal('notFound', 'This link is of an earlier start.');
      const before = signedInOf(response);
      if (before !== undefined) desk.signOut(before.session);
      const { role } = entered.staff;
      // Whoever tries this out came to close the round; no survey waits for them.
      const landing = role === 'guardian' ? '/' : LANDING[role];
      response.cookie(name, entered.secret, options).redirect(303, landing);
    });
  }
  return router;
}
