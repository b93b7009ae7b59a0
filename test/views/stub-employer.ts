import {
  constants,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  randomBytes,
} from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Response } from 'express';
import { equalBytes, fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { openTokenRequest } from '../../crypto/token.ts';
import { encodeTokenSpki, tokenKeyId } from '../../crypto/token-key.ts';

/** What the stub does with a request for a token. */
export type TokenMode =
  | 'give'
  /** Notes the request as used, and the reply is lost. */
  | 'lose the reply'
  | 'lose the request'
  | 'busy'
  | 'sign something else'
  | 'garble'
  | 'codeExpired'
  | 'invalidMessage'
  | 'nonsense';

interface Invitation {
  readonly group: number;
  used: { readonly request: string; readonly signature: string } | undefined;
}

const STATUS: Readonly<Record<string, number>> = {
  codeUnknown: 404,
  codeUsed: 409,
  codeExpired: 410,
  wrongKey: 409,
  invalidMessage: 400,
  nonsense: 418,
};

/**
 * What the answering page needs of an employer: real RSA keys, a list of codes, the CORS headers for
 * one guardian, and knobs to be absent, late or dishonest.
 */
export class StubEmployer {
  mode: TokenMode = 'give';
  /** The one origin whose pages may ask. */
  allowed = '';
  /** Every request for a token that arrived, as it came. */
  readonly asked: { code: string; token_key_id: string; request: string }[] = [];
  /** The headers of the last one. */
  headers: Readonly<Record<string, unknown>> = {};
  readonly origin: string;
  readonly spkis: readonly Uint8Array[];
  readonly #keys: readonly KeyObject[];
  readonly #server: Server;
  readonly #codes = new Map<string, Invitation>();

  private constructor(server: Server, keys: readonly KeyObject[]) {
    this.#server = server;
    this.#keys = keys;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.spkis = keys.map((key) =>
      encodeTokenSpki(fromBase64url(String(key.export({ format: 'jwk' }).n))),
    );
  }

  static async start(groups: number): Promise<StubEmployer> {
    const app = express();
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const keys = Array.from({ length: groups }, () => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      return createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    });
    const stub = new StubEmployer(server, keys);
    app.use((request, response, next) => {
      response.set('access-control-allow-origin', stub.allowed);
      response.set('access-control-allow-headers', 'content-type');
      response.set('vary', 'origin');
      if (request.method === 'OPTIONS') response.status(204).end();
      else next();
    });
    app.post('/tokens', express.json(), (request, response) => {
      stub.headers = request.headers;
      stub.asked.push(request.body);
      stub.#answer(request.body, response);
    });
    return stub;
  }

  /** A new invitation's code. */
  invite(group: number): string {
    const code = toBase64url(new Uint8Array(randomBytes(16)));
    this.#codes.set(code, { group, used: undefined });
    return code;
  }

  #answer(body: { code: string; token_key_id: string; request: string }, to: Response): void {
    const { mode } = this;
    const refuse = (code: string) =>
      to
        .status(STATUS[code] ?? 400)
        .type('application/problem+json')
        .send(JSON.stringify({ type: `urn:chorus:error:${code}`, title: code }));
    if (mode === 'lose the request') return void to.socket?.destroy();
    if (mode === 'busy') return void to.status(503).type('text').send('later');
    if (mode === 'codeExpired' || mode === 'invalidMessage' || mode === 'nonsense') {
      return void refuse(mode);
    }
    const invitation = this.#codes.get(body.code);
    if (invitation === undefined) return void refuse('codeUnknown');
    const spki = this.spkis[invitation.group] as Uint8Array;
    if (!equalBytes(fromBase64url(body.token_key_id), tokenKeyId(spki))) {
      return void refuse('wrongKey');
    }
    const { used } = invitation;
    if (used !== undefined && used.request !== body.request) return void refuse('codeUsed');
    invitation.used ??= {
      request: body.request,
      signature: toBase64url(this.#sign(invitation.group, fromBase64url(body.request), spki)),
    };
    if (mode === 'lose the reply') return void to.socket?.destroy();
    if (mode === 'garble') return void to.type('json').send('{"signature": "AAAA');
    to.json({
      signature:
        mode === 'sign something else' ? toBase64url(randomBytes(256)) : invitation.used.signature,
    });
  }

  #sign(group: number, request: Uint8Array, spki: Uint8Array): Uint8Array {
    const key = this.#keys[group] as KeyObject;
    const blinded = openTokenRequest(request, spki);
    return new Uint8Array(privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, blinded));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
