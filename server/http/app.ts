import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { CryptoError } from '../../crypto/errors.ts';
import { PlanError } from '../domain/plan-error.ts';
import { isStorageFailure } from '../storage/database.ts';
import { Refusal } from './refusal.ts';

/** `'wasm-unsafe-eval'` lets libsodium start; only pages that seal or check need it. */
export type ScriptPolicy = 'none' | 'self' | 'wasm';

const SCRIPT_SOURCES = {
  none: ["'none'"],
  self: ["'self'"],
  wasm: ["'self'", "'wasm-unsafe-eval'"],
} as const;

/**
 * Strict headers for pages.
 * @param scripts the least that the page needs
 * @param connect other origins that its scripts may call
 */
export function pageHeaders(
  scripts: ScriptPolicy,
  connect: readonly string[] = [],
): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: [...SCRIPT_SOURCES[scripts]],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'", ...connect],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        ...(scripts === 'none' ? {} : { requireTrustedTypesFor: ["'script'"] }),
      },
    },
    // Both parties answer on plain loopback in the evaluation; TLS ends in front of them elsewhere.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
}

const messageHeaders = pageHeaders('none');

/** An application that says nothing about itself and keeps no address. */
export function createApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  return app;
}

/** The exact bytes of a body of one media type. @throws Refusal `wrongMediaType`, `tooLarge` */
export function bytesBody(mediaType: string, limitBytes: number): RequestHandler[] {
  return [
    (request, _response, next) => {
      const given = request.headers['content-type']?.replaceAll(' ', '').toLowerCase();
      next(
        given === mediaType ? undefined : new Refusal('wrongMediaType', `expected ${mediaType}`),
      );
    },
    express.raw({ type: () => true, limit: limitBytes, inflate: false }),
    (request, _response, next) => {
      // An absent body leaves an empty object behind.
      if (!Buffer.isBuffer(request.body)) request.body = Buffer.alloc(0);
      next();
    },
  ];
}

/** Refuses a form or a scripted request that another site caused. */
export function sameSite(ownOrigins: readonly string[]): RequestHandler {
  return (request, _response, next) => {
    const site = request.headers['sec-fetch-site'];
    const origin = request.headers.origin;
    const own =
      site === undefined
        ? origin !== undefined && ownOrigins.includes(origin)
        : site === 'same-origin';
    next(own ? undefined : new Refusal('crossSite'));
  };
}

/** Every error becomes a problem document, or a page where a person asked for one. */
export function errorHandler(
  log: Logger,
  page: (refusal: Refusal | undefined) => { view: string; data: object },
): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const refusal = asRefusal(error);
    const status = refusal?.status ?? 500;
    if (status >= 500) log.error({ err: error, route: request.route?.path }, 'failed');
    if (request.accepts(['application/problem+json', 'html']) === 'html') {
      const { view, data } = page(refusal);
      // Whatever the route would have allowed, a message needs no script.
      messageHeaders(request, response, () => response.status(status).render(view, data));
      return;
    }
    const problem = refusal?.problem() ?? {
      type: 'about:blank',
      title: 'Something went wrong here; nothing was changed.',
      status,
    };
    response.status(status).type('application/problem+json').send(JSON.stringify(problem));
  };
}

function asRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof PlanError) return new Refusal('planMismatch', error.message);
  if (error instanceof CryptoError) {
    // What arrives from outside is at fault; a wrong argument of ours is not the caller's.
    return error.code === 'invalid_argument'
      ? undefined
      : new Refusal('invalidMessage', error.message);
  }
  if (isStorageFailure(error)) return new Refusal('unavailable');
  if (error instanceof URIError) return new Refusal('notFound');
  const { type, status } = error as { type?: string; status?: number };
  if (type === 'entity.too.large') return new Refusal('tooLarge');
  if (status !== undefined && status >= 400 && status < 500) return new Refusal('invalidMessage');
  return undefined;
}
