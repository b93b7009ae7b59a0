import { fromBase64url, toBase64url, toHex } from '../../../crypto/bytes.ts';
import { reportSignature } from '../../../crypto/dap/report.ts';
import { decodeReport } from '../../../crypto/dap/upload.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import {
  bytesOf,
  type Evidence,
  framePages,
  indexedPages,
  PAGE,
  tablesOf,
} from '../../support/evidence.ts';
import { Needles } from '../../support/needles.ts';
import { PARTIES } from '../../support/rounds.ts';
import type { Tally } from './score.ts';

/*
 * Who sent which report? The attacker is handed, for one group at one moment, the people who have a
 * token and the reports that are there, both in an order that means nothing, and all the evidence;
 * that is more than he could always find out. Of every person and every report he takes every number
 * that could have to do with an order: values, rows of tables and the numbers in them (times too, if
 * there were any), first and last places in each file, pages, how lately a page was written by the log
 * and by the shared memory beside it, the order of mail. Then he lays every order of the people beside every order of the reports, both ways round.
 */

/** A person who fetched a token: address, and what was mailed to it. */
export interface Suspect {
  readonly email: string;
  /** Of the link, in base64url. */
  readonly code: string;
}

/** A report as the guardian got it. */
export interface Caught {
  readonly reportId: Uint8Array;
  readonly report: Uint8Array;
}

export interface Game {
  readonly people: readonly Suspect[];
  readonly reports: readonly Caught[];
}

/** What only the test knows. */
export interface Truth {
  /** Who sent each report: an index into the people. */
  readonly senders: readonly number[];
  /** The report that came last, an index, where that is known to be the newest write. */
  readonly newest: number | undefined;
}

/** Numbers of one person or report, by what they are. */
type Features = ReadonlyMap<string, number>;

/** Bytes that a person or report leaves in files, by what they are. */
type Traces = ReadonlyMap<string, Uint8Array>;

/** Plays every way to guess in every game, and writes into each tally how it went. */
export function attack(
  evidence: Evidence,
  games: readonly { readonly game: Game; readonly truth: Truth }[],
  tallies: readonly Tally[],
): void {
  const sight = new Sight(evidence);
  // All at once: every byte of the evidence is looked at once.
  const features = sight.features(
    games.flatMap(({ game: { people, reports } }) => [
      ...people.map(sight.tracesOfPerson),
      ...reports.map(tracesOfReport),
    ]),
  );
  for (const { game, truth } of games) {
    const people = features.splice(0, game.people.length);
    const reports = features.splice(0, game.reports.length);
    game.people.forEach(({ email }, i) => {
      for (const [name, at] of sight.mailed(email)) people[i]?.set(name, at);
    });
    for (const [way, guesses, right, expected] of plays(people, reports, truth)) {
      for (const tally of tallies) tally.add(way, guesses, right, expected);
    }
  }
}

/** Each way to guess: its name, how many guesses, how many were right, how many would be by chance. */
function* plays(
  people: readonly Features[],
  reports: readonly Features[],
  truth: Truth,
): Generator<[string, number, number, number]> {
  const peopleOrders = ordersOf(people);
  const by = reports.length / people.length;
  for (const [ofReport, reportOrder] of ordersOf(reports)) {
    for (const [ofPerson, personOrder] of peopleOrders) {
      // Where more people have tokens than reports are there, spread evenly over them.
      let [along, against] = [0, 0];
      reportOrder.forEach((report, rank) => {
        const at = Math.floor((rank + 0.5) / by);
        if (personOrder[at] === truth.senders[report]) along++;
        if (personOrder[people.length - 1 - at] === truth.senders[report]) against++;
      });
      yield [`${ofPerson} / ${ofReport}`, reports.length, along, by];
      yield [`${ofPerson} / ${ofReport}, reversed`, reports.length, against, by];
    }
  }
  const { newest } = truth;
  if (newest === undefined || people.length < 2) return;
  // Who wrote last? The one person who stands out.
  for (const [ofPerson, person] of extremesOf(people)) {
    yield [`newest: ${ofPerson}`, 1, person === truth.senders[newest] ? 1 : 0, 1 / people.length];
  }
}

/** The order of these by each feature that tells any two of them apart; what lacks it comes first. */
function ordersOf(all: readonly Features[]): Map<string, number[]> {
  const orders = new Map<string, number[]>();
  for (const name of new Set(all.flatMap((features) => [...features.keys()]))) {
    const values = all.map((features) => features.get(name) ?? -1);
    if (new Set(values).size < 2) continue;
    const order = values.map((_, i) => i);
    orders.set(
      name,
      order.sort((a, b) => (values[a] as number) - (values[b] as number)),
    );
  }
  return orders;
}

/** Who alone has the least or the most of a feature. */
function* extremesOf(all: readonly Features[]): Generator<[string, number]> {
  for (const [name, order] of ordersOf(all)) {
    const value = (rank: number) => all[order.at(rank) as number]?.get(name) ?? -1;
    if (value(-1) !== value(-2)) yield [`most ${name}`, order.at(-1) as number];
    if (value(0) !== value(1)) yield [`least ${name}`, order[0] as number];
  }
}

function note(
  features: Map<string, number> | undefined,
  kind: string,
  { table, numbers }: Row,
): void {
  for (const [what, value] of numbers) features?.set(`${what} of ${kind} in ${table}`, value);
}

function tracesOfReport({ reportId, report }: Caught): Traces {
  return new Map([
    ['id', reportId],
    ['id as text', Buffer.from(toBase64url(reportId))],
    ['nonce', sha256(reportSignature(decodeReport(report)).publicKey)],
    ['hash', sha256(report)],
    ['end', report.subarray(-16)],
  ]);
}

/** A row of a table that has something to do with a person or report. */
interface Row {
  readonly table: string;
  /** Numbers in it by what they are, its place in the table among them. */
  readonly numbers: readonly (readonly [string, number])[];
  /** What it says that rows of other tables may say of the same person. */
  readonly links: readonly string[];
}

/** Columns that name a person or a code by number, and in which tables `id` does. */
const LINKS: Readonly<Record<string, string>> = {
  person: 'person',
  person_id: 'person',
  code: 'code',
  code_id: 'code',
  'people.id': 'person',
  'codes.id': 'code',
};

/** Whether a field may be what a person or report is known by: longer than a word, shorter than a report. */
function isKey(value: unknown): value is Buffer {
  const { length } = (value ?? '') as { length: number };
  return length >= 8 && length <= 64;
}

/** All that can be looked up in one piece of evidence, prepared once for many people and reports. */
class Sight {
  readonly #evidence: Evidence;
  /** Rows of every table by what is in one of their columns, as latin1, or by a link. */
  readonly #rows = new Map<string, Row[]>();
  /** Request hashes by code hash, in hexadecimal. */
  readonly #requests = new Map<string, Buffer>();
  /** How late in the log and in its shared memory each page of a database comes, by file. */
  readonly #written = new Map<string, ReadonlyMap<string, ReadonlyMap<number, number>>>();
  readonly #mails = new Map<string, Map<string, number>>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    for (const party of PARTIES) this.#readDatabase(party);
    evidence.mails.forEach(({ to }, i) => {
      const mails = this.#mails.get(to) ?? new Map([['first mail', i]]);
      this.#mails.set(to, mails.set('last mail', i));
    });
  }

  #readDatabase(party: string): void {
    for (const [name, { columns, rows }] of tablesOf(this.#evidence, party)) {
      const table = `${party}.${name}`;
      const linkOf = columns.map((column) => LINKS[column] ?? LINKS[`${name}.${column}`]);
      const [hash, request] = [columns.indexOf('code_hash'), columns.indexOf('request_hash')];
      rows.forEach((values, at) => {
        const numbers: [string, number][] = [['row', at]];
        const links: string[] = [];
        const keys: string[] = [];
        values.forEach((value, i) => {
          if (typeof value === 'number') {
            numbers.push([columns[i] as string, value]);
            if (linkOf[i] !== undefined) links.push(`${linkOf[i]} ${value}`);
          } else if (isKey(value)) {
            keys.push(Buffer.from(value).toString('latin1'));
          }
        });
        const row = { table, numbers, links };
        for (const key of [...keys, ...links]) {
          const there = this.#rows.get(key);
          if (there === undefined) this.#rows.set(key, [row]);
          else there.push(row);
        }
        if (name === 'codes') {
          this.#requests.set(toHex(values[hash] as Buffer), values[request] as Buffer);
        }
      });
    }
    const name = `${party}/${party}.sqlite`;
    const last = (pages: readonly number[]) => new Map(pages.map((page, i) => [page, i]));
    const wal = last(framePages(bytesOf(this.#evidence, `${name}-wal`)));
    const shm = last(indexedPages(bytesOf(this.#evidence, `${name}-shm`)));
    this.#written.set(
      name,
      new Map([
        ['in log', wal],
        ['in shared memory', shm],
      ]),
    );
  }

  readonly tracesOfPerson = ({ email, code }: Suspect): Traces => {
    const codeHash = sha256(fromBase64url(code));
    const requestHash = this.#requests.get(toHex(codeHash));
    return new Map<string, Uint8Array>([
      ['code', codeHash],
      ['code as text', Buffer.from(code)],
      ['address', Buffer.from(email)],
      ...(requestHash === undefined ? [] : [['request', requestHash] as const]),
    ]);
  };

  mailed(email: string): Features {
    return this.#mails.get(email) ?? new Map();
  }

  features(all: readonly Traces[]): Map<string, number>[] {
    const features = all.map(() => new Map<string, number>());
    const needles = new Needles();
    all.forEach((traces, i) => {
      for (const [kind, bytes] of traces) {
        // Addresses begin alike; where they lie in tables and logs is looked up below.
        if (kind !== 'address') needles.add(`${i} ${kind}`, bytes, bytes.length);
        features[i]?.set(`value of ${kind}`, Buffer.from(bytes).readUIntBE(0, 6));
        const key = Buffer.from(bytes).toString('latin1');
        for (const row of this.#rows.get(key) ?? []) {
          note(features[i], kind, row);
          for (const link of row.links) {
            for (const linked of this.#rows.get(link) ?? []) note(features[i], 'number', linked);
          }
        }
      }
    });
    for (const [file, bytes] of this.#evidence.files) {
      for (const [label, places] of needles.places(bytes)) {
        const [i, ...kind] = label.split(' ');
        this.#place(file, kind.join(' '), places, features[Number(i)] as Map<string, number>);
      }
      if (!file.endsWith('.log')) continue;
      all.forEach((traces, i) => {
        const address = traces.get('address');
        const at = address === undefined ? -1 : bytes.indexOf(address);
        if (at >= 0) features[i]?.set(`address in ${file}`, at);
      });
    }
    return features;
  }

  #place(
    file: string,
    kind: string,
    places: readonly number[],
    features: Map<string, number>,
  ): void {
    const [first, last] = [places[0] as number, places.at(-1) as number];
    features.set(`first ${kind} in ${file}`, first);
    features.set(`last ${kind} in ${file}`, last);
    features.set(`number of ${kind} in ${file}`, places.length);
    features.set(`${kind} in its page of ${file}`, first % PAGE);
    for (const [where, pages] of this.#written.get(file) ?? []) {
      for (const [which, at] of [
        ['first', first],
        ['last', last],
      ] as const) {
        const written = pages.get(Math.floor(at / PAGE) + 1);
        if (written !== undefined) features.set(`${which} page of ${kind} ${where}`, written);
      }
    }
  }
}
