import { Router } from 'express';
import { z } from 'zod';
import { toBase64url } from '../../../crypto/bytes.ts';
import { TOKEN_REQUEST_SIZE } from '../../../crypto/token.ts';
import { INVITATION_CODE_SIZE } from '../../domain/invitations.ts';
import { bytesBody } from '../../http/app.ts';
import { crossOrigin } from '../../http/cors.ts';
import { RateLimit } from '../../http/rate-limit.ts';
import { Refusal } from '../../http/refusal.ts';
import { bytesField, parseJson } from '../../http/schema.ts';
import { TokenIssuing } from '../issue.ts';
import type { EmployerParts } from '../parts.ts';

/** Called by pages of the guardian: exempt from the same-site rule by this name. */
export const TOKENS_PATH = '/tokens';

const LIMIT_BYTES = 2048;
/** Requests of one address that are refused in words, in one minute. */
const REFUSED = 120;
const MINUTE_MS = 60_000;

const ASKED = z.strictObject({
  code: bytesField(INVITATION_CODE_SIZE),
  token_key_id: bytesField(32),
  request: bytesField(TOKEN_REQUEST_SIZE),
});

/**
 * Where the guardian's page asks for the one token of an invitation. Nothing is kept of who asks:
 * no address, no time, no cookie.
 */
export function tokenRoutes(parts: EmployerParts): Router {
  const router = Router();
  const issuing = new TokenIssuing(parts);
  // Whoever has a good code is never held up, however many others share their address.
  const refused = new RateLimit(REFUSED, MINUTE_MS, parts.clock, parts.randomness);
  const guardian = crossOrigin(() => new URL(parts.pairing.url).origin);

  router.options(TOKENS_PATH, guardian);
  router.post(
    TOKENS_PATH,
    guardian,
    ...bytesBody('application/json', LIMIT_BYTES),
    async (request, response) => {
      const { code, token_key_id, request: asked } = parseJson(ASKED, request.body);
      const signature = await issuing
        .issue({ code, tokenKeyId: token_key_id, request: asked })
        .catch((error) => {
          const { remoteAddress = '' } = request.socket;
          if (error instanceof Refusal && !refused.allows(remoteAddress)) {
            throw new Refusal('tooOften');
          }
          throw error;
        });
      response.set('cache-control', 'no-store').json({ signature: toBase64url(signature) });
    },
  );
  return router;
}
