import type { Role } from '../domain/staff.ts';

/**
 * Who may call a route.
 * - `public`: anyone, signed in or not.
 * - `employee`: the people who are asked. What entitles them is in the link, token, report or receipt
 *   that they bring, and the route checks it; whoever is signed in is not looked at.
 * - `peer`: the other party; the route checks its token.
 * - roles: somebody who is signed in with one of them.
 */
export type Access = 'public' | 'employee' | 'peer' | readonly Role[];

const ANY_EMPLOYER = ['admin', 'manager', 'auditor'] as const;
const ANY_GUARDIAN = ['guardian', 'auditor'] as const;

const SIGN_IN = {
  'GET /sign-in': 'public',
  'POST /sign-in': 'public',
  'GET /sign-in/:link': 'public',
  'POST /sign-in/:link': 'public',
  'GET /evaluation/sign-in/:link': 'public',
} as const;

/**
 * Every route of both parties, and who may call it. `guard` holds to it: a route that is not here
 * cannot be reached, and a test wants each route to be here.
 */
export const ACCESS: Readonly<Record<'guardian' | 'employer', Readonly<Record<string, Access>>>> = {
  guardian: {
    // First, as it is called most.
    'POST /tasks/:task/reports': 'employee',
    ...SIGN_IN,
    'POST /sign-out': ANY_GUARDIAN,
    'POST /sign-out/everywhere': ANY_GUARDIAN,
    'GET /': 'public',
    'GET /status.json': 'public',
    'GET /health': 'public',
    'GET /how': 'public',
    'GET /trends': 'public',
    'GET /trends/groups/:index': 'public',
    'GET /account': 'public',
    'GET /surveys': ANY_GUARDIAN,
    'GET /surveys/:sheet': ANY_GUARDIAN,
    'POST /surveys/:sheet/approve': ['guardian'],
    'POST /surveys/:sheet/refuse': ['guardian'],
    'GET /retention/:change': ANY_GUARDIAN,
    'POST /retention/:change/approve': ['guardian'],
    'POST /retention/:change/refuse': ['guardian'],
    'GET /inventory': ANY_GUARDIAN,
    'GET /evaluation/close-round': ['guardian'],
    'POST /evaluation/close-round': ['guardian'],
    'GET /answer': 'employee',
    'GET /receipt': 'employee',
    'GET /scripts/:name': 'employee',
    'GET /manifests/:hash': 'employee',
    'GET /manifests/:hash/entries': 'employee',
    'GET /manifests/:hash/entries/:index': 'employee',
    'GET /manifests/:hash/groups': 'employee',
    'GET /manifests/:hash/list': 'employee',
    'GET /manifests/:hash/list/:slice': 'employee',
    'GET /sheets/:hash': 'employee',
    'GET /hpke_config': 'employee',
    'POST /tasks/:task/reports/:report/withdrawal': 'employee',
    'POST /consent-receipts': 'employee',
    'GET /tasks/:task/collection_jobs/:job': 'peer',
    'POST /tasks/:task/collection_jobs': 'peer',
    'POST /tasks/:task/reveal': 'peer',
    'POST /tasks/:task/withheld': 'peer',
    'POST /peer/sheets': 'peer',
    'GET /peer/sheets/:hash': 'peer',
    'POST /peer/retention': 'peer',
    'GET /peer/retention': 'peer',
    'GET /peer/retention/:hash': 'peer',
  },
  employer: {
    // Asked by the guardian's page, so from another site: what entitles is the code of an invitation.
    // Its preflight comes first: a router answers OPTIONS by itself once it has passed another method.
    'OPTIONS /tokens': 'employee',
    'POST /tokens': 'employee',
    ...SIGN_IN,
    'GET /evaluation/mail': 'public',
    'GET /evaluation/mail/:number': 'public',
    'POST /sign-out': ANY_EMPLOYER,
    'POST /sign-out/everywhere': ANY_EMPLOYER,
    'GET /': ANY_EMPLOYER,
    'GET /status.json': ANY_EMPLOYER,
    'GET /trends': ANY_EMPLOYER,
    'GET /account': ANY_EMPLOYER,
    'GET /surveys': ['admin', 'auditor'],
    'GET /surveys/:sheet': ['admin', 'auditor'],
    // A manager sees groups that hold their people; the route looks at which.
    'GET /trends/groups/:index': ANY_EMPLOYER,
    'GET /retention': ['admin', 'auditor'],
    'GET /retention/:kind/:scope': ['admin'],
    'POST /retention/:kind/:scope': ['admin'],
    'POST /retention/:kind/:scope/confirm': ['admin'],
    'POST /retention/cancel': ['admin'],
    'GET /inventory': ['admin', 'auditor'],
    'GET /health': 'public',
    'GET /how': 'public',
    'GET /hpke_config': 'employee',
    'GET /tasks/:task/aggregation_jobs/:job': 'peer',
    'POST /tasks/:task/aggregation_jobs': 'peer',
    'POST /tasks/:task/seal': 'peer',
    'POST /tasks/:task/aggregate_shares': 'peer',
    'POST /tasks/:task/withheld': 'peer',
    'POST /peer/rounds/:number/keys': 'peer',
    'POST /peer/rounds/:number/token-keys': 'peer',
    'POST /peer/rounds/:number/manifest': 'peer',
    'POST /peer/rounds/:number/close': 'peer',
    'POST /peer/rounds/:number/list': 'peer',
  },
};

/** The routes that are there in an evaluation only begin so. */
export const EVALUATION_PREFIX = '/evaluation/';
