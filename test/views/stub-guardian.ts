import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express, { type Express } from 'express';
import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { canonicalJson } from '../../crypto/canonical.ts';
import type { ReportError } from '../../crypto/dap/types.ts';
import { encodeUploadErrors } from '../../crypto/dap/upload.ts';
import { HpkePrivateKey } from '../../crypto/hpke.ts';
import { encodeIdList, idListRoot, type ListedReport } from '../../crypto/id-list.ts';
import { manifestHash, planEntry, planHead, signManifest } from '../../crypto/manifest.ts';
import { inclusionPath } from '../../crypto/merkle.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { noticeHash } from '../../crypto/sheet.ts';
import { sign, signingPublicKey } from '../../crypto/signing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { createApp, pageHeaders } from '../../server/http/app.ts';
import { viewEngine } from '../../server/http/views.ts';
import { ASSETS, builtAssets } from '../support/project.ts';
import { root, sheet } from './sample.ts';
import { StubBox } from './stub-box.ts';
import { StubEmployer } from './stub-employer.ts';

/** What the stub does with an upload; `lose the reply` takes it all the same. */
export type UploadMode = 'accept' | 'drop' | 'lose the reply' | 'busy' | 'problem' | ReportError;

/** What the stub does with a withdrawal. */
export type WithdrawalMode = 'honest' | 'drop' | 'busy' | 'tooLate' | 'unauthorized';

/** A group's state, as `GET /manifests/…/groups` says it. */
export interface StubGroup {
  state: 'open' | 'counting' | 'released' | 'withheld';
  reason: string | null;
}

type Seeds = Readonly<Record<'guardian' | 'employer', Secret<Uint8Array>>>;

const random = (length: number) => new Uint8Array(randomBytes(length));

/**
 * What the employee's pages need of a guardian, and nothing else: real pages, headers, keys,
 * signatures and checks, a box in memory, and knobs to be absent, late, full or dishonest.
 */
export class StubGuardian {
  state: 'planned' | 'open' | 'closed' = 'open';
  upload: UploadMode = 'accept';
  withdrawal: WithdrawalMode = 'honest';
  lie: 'signature' | 'entry' | 'sheet' | 'garbage' | 'list' | 'consent' | undefined;
  groups: StubGroup[] = [
    { state: 'open', reason: null },
    { state: 'open', reason: null },
  ];
  /** Undefined until the list is signed. */
  list: readonly ListedReport[] | undefined;
  /** The bodies of all uploads. */
  readonly received: Buffer[] = [];
  readonly box: StubBox;
  readonly origin: string;
  readonly employer: StubEmployer;
  /** base64url */
  readonly hash: string;
  readonly #server: Server;
  readonly #seeds: Seeds;

  private constructor(
    server: Server,
    origin: string,
    employer: StubEmployer,
    hash: string,
    seeds: Seeds,
    box: StubBox,
  ) {
    this.#server = server;
    this.origin = origin;
    this.employer = employer;
    this.hash = hash;
    this.#seeds = seeds;
    this.box = box;
  }

  /** @param scriptHash what the manifest says of the page's script; by default the truth */
  static async start(scriptHash = builtAssets()['answer.js']?.sha256 ?? ''): Promise<StubGuardian> {
    await sodiumReady();
    const employer = await StubEmployer.start(2);
    const app = createApp();
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    employer.allowed = origin;
    const seeds = { guardian: new Secret(random(32)), employer: new Secret(random(32)) };
    const hpke = (id: number) => ({
      config_id: id,
      public_key: toBase64url(HpkePrivateKey.fromSeed(new Secret(random(32))).publicKey),
    });
    const sheetBytes = canonicalJson(sheet);
    const plan = {
      version: 1,
      sheet_hash: toBase64url(sha256(sheetBytes)),
      round: 8,
      days: { start: 20_500, duration: 14 },
      time_zone: 'Europe/Berlin',
      guardian: {
        url: origin,
        signing_key: toBase64url(signingPublicKey(seeds.guardian)),
        hpke: hpke(1),
      },
      employer: {
        url: employer.origin,
        signing_key: toBase64url(signingPublicKey(seeds.employer)),
        hpke: hpke(2),
        collector: hpke(3),
      },
      script_hash: scriptHash,
    } as const;
    const entries = ['Inbound', 'Night shift'].map((name, index) =>
      planEntry(
        plan,
        sheet,
        {
          ...{ name, department: 'Warehouse', rosterSize: 64, verifyKeyHash: random(32) },
          tokenKey: employer.spkis[index] as Uint8Array,
        },
        index,
      ),
    );
    const head = planHead(plan, entries);
    const hash = toBase64url(manifestHash(head));
    const box = new StubBox(head, entries);
    const stub = new StubGuardian(server, origin, employer, hash, seeds, box);
    stub.#pages(app);
    stub.#manifest(app, head, entries, sheetBytes);
    stub.#people(app);
    stub.#lists(app);
    return stub;
  }

  /** The link of a new invitation to group 1. */
  invite(group = 1): string {
    return this.linkOf(this.employer.invite(group));
  }

  /** The link with this code. */
  linkOf(code: string, group = 1): string {
    return `${this.origin}/answer#${code}.${group}.${this.hash}`;
  }

  /** Forgets what an earlier test did. */
  reset(): void {
    this.state = 'open';
    this.upload = 'accept';
    this.withdrawal = 'honest';
    this.lie = undefined;
    this.list = undefined;
    this.groups = this.groups.map(() => ({ state: 'open', reason: null }));
    this.received.length = 0;
    this.box.clear();
    this.employer.mode = 'give';
    this.employer.asked.length = 0;
  }

  /** Ends the round with this list, its groups released. */
  close(list: readonly ListedReport[]): void {
    this.state = 'closed';
    this.list = list;
    this.groups = this.groups.map(() => ({ state: 'released', reason: null }));
  }

  #pages(app: Express): void {
    app.engine('hbs', viewEngine(join(root, 'views'), builtAssets()));
    app.set('view engine', 'hbs');
    app.set('views', join(root, 'views/pages'));
    app.use('/assets', express.static(ASSETS));
    const frame = (title: string) => ({
      ...{ title, party: 'guardian', partyName: sheet.notice.guardian },
      ...{
        organisation: sheet.notice.employer,
        evaluation: true,
        light: null,
        nav: [],
        script: null,
      },
    });
    app.get('/answer', pageHeaders('wasm', [this.employer.origin]), (_request, response) =>
      response.render('answer', frame('Your answer')),
    );
    app.get('/receipt', pageHeaders('wasm'), (_request, response) =>
      response.render('receipt', frame('Your receipt')),
    );
  }

  #manifest(
    app: Express,
    head: Uint8Array,
    entries: readonly Uint8Array[],
    sheetBytes: Uint8Array,
  ): void {
    app.get('/manifests/:hash', (request, response) => {
      if (request.params.hash !== this.hash) return void response.sendStatus(404);
      if (this.lie === 'garbage') return void response.type('json').send('{"head":');
      const first = signManifest(this.#seeds.guardian, head);
      const second = signManifest(this.#seeds.employer, head);
      response.json({
        head: toBase64url(head),
        guardian_signature: toBase64url(first),
        employer_signature: toBase64url(this.lie === 'signature' ? first : second),
        state: this.state,
      });
    });
    app.get('/manifests/:hash/entries/:index', (request, response) => {
      const index = Number(request.params.index);
      const entry = entries[this.lie === 'entry' ? 0 : index];
      if (entry === undefined) return void response.sendStatus(404);
      const path = inclusionPath(entries, index).map(toBase64url);
      response.json({ entry: toBase64url(entry), path });
    });
    app.get('/sheets/:hash', (_request, response) => {
      const lied = { ...sheet, purpose: 'Something else.' };
      response.type('json');
      response.send(Buffer.from(this.lie === 'sheet' ? canonicalJson(lied) : sheetBytes));
    });
  }

  #people(app: Express): void {
    const problem = (response: express.Response, status: number, code: string) =>
      response
        .status(status)
        .type('application/problem+json')
        .send(JSON.stringify({ type: `urn:chorus:error:${code}`, title: code, status }));
    app.post('/tasks/:task/reports', express.raw({ type: () => true }), (request, response) => {
      const body: Buffer = request.body;
      this.received.push(body);
      if (this.upload === 'drop') return void request.socket.destroy();
      if (this.upload === 'busy') return void response.sendStatus(503);
      if (this.upload === 'problem') return void problem(response, 404, 'notFound');
      const taken = this.upload === 'accept' || this.upload === 'lose the reply';
      const { id, error } = taken
        ? this.box.cast(body)
        : { id: new Uint8Array(body.subarray(0, 16)), error: this.upload as ReportError };
      if (this.upload === 'lose the reply') return void request.socket.destroy();
      if (error === undefined) return void response.end();
      response.type('application/ppm-dap;message=upload-errors');
      response.send(Buffer.from(encodeUploadErrors([{ id, error }])));
    });
    app.post('/tasks/:task/reports/:id/withdrawal', express.json(), (request, response) => {
      const { withdrawal } = this;
      if (withdrawal === 'drop') return void request.socket.destroy();
      if (withdrawal === 'busy') return void response.sendStatus(503);
      if (withdrawal === 'tooLate') return void problem(response, 409, 'tooLate');
      if (withdrawal === 'unauthorized') return void problem(response, 401, 'unauthorized');
      const outcome = this.box.withdraw(
        fromBase64url(request.params.id),
        fromBase64url(request.body.signature),
      );
      if (outcome === 'withdrawn') response.status(204).end();
      else problem(response, outcome === 'notFound' ? 404 : 401, outcome);
    });
    app.post('/consent-receipts', express.json(), (request, response) => {
      const receipt = {
        schema: 'ISO/IEC TS 27560:2023',
        record_id: request.body.report_id,
        notice: { hash: toBase64url(noticeHash(sheet)), points: sheet.notice.points },
      };
      const by = this.lie === 'consent' ? this.#seeds.employer : this.#seeds.guardian;
      const signature = sign(by, 'chorus consent v1', canonicalJson(receipt));
      response.json({ receipt, signature: toBase64url(signature) });
    });
  }

  #lists(app: Express): void {
    const hash = fromBase64url(this.hash);
    app.get('/manifests/:hash/groups', (_request, response) => {
      response.json({ groups: this.groups.map((group, index) => ({ index, ...group })) });
    });
    app.get('/manifests/:hash/list', (_request, response) => {
      if (this.list === undefined) return void response.sendStatus(409);
      const root = idListRoot(encodeIdList(this.list));
      const signed = (seed: Secret<Uint8Array>) =>
        toBase64url(sign(seed, 'chorus list v1', hash, root));
      response.json({
        root: toBase64url(root),
        guardian_signature: signed(this.#seeds.guardian),
        employer_signature: signed(this.#seeds.employer),
      });
    });
    app.get('/manifests/:hash/list/:slice', (request, response) => {
      // A guardian that wants to hide an answer leaves it out of what it serves.
      const served = this.lie === 'list' ? [] : (this.list ?? []);
      const slice = encodeIdList(served)[Number(request.params.slice)];
      if (slice === undefined) return void response.sendStatus(404);
      response.type('application/octet-stream').send(Buffer.from(slice));
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await this.employer.stop();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
