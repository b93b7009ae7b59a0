import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import { toBase64url } from '../../crypto/bytes.ts';
import { canonicalJson } from '../../crypto/canonical.ts';
import type { ReportError } from '../../crypto/dap/types.ts';
import { decodeUploadRequest, encodeUploadErrors } from '../../crypto/dap/upload.ts';
import { HpkePrivateKey } from '../../crypto/hpke.ts';
import { manifestHash, signManifest } from '../../crypto/manifest.ts';
import { inclusionPath } from '../../crypto/merkle.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { signingPublicKey } from '../../crypto/signing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import type { AssetsManifest } from '../../server/build.ts';
import { createApp, pageHeaders } from '../../server/http/app.ts';
import { viewEngine } from '../../server/http/views.ts';
import { planManifest } from '../support/manifest.ts';
import { root, sheet } from './sample.ts';

/** What the stub does with an upload. */
export type UploadMode = 'accept' | 'drop' | 'busy' | 'problem' | ReportError;

/**
 * What the answering page needs of a guardian, and nothing else: real pages, headers, keys and
 * signatures, a box that is an array, and knobs to be absent, late, full or dishonest.
 */
export class StubGuardian {
  state: 'planned' | 'open' | 'closed' = 'open';
  upload: UploadMode = 'accept';
  lie: 'signature' | 'entry' | 'sheet' | 'garbage' | undefined;
  /** The bodies of all uploads. */
  readonly received: Buffer[] = [];
  readonly origin: string;
  readonly link: string;
  readonly #server: Server;

  private constructor(server: Server, origin: string, link: string) {
    this.#server = server;
    this.origin = origin;
    this.link = link;
  }

  /** @param scriptHash what the manifest says of the page's script; by default the truth */
  static async start(
    assets: AssetsManifest,
    folder: string,
    scriptHash = assets['answer.js']?.sha256 ?? '',
  ): Promise<StubGuardian> {
    await sodiumReady();
    const app = createApp();
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    const random = (length: number) => new Uint8Array(randomBytes(length));
    const seeds = { guardian: new Secret(random(32)), employer: new Secret(random(32)) };
    const hpke = (id: number) => ({
      config_id: id,
      public_key: toBase64url(HpkePrivateKey.fromSeed(new Secret(random(32))).publicKey),
    });
    const sheetBytes = canonicalJson(sheet as never);
    const { head, entries } = planManifest(
      {
        version: 1,
        sheet_hash: toBase64url(sha256(sheetBytes)),
        round: 8,
        days: { start: 20_500, duration: 14 },
        time_zone: 'UTC',
        guardian: {
          url: origin,
          signing_key: toBase64url(signingPublicKey(seeds.guardian)),
          hpke: hpke(1),
        },
        employer: {
          url: 'http://127.0.0.1:4302',
          signing_key: toBase64url(signingPublicKey(seeds.employer)),
          hpke: hpke(2),
          collector: hpke(3),
        },
        script_hash: scriptHash,
      },
      sheet,
      ['Inbound', 'Night shift'].map((name) => ({
        ...{ name, department: 'Warehouse', rosterSize: 64, verifyKeyHash: random(32) },
      })),
    );
    const hash = toBase64url(manifestHash(head));
    const stub = new StubGuardian(server, origin, `${origin}/answer#1.${hash}`);

    app.engine('hbs', viewEngine(join(root, 'views'), assets));
    app.set('view engine', 'hbs');
    app.set('views', join(root, 'views/pages'));
    app.use('/assets', express.static(folder));
    app.get('/answer', pageHeaders('wasm'), (_request, response) => {
      response.render('answer', {
        ...{ title: 'Your answer', party: 'guardian', partyName: sheet.notice.guardian },
        ...{ organisation: sheet.notice.employer, evaluation: true, nav: [], script: null },
      });
    });
    app.get('/manifests/:hash', (request, response) => {
      if (request.params.hash !== hash) return void response.sendStatus(404);
      if (stub.lie === 'garbage') return void response.type('json').send('{"head":');
      const [first, second] = [
        signManifest(seeds.guardian, head),
        signManifest(seeds.employer, head),
      ];
      response.json({
        head: toBase64url(head),
        guardian_signature: toBase64url(first),
        employer_signature: toBase64url(stub.lie === 'signature' ? first : second),
        state: stub.state,
      });
    });
    app.get('/manifests/:hash/entries/:index', (request, response) => {
      const index = Number(request.params.index);
      const entry = entries[stub.lie === 'entry' ? 0 : index];
      if (entry === undefined) return void response.sendStatus(404);
      const path = inclusionPath(entries, index).map(toBase64url);
      response.json({ entry: toBase64url(entry), path });
    });
    app.get('/sheets/:hash', (_request, response) => {
      const lied = { ...sheet, purpose: 'Something else.' };
      response.type('json');
      response.send(Buffer.from(stub.lie === 'sheet' ? canonicalJson(lied as never) : sheetBytes));
    });
    app.post('/tasks/:task/reports', express.raw({ type: () => true }), (request, response) => {
      stub.received.push(request.body);
      if (stub.upload === 'accept') return void response.end();
      if (stub.upload === 'drop') return void request.socket.destroy();
      if (stub.upload === 'busy') return void response.sendStatus(503);
      if (stub.upload === 'problem') {
        const type = 'urn:ietf:params:ppm:dap:error:unrecognizedTask';
        return void response.status(404).type('application/problem+json').send({ type });
      }
      const id = decodeUploadRequest(request.body)[0]?.metadata.reportId ?? new Uint8Array(16);
      const errors = encodeUploadErrors([{ id, error: stub.upload }]);
      response.type('application/ppm-dap;message=upload-errors').send(Buffer.from(errors));
    });
    return stub;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
