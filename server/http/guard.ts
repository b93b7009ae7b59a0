import { type RequestHandler, type Response, Router } from 'express';
import type { Role } from '../domain/staff.ts';
import { ACCESS, type Access, EVALUATION_PREFIX } from './access.ts';
import { sameSite } from './app.ts';
import { cookieValue } from './cookies.ts';
import { Refusal } from './refusal.ts';
import type { SignedIn, StaffDesk } from './staff-desk.ts';

const METHODS = { GET: 'get', POST: 'post', OPTIONS: 'options', DELETE: 'delete' } as const;

/** Pages for roles; each is shown to those whose role opens it. */
const STAFF_PAGES = [
  { href: '/surveys', label: 'Surveys' },
  { href: '/account', label: 'Account' },
  { href: '/retention', label: 'Retention' },
  { href: '/inventory', label: 'Stored' },
];

/** Whose page the layout says it is. */
export interface SignedInFrame {
  readonly email: string;
  readonly role: Role;
  /** Pages for this role beside the ones for everybody. */
  readonly nav: readonly { href: string; label: string; current: boolean }[];
}

/**
 * Stands before every route and lets through what `ACCESS` declares. Paths are matched by the same
 * router as the routes themselves, so that no spelling of a path passes one and not the other; what
 * is not declared is not there.
 */
export function guard(
  party: 'guardian' | 'employer',
  desk: StaffDesk,
  evaluation: boolean,
): RequestHandler {
  const router = Router();
  for (const [route, access] of Object.entries(ACCESS[party])) {
    const [method, path] = route.split(' ') as [keyof typeof METHODS, string];
    if (path.startsWith(EVALUATION_PREFIX) && !evaluation) continue;
    router[METHODS[method]](path, rule(party, desk, access, path.endsWith('.json')));
  }
  router.use(() => {
    throw new Refusal('notFound');
  });
  return router;
}

/** Who is signed in, on routes for the public and for roles. */
export function signedInOf(response: Response): SignedIn | undefined {
  return response.locals.staff as SignedIn | undefined;
}

/**
 * @param machine whether the page's script calls this by itself: that is no use of a session, and
 * a redirect would only confuse it
 */
function rule(
  party: 'guardian' | 'employer',
  desk: StaffDesk,
  access: Access,
  machine: boolean,
): RequestHandler {
  const fromHere = sameSite([desk.url]);
  return (request, response, next) => {
    if (access === 'employee' || access === 'peer') {
      next('router');
      return;
    }
    const signedIn = desk.signedIn(request.headers.cookie, !machine);
    if (signedIn !== undefined) {
      response.locals.staff = signedIn;
      response.locals.signedIn = frameOf(party, signedIn, request.path);
    }
    // What was shown to somebody who is signed in must not come back after they have left.
    if (signedIn !== undefined || access !== 'public') response.set('cache-control', 'no-store');
    const allow = (error?: unknown) => {
      if (error !== undefined) next(error);
      else if (access === 'public') next('router');
      else if (signedIn === undefined && machine) next(new Refusal('signInNeeded'));
      else if (signedIn === undefined) {
        const had = cookieValue(request.headers.cookie, desk.cookie.name) !== undefined;
        response.redirect(303, had ? '/sign-in?ended' : '/sign-in');
      } else if (!access.includes(signedIn.staff.role)) next(new Refusal('wrongRole'));
      else next('router');
    };
    if (request.method === 'GET' || request.method === 'HEAD') allow();
    else fromHere(request, response, allow);
  };
}

function frameOf(party: 'guardian' | 'employer', { staff }: SignedIn, path: string): SignedInFrame {
  const { email, role } = staff;
  const own = STAFF_PAGES.filter(({ href }) => {
    const access = ACCESS[party][`GET ${href}`];
    return Array.isArray(access) && access.includes(role);
  });
  return {
    email,
    role,
    nav: own.map((page) => ({ ...page, current: path.startsWith(page.href) })),
  };
}
