import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64url, toBase64url, toHex } from '../../crypto/bytes.ts';
import { decodeIdSlice, idListRoot, type ListedReport, SLICES } from '../../crypto/id-list.ts';
import { discreteGaussians } from '../../crypto/noise.ts';
import type { Randomness } from '../../crypto/random.ts';
import { verifySignature } from '../../crypto/signing.ts';
import { systemRandomness } from '../../server/party.ts';
import type { Database } from '../../server/storage/database.ts';
import type { TestRound } from './parties.ts';

/** What a test can see of whole rounds from outside: calls, noise, states, keys, signed lists. */

export type PartyName = 'guardian' | 'employer';
export const PARTIES = ['guardian', 'employer'] as const;
export const otherParty = (party: PartyName): PartyName =>
  party === 'guardian' ? 'employer' : 'guardian';

/** The calls between the parties, by the last word of their path. */
const CALLS = {
  sheets: 'sheet',
  keys: 'keys',
  'token-keys': 'token keys',
  manifest: 'manifest',
  close: 'close',
  aggregation_jobs: 'lot',
  seal: 'seal',
  collection_jobs: 'collect',
  aggregate_shares: 'share',
  reveal: 'reveal',
  withheld: 'withheld',
  list: 'list',
} as const;

export type Call = (typeof CALLS)[keyof typeof CALLS];

export function callOf(url: string): Call {
  // /peer/sheets/…, /peer/rounds/1/keys, /tasks/…/seal/…
  const path = new URL(url).pathname.split('/');
  const word = path[2] === 'sheets' ? path[2] : path[path[1] === 'peer' ? 4 : 3];
  const call = CALLS[word as keyof typeof CALLS];
  if (call === undefined) throw new Error(`an unknown call: ${url}`);
  return call;
}

/** How many bytes `discreteGaussians` asks for at a time, and the draws that follow one of them. */
const NOISE_CHUNK = 1024;
const AFTER_NOISE: Readonly<Record<number, PartyName>> = { 64: 'guardian', 32: 'employer' };

/** One draw of noise, as the party that drew it added it. */
export interface NoiseDraw {
  readonly by: PartyName;
  readonly values: readonly bigint[];
}

/**
 * Secure randomness that remembers what it gave for noise, so that the same sampler can be run on
 * the same bytes. A draw is known by its chunks, its party by what it asks for next: the guardian a
 * seed for the seal of its share, the employer the random of its commitment.
 */
export function recordedRandomness(): {
  readonly randomness: Randomness;
  /** All draws so far. @throws Error if one does not use its bytes up exactly */
  draws(variance: bigint, length: number): NoiseDraw[];
} {
  const runs: { chunks: Uint8Array[]; by: PartyName | undefined }[] = [];
  let open: Uint8Array[] | undefined;
  return {
    randomness: (length) => {
      const bytes = systemRandomness(length);
      if (length === NOISE_CHUNK) {
        if (open === undefined) {
          open = [];
          runs.push({ chunks: open, by: undefined });
        }
        open.push(bytes.slice());
      } else if (open !== undefined) {
        (runs.at(-1) as { by?: PartyName | undefined }).by = AFTER_NOISE[length];
        open = undefined;
      }
      return bytes;
    },
    draws(variance, length) {
      return runs.map(({ chunks, by }) => {
        const left = [...chunks];
        const values = discreteGaussians(
          { numerator: variance, denominator: 1n },
          length,
          (size) => {
            const chunk = left.shift();
            if (chunk?.length !== size) throw new Error('the noise was drawn otherwise');
            return chunk;
          },
        );
        if (left.length > 0 || by === undefined) throw new Error('the noise was drawn otherwise');
        return { by, values };
      });
    },
  };
}

/** One change of a group's state, as the party's database saw it. */
export interface Move {
  readonly taskId: string;
  readonly was: string;
  readonly now: string;
}

/** Makes a party's database keep every change of state, inside the transaction that makes it. */
export function watchStates(db: Database): void {
  db.exec(`
    CREATE TABLE test_moves (id INTEGER PRIMARY KEY, task_id BLOB, was TEXT, now TEXT);
    CREATE TRIGGER test_moves AFTER UPDATE OF state ON tasks
    BEGIN INSERT INTO test_moves (task_id, was, now) VALUES (OLD.task_id, OLD.state, NEW.state); END;
  `);
}

export function movesOf(db: Database): Move[] {
  return db
    .prepare<[], { taskId: Buffer; was: string; now: string }>(
      'SELECT task_id AS taskId, was, now FROM test_moves ORDER BY id',
    )
    .all()
    .map(({ taskId, was, now }) => ({ taskId: toHex(taskId), was, now }));
}

/** One row of a party's results. */
export interface ResultRow {
  readonly taskId: Buffer;
  readonly published: Buffer;
  readonly employerSignature: Buffer;
  readonly guardianSignature: Buffer | null;
}

export function resultsOf(db: Database): ResultRow[] {
  return db
    .prepare<[], ResultRow>(
      `SELECT task_id AS taskId, published, employer_signature AS employerSignature,
         guardian_signature AS guardianSignature FROM results ORDER BY task_id`,
    )
    .all();
}

/** The state of each group of a round, by index. */
export function statesOf(db: Database, round: TestRound): string[] {
  return db
    .prepare<[Uint8Array], string>(
      'SELECT state FROM tasks WHERE manifest_hash = ? ORDER BY group_index',
    )
    .pluck()
    .all(round.hash);
}

/** The keys of rounds that lie in a party's key folder. */
export function roundKeysIn(folder: string, party: PartyName): string[] {
  return readdirSync(join(folder, party, 'keys')).filter((name) =>
    /^(round|collector|tokens|invitations)-/.test(name),
  );
}

/**
 * A round's list as a receipt reads it: the root with both signatures, and every slice of it.
 * @returns how each listed report ended, by its id in hexadecimal
 * @throws Error, CryptoError if anything of it does not hold
 */
export async function signedList(
  guardianUrl: string,
  { hash, head }: TestRound,
): Promise<Map<string, ListedReport>> {
  const base = `${guardianUrl}/manifests/${toBase64url(hash)}/list`;
  const signed = (await (await fetch(base)).json()) as Record<string, string>;
  const slices = await Promise.all(
    Array.from({ length: SLICES }, async (_, slice) => {
      const response = await fetch(`${base}/${slice}`);
      if (!response.ok) throw new Error(`slice ${slice} answered ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    }),
  );
  const root = idListRoot(slices);
  if (toBase64url(root) !== signed.root) throw new Error('the list has another root');
  for (const party of PARTIES) {
    const signature = fromBase64url(signed[`${party}_signature`] as string);
    verifySignature(
      fromBase64url(head[party].signing_key),
      signature,
      'chorus list v1',
      hash,
      root,
    );
  }
  const reports = slices.flatMap((bytes, slice) => decodeIdSlice(bytes, slice));
  return new Map(reports.map((report) => [toHex(report.reportId), report]));
}
