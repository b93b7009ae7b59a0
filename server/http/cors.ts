import type { RequestHandler } from 'express';
import { Refusal } from './refusal.ts';

/** How long a browser may remember the answer to a preflight, in seconds. */
const MAX_AGE_S = 600;

/**
 * Lets the pages of exactly one other origin call a route with a JSON body, without cookies, and
 * read what it answers, refusals too. Answers preflights. A request without an origin comes from no
 * page and is let through; a page of any other origin, ours too, is refused.
 * @param origin of the other site; asked for at each request
 */
export function crossOrigin(origin: () => string): RequestHandler {
  return (request, response, next) => {
    response.vary('Origin');
    const given = request.headers.origin;
    if (given !== undefined) {
      if (given !== origin()) {
        next(new Refusal('crossSite'));
        return;
      }
      response.set('access-control-allow-origin', given);
    }
    if (request.method !== 'OPTIONS') {
      next();
      return;
    }
    response
      .set('access-control-allow-methods', 'POST')
      .set('access-control-allow-headers', 'content-type')
      .set('access-control-max-age', String(MAX_AGE_S))
      .status(204)
      .end();
  };
}
