import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromBase64url, toBase64url, toHex } from '../../crypto/bytes.ts';
import { decodeReport } from '../../crypto/dap/upload.ts';
import type { ListedReport } from '../../crypto/id-list.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { sign, verifySignature } from '../../crypto/signing.ts';
import { DAY_MS } from '../../server/domain/days.ts';
import { refusalCap } from '../../server/domain/lots.ts';
import { decodePublished } from '../../server/domain/published.ts';
import { systemRandomness } from '../../server/party.ts';
import { cheatingReport, flipped, oneHot } from '../support/cheating-reports.ts';
import {
  approveTestSheet,
  readTestRound,
  sealed,
  TEST_NOISE,
  type TestRound,
  testPeople,
  testSheet,
  until,
  upload,
} from '../support/parties.ts';
import {
  movesOf,
  type NoiseDraw,
  PARTIES,
  type PartyName,
  resultsOf,
  roundKeysIn,
  signedList,
  statesOf,
  watchStates,
} from '../support/rounds.ts';
import { staffCookie } from '../support/staff.ts';
import {
  HAPPENINGS,
  type Happening,
  planUntilSigned,
  startWorld,
  type World,
} from '../support/world.ts';

/*
 * Whole rounds of two real parties, under a clock that the test moves, while calls between them are
 * lost before or after they are answered, repeated, reordered and doubled, and while either party
 * restarts between any two steps, or is away until the deadline. Whatever happens:
 *
 *  1. Released = sent + noise, exactly: the totals of a confirmed group minus the answers of the
 *     reports listed as counted are one draw of the guardian's noise (and, where both add noise, one
 *     of the employer's), each drawn once for one group and used for no other.
 *  2. The published count of a group is the number of its reports that are listed as counted.
 *     Nothing is counted twice: no report is in the list twice, and no repetition counts.
 *  3. Every acknowledged report ends as counted, as refused with its reason, or in a group that both
 *     parties say is withheld. Good ones are counted, bad ones refused, withdrawn ones withdrawn.
 *  4. Nothing that was refused at upload, and nothing that was never sent, is in the list.
 *  5. A group is withheld only for a reason: fewer than k good reports, more refused by the employer
 *     than it may refuse, or the deadline.
 *  6. Both parties hold the same published bytes with the same two signatures, and both are good. No
 *     party ever holds a result with the guardian's signature that does not verify; without it no
 *     page shows a total.
 *  7. The state of a group moves along the arrows only; and what is noised is withheld only where its
 *     result never left the guardian: the employer never had it.
 *  8. When a round is finished its keys are in neither key folder, and its reports, lots, shares and
 *     jobs in neither database.
 */

const K = 8;
const varianceOf = (sheet: Sheet) => BigInt(sheet.noise.variance.numerator);
const ELEMENTS = 8;
const DEADLINE_DAYS = 7;
const ROSTER = 500;
/** How often a person tries to send an answer. */
const TRIES = 3;
/** How long a round may take on a busy machine; half a second is usual. */
const ROUND_LIMIT_MS = 50_000;

const ARROWS: Readonly<Record<string, readonly string[]>> = {
  boxed: ['counting', 'withheld'],
  counting: ['sealed', 'withheld'],
  sealed: ['noised', 'withheld'],
  noised: ['confirmed', 'withheld'],
  confirmed: [],
  withheld: [],
};

/** Of a report that was sent: what it says, and what became of its upload. */
interface Sent {
  readonly id: string;
  readonly group: number;
  readonly answer: readonly number[];
  /** What is wrong inside, if anything: who finds it, and what it is called. */
  readonly fault: null | { readonly party: PartyName; readonly error: string };
  /** Not known if the guardian stopped before it answered. */
  readonly upload: 'acknowledged' | 'refused' | 'not known' | 'withdrawn';
}

/** One round with all that was sent in it. */
interface Played {
  readonly round: TestRound;
  readonly sent: readonly Sent[];
  /** Whether a party was away at the deadline. */
  readonly overdue: boolean;
  /** Noise drawn before the round. */
  readonly drawnBefore: number;
}

// The invariants.

/** 6: what a party would show is signed by both. Checked at every call between the parties. */
function checkShown({ look }: World, round: TestRound | undefined): void {
  if (round === undefined) return;
  const { guardian, employer } = round.head;
  const tasks = new Set(round.tasks.map(({ taskId }) => toHex(taskId)));
  for (const party of PARTIES) {
    for (const row of resultsOf(look[party])) {
      if (!tasks.has(toHex(row.taskId))) continue;
      const digest = sha256(row.published);
      verifySignature(
        fromBase64url(employer.signing_key),
        row.employerSignature,
        'chorus release v1',
        digest,
      );
      if (row.guardianSignature === null) continue;
      verifySignature(
        fromBase64url(guardian.signing_key),
        row.guardianSignature,
        'chorus release v1',
        digest,
      );
    }
  }
}

/** 7, over all that both databases ever did. */
function checkMoves({ look }: World): void {
  const unseen = new Set<string>();
  for (const party of PARTIES) {
    const at = new Map<string, string>();
    for (const { taskId, was, now } of movesOf(look[party])) {
      expect(was).toBe(at.get(taskId) ?? 'boxed');
      expect(ARROWS[was], `${was} → ${now} at the ${party}`).toContain(now);
      at.set(taskId, now);
      if (was === 'noised' && now === 'withheld') unseen.add(taskId);
    }
  }
  const seen = movesOf(look.employer).filter(({ now }) => now === 'noised');
  for (const { taskId } of seen) expect(unseen).not.toContain(taskId);
}

/** 6, at the end. @returns the published totals by group */
function checkPublished({ look }: World, { round }: Played) {
  const byGroup = new Map<number, ReturnType<typeof decodePublished>>();
  round.tasks.forEach(({ taskId }, group) => {
    const [atGuardian, atEmployer] = PARTIES.map((party) =>
      resultsOf(look[party]).find((row) => row.taskId.equals(taskId)),
    );
    expect(atGuardian).toEqual(atEmployer);
    if (atGuardian === undefined) return;
    expect(atGuardian.guardianSignature).not.toBeNull();
    byGroup.set(group, decodePublished(atGuardian.published));
  });
  return byGroup;
}

/** 3, 4 and 5. */
function checkEndings(
  states: readonly string[],
  list: ReadonlyMap<string, ListedReport>,
  { sent, overdue }: Played,
): void {
  const known = new Map(sent.map((report) => [report.id, report]));
  for (const id of list.keys()) {
    const report = known.get(id);
    expect(report, 'a listed report was sent').toBeDefined();
    expect(report?.upload).not.toBe('refused');
    expect(states[report?.group as number]).toBe('confirmed');
  }
  for (const { id, group, fault, upload } of sent) {
    const listed = list.get(id);
    if (states[group] === 'withheld') continue;
    if (upload !== 'acknowledged' && upload !== 'withdrawn' && listed === undefined) continue;
    if (upload === 'withdrawn') expect(listed).toEqual({ ...listed, outcome: 'withdrawn' });
    else if (fault === null) expect(listed).toMatchObject({ outcome: 'counted' });
    else expect(listed).toMatchObject({ outcome: 'refused', error: fault.error });
  }
  states.forEach((state, group) => {
    if (state !== 'withheld' || overdue) return;
    const certain = sent.filter((one) => one.group === group && one.upload === 'acknowledged');
    const good = certain.filter(({ fault }) => fault === null).length;
    const refused = sent.filter(
      (one) => one.group === group && one.fault?.party === 'employer' && one.upload !== 'withdrawn',
    ).length;
    const reason = good < K || refused > refusalCap(good + refused);
    expect(reason, `group ${group} is withheld with ${good} good reports`).toBe(true);
  });
}

/** 1 and 2. */
function checkTotals(
  published: ReadonlyMap<number, ReturnType<typeof decodePublished>>,
  list: ReadonlyMap<string, ListedReport>,
  { round, sent }: Played,
  drawn: readonly NoiseDraw[],
): void {
  const unused = { guardian: new Set<NoiseDraw>(), employer: new Set<NoiseDraw>() };
  for (const draw of drawn) unused[draw.by].add(draw);
  for (const [group, { count, totals }] of published) {
    const counted = sent.filter(
      (report) => report.group === group && list.get(report.id)?.outcome === 'counted',
    );
    expect(count).toBe(counted.length);
    const truth = Array.from({ length: ELEMENTS }, (_, i) =>
      counted.reduce((sum, { answer }) => sum + Number(oneHot(answer)[i]), 0),
    );
    const noise = totals.map((total, i) => BigInt(total - (truth[i] as number)));
    const found = takeNoise(noise, round.sheet.noise.by, unused);
    expect(found, `group ${group}: ${totals} is ${truth} and a draw of noise`).toBe(true);
  }
}

/** Takes the draws that add up to `noise`, so that no other group can use them. */
function takeNoise(
  noise: readonly bigint[],
  by: 'guardian' | 'both',
  unused: Record<PartyName, Set<NoiseDraw>>,
): boolean {
  for (const first of unused.guardian) {
    const seconds = by === 'both' ? [...unused.employer] : [undefined];
    for (const second of seconds) {
      const sum = first.values.map((value, i) => value + (second?.values[i] ?? 0n));
      if (sum.some((value, i) => value !== noise[i])) continue;
      unused.guardian.delete(first);
      if (second !== undefined) unused.employer.delete(second);
      return true;
    }
  }
  return false;
}

/** 1: a party drew noise once for each group that it noised. */
function checkDraws({ look }: World, { round }: Played, drawn: readonly NoiseDraw[]): void {
  const tasks = new Set(round.tasks.map(({ taskId }) => toHex(taskId)));
  const moved = (party: PartyName, to: string) =>
    movesOf(look[party]).filter(({ taskId, now }) => now === to && tasks.has(taskId)).length;
  expect(drawn.filter(({ by }) => by === 'guardian')).toHaveLength(moved('guardian', 'noised'));
  expect(drawn.filter(({ by }) => by === 'employer')).toHaveLength(
    round.sheet.noise.by === 'both' ? moved('employer', 'sealed') : 0,
  );
}

const EMPTIED = {
  guardian: ['box', 'lots', 'spent', 'buckets', 'outcomes', 'seals', 'collection_jobs'],
  employer: [
    ...['buckets', 'outcomes', 'seals', 'aggregation_jobs', 'aggregate_share_jobs'],
    ...['collections', 'counted_tokens'],
  ],
} as const;

/** 8. */
async function checkGone({ parties, look }: World): Promise<void> {
  // The employer deletes its last key at its next turn.
  await until(() => PARTIES.every((party) => roundKeysIn(parties.folder, party).length === 0));
  for (const party of PARTIES) {
    for (const table of EMPTIED[party]) {
      const rows = look[party].prepare(`SELECT COUNT(*) FROM ${table}`).pluck().get();
      expect(rows, `${table} of the ${party}`).toBe(0);
    }
  }
}

async function checkRound(world: World, played: Played): Promise<readonly string[]> {
  const { round, drawnBefore } = played;
  const states = statesOf(world.look.guardian, round);
  expect(statesOf(world.look.employer, round)).toEqual(states);
  const drawn = world.noise.draws(varianceOf(round.sheet), ELEMENTS).slice(drawnBefore);
  const list = await signedList(world.parties.urls.guardian, round);
  checkEndings(states, list, played);
  checkTotals(checkPublished(world, played), list, played, drawn);
  checkDraws(world, played, drawn);
  checkShown(world, round);
  checkMoves(world);
  await checkGone(world);
  return states;
}

// What is done.

type Wrong = 'two options' | 'weights 2 and −1' | 'leader bit' | 'helper bit';

/** What people and operators do while a round is open. */
type Operation =
  | { readonly do: 'answer'; readonly group: number; readonly people: number }
  | { readonly do: 'answer wrongly'; readonly group: number; readonly wrong: Wrong }
  | { readonly do: 'send again'; readonly which: number }
  | { readonly do: 'withdraw'; readonly which: number }
  | { readonly do: 'take an id'; readonly which: number; readonly group: number }
  | { readonly do: 'restart'; readonly party: PartyName; readonly whileAnswering: boolean }
  | { readonly do: 'wait a day' };

/** A party is away from this call of the count on, until the other has withheld what is overdue. */
interface Away {
  readonly fromCall: number;
  readonly party: PartyName;
}

interface Scenario {
  /** How many answer well in each group, to begin with. */
  readonly groups: readonly number[];
  readonly by: 'guardian' | 'both';
  readonly operations: readonly Operation[];
  readonly early: boolean;
  readonly planning: ReadonlyMap<number, Happening>;
  readonly counting: ReadonlyMap<number, Happening>;
  readonly away: Away | null;
}

const happenings = (calls: number, most: number) =>
  fc
    .uniqueArray(fc.tuple(fc.nat(calls - 1), fc.constantFrom(...HAPPENINGS)), {
      maxLength: most,
      selector: ([call]) => call,
    })
    .map((entries): ReadonlyMap<number, Happening> => new Map(entries));

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    do: fc.constant('answer' as const),
    group: fc.nat(2),
    people: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({
    do: fc.constant('answer wrongly' as const),
    group: fc.nat(2),
    wrong: fc.constantFrom<Wrong>('two options', 'weights 2 and −1', 'leader bit', 'helper bit'),
  }),
  fc.record({ do: fc.constant('send again' as const), which: fc.nat(30) }),
  fc.record({ do: fc.constant('withdraw' as const), which: fc.nat(30) }),
  fc.record({ do: fc.constant('take an id' as const), which: fc.nat(30), group: fc.nat(2) }),
  fc.record({
    do: fc.constant('restart' as const),
    party: fc.constantFrom(...PARTIES),
    whileAnswering: fc.boolean(),
  }),
  fc.constant({ do: 'wait a day' as const }),
);

const scenario: fc.Arbitrary<Scenario> = fc.record({
  groups: fc.array(fc.constantFrom(3, 7, 8, 9, 14, 14), { minLength: 1, maxLength: 3 }),
  by: fc.constantFrom('guardian' as const, 'both' as const),
  operations: fc.array(operation, { maxLength: 6 }),
  early: fc.boolean(),
  planning: happenings(4, 2),
  counting: happenings(14, 5),
  away: fc.option(fc.record({ fromCall: fc.nat(9), party: fc.constantFrom(...PARTIES) }), {
    freq: 2,
  }),
});

/** Plays one scenario from the plan to the signed list, with every invariant. */
async function play(world: World, number: number, given: Scenario): Promise<readonly string[]> {
  const { parties } = world;
  // No two of them within the twelve months of the account.
  const start = Math.floor(parties.clock.now() / DAY_MS) + 366;
  const sheet = testSheet({ noise: TEST_NOISE[given.by] });
  const drawnBefore = world.noise.draws(varianceOf(sheet), ELEMENTS).length;
  let round: TestRound | undefined;
  let awayFrom = Number.POSITIVE_INFINITY;
  let calls = 0;
  const awaited = { overdue: false };
  world.onCall = async (call, from) => {
    checkShown(world, round);
    if (call === 'reveal' && from === 'employer' && round !== undefined) {
      await checkPageHides(world, number);
    }
    if (calls++ >= awayFrom) awaited.overdue = true;
  };

  parties.employer.importRoster(testPeople(given.groups.map(() => ROSTER)));
  const sheetHash = await approveTestSheet(parties, sheet);
  world.disturb(given.planning);
  parties.clock.advance((start - 1) * DAY_MS);
  const hash = await planUntilSigned(world, { number, days: { start, duration: 7 }, sheetHash });
  await world.answering();
  round = await readTestRound(parties, hash, sheet);
  parties.clock.advance(start * DAY_MS);
  await until(() => roundState(world, 'guardian', number) === 'open');

  const voters = new Voters(world, round);
  for (const [group, people] of given.groups.entries()) await voters.answer(group, people);
  for (const one of given.operations) await voters.do(one, given.groups.length);
  await world.settled();

  world.disturb(given.counting);
  calls = 0;
  awayFrom = given.away?.fromCall ?? awayFrom;
  if (given.early) await closeEarly(world, number);
  else parties.clock.advance((start + 7) * DAY_MS);
  let overdue = false;
  await until(async () => {
    await world.settled();
    if (awaited.overdue && given.away !== null) {
      awayFrom = Number.POSITIVE_INFINITY;
      awaited.overdue = false;
      if (await passDeadlineWithout(world, given.away.party, number)) overdue = true;
    }
    return isFinished(world, number);
  }, ROUND_LIMIT_MS);
  world.disturb(new Map());
  world.onCall = () => {};
  await world.answering();
  return checkRound(world, { round, sent: voters.sent, overdue, drawnBefore });
}

/** 6, where people look: the employer has the totals and not yet the guardian's signature. */
async function checkPageHides({ parties, look }: World, number: number): Promise<void> {
  const waiting = look.employer
    .prepare<[], number>(
      `SELECT group_index FROM results JOIN tasks USING (task_id)
       WHERE guardian_signature IS NULL`,
    )
    .pluck()
    .get();
  if (waiting === undefined) return;
  const headers = { cookie: staffCookie(parties, 'employer', 'admin') };
  const url = `${parties.urls.employer}/trends/groups/${waiting}`;
  const page = await fetch(url, { headers }).catch(() => null);
  if (page === null) return; // it is restarting
  expect(await page.text()).toContain(`Round ${number} is closed and this group is being counted`);
}

class Voters {
  readonly sent: Sent[] = [];
  readonly #bytes = new Map<string, Uint8Array>();
  /** Of those whose people have kept it. */
  readonly #seeds = new Map<string, Secret<Uint8Array>>();
  readonly #world: World;
  readonly #round: TestRound;

  constructor(world: World, round: TestRound) {
    this.#world = world;
    this.#round = round;
  }

  async do(one: Operation, groups: number): Promise<void> {
    const { parties } = this.#world;
    switch (one.do) {
      case 'answer':
        return this.answer(one.group % groups, one.people);
      case 'answer wrongly':
        return this.#wrongly(one.group % groups, one.wrong);
      case 'send again': {
        const earlier = this.sent[one.which % this.sent.length];
        if (earlier?.upload !== 'acknowledged' && earlier?.upload !== 'withdrawn') return;
        const answer = await this.#upload(earlier.group, this.#bytes.get(earlier.id));
        expect(answer).toBe(earlier.upload === 'withdrawn' ? 'refused' : 'acknowledged');
        return;
      }
      case 'withdraw':
        return this.#withdraw(one.which % this.sent.length);
      case 'take an id': {
        const earlier = this.sent[one.which % this.sent.length];
        if (earlier?.upload !== 'acknowledged' && earlier?.upload !== 'withdrawn') return;
        const { report } = cheatingReport(this.#task(one.group % groups), {
          reportId: Buffer.from(earlier.id, 'hex'),
        });
        expect(await this.#upload(one.group % groups, report)).toBe('refused');
        return;
      }
      case 'restart': {
        const answering = one.whileAnswering ? this.answer(0, 4, 1) : Promise.resolve();
        await Promise.all([parties.restart(one.party), answering]);
        return;
      }
      case 'wait a day':
        // At most six of them: the round is open for seven days.
        parties.clock.advance(parties.clock.now() + DAY_MS);
        return;
    }
  }

  async answer(group: number, people: number, tries = TRIES): Promise<void> {
    await Promise.all(
      Array.from({ length: people }, async (_, i) => {
        const answer = [(this.sent.length + i) % 4, (group + i) % 3];
        const seed = new Secret(systemRandomness(32));
        const { report, reportId } = sealed(this.#task(group), answer, seed);
        this.#seeds.set(toHex(reportId), seed);
        await this.#send({ id: toHex(reportId), group, answer, fault: null }, report, tries);
      }),
    );
  }

  async #wrongly(group: number, wrong: Wrong): Promise<void> {
    const bit = { leader: 'guardian', helper: 'employer' } as const;
    const role = wrong === 'leader bit' ? 'leader' : 'helper';
    const { report, reportId } = cheatingReport(
      this.#task(group),
      wrong === 'two options'
        ? { vector: [1n, 1n, 0n, 0n, 1n, 0n, 0n, 0n] }
        : wrong === 'weights 2 and −1'
          ? { vector: [2n, -1n, 0n, 0n, 1n, 0n, 0n, 0n] }
          : {
              sealed: {
                [role]: (ciphertext: { payload: Uint8Array }) => ({
                  ...ciphertext,
                  payload: flipped(ciphertext.payload, 99),
                }),
              },
            },
    );
    const fault = wrong.endsWith('bit')
      ? { party: bit[role], error: 'hpke_decrypt_error' }
      : { party: 'employer' as const, error: 'vdaf_verify_error' };
    await this.#send({ id: toHex(reportId), group, answer: [], fault }, report);
  }

  async #send(report: Omit<Sent, 'upload'>, bytes: Uint8Array, tries = TRIES): Promise<void> {
    expect(toHex(decodeReport(bytes).metadata.reportId)).toBe(report.id);
    this.#bytes.set(report.id, bytes);
    this.sent.push({ ...report, upload: await this.#upload(report.group, bytes, tries) });
  }

  /** Somebody takes an answer back; where the connection breaks, again. */
  async #withdraw(which: number): Promise<void> {
    const earlier = this.sent[which];
    const seed = this.#seeds.get(earlier?.id ?? '');
    if (earlier === undefined || seed === undefined) return;
    if (earlier.upload !== 'acknowledged' && earlier.upload !== 'withdrawn') return;
    const { taskId } = this.#task(earlier.group);
    const reportId = Buffer.from(earlier.id, 'hex');
    const path = `/tasks/${toBase64url(taskId)}/reports/${toBase64url(reportId)}/withdrawal`;
    const signature = toBase64url(sign(seed, 'chorus withdraw v1', taskId, reportId));
    let status = 0;
    for (let i = 0; i < TRIES && status === 0; i++) {
      status = await fetch(`${this.#world.parties.urls.guardian}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ signature }),
      }).then(
        (response) => response.status,
        () => 0,
      );
    }
    expect(status).toBe(204);
    this.sent[which] = { ...earlier, upload: 'withdrawn' };
  }

  /** A person whose connection breaks presses the button again: the same bytes. */
  async #upload(
    group: number,
    bytes: Uint8Array | undefined,
    tries = TRIES,
  ): Promise<Sent['upload']> {
    for (let i = 0; i < tries; i++) {
      try {
        const error = await upload(this.#world.parties, this.#task(group), bytes as Uint8Array);
        return error === undefined ? 'acknowledged' : 'refused';
      } catch {
        // Not answered.
      }
    }
    return 'not known';
  }

  #task(group: number) {
    return this.#round.tasks[group] as TestRound['tasks'][number];
  }
}

function roundState({ look }: World, party: PartyName, number: number): unknown {
  return look[party].prepare('SELECT state FROM rounds WHERE number = ?').pluck().get(number);
}

function isFinished({ look }: World, number: number): boolean {
  return PARTIES.every(
    (party) =>
      look[party]
        .prepare('SELECT list_employer_signature FROM rounds WHERE number = ?')
        .pluck()
        .get(number) !== null,
  );
}

/** Somebody presses the button until the round is closed. */
async function closeEarly(world: World, number: number): Promise<void> {
  const { guardian } = world.parties.urls;
  await until(async () => {
    const headers = {
      origin: guardian,
      'sec-fetch-site': 'same-origin',
      cookie: staffCookie(world.parties, 'guardian', 'guardian'),
    };
    await fetch(`${guardian}/evaluation/close-round`, {
      method: 'POST',
      redirect: 'manual',
      headers,
    }).catch(() => {});
    await world.settled();
    return roundState(world, 'guardian', number) === 'closed';
  });
}

/**
 * One party is away while the deadline passes: the other withholds by its own clock what is not
 * noised. Not if the guardian's result has left and not arrived, which ends otherwise: it is owed a
 * reveal (see away.test.ts).
 */
async function passDeadlineWithout(
  world: World,
  away: PartyName,
  number: number,
): Promise<boolean> {
  const { parties, look } = world;
  world.disturb(new Map());
  await world.settled();
  await parties.stop(away);
  const underWay = look.employer
    .prepare<[], Buffer>(`SELECT task_id FROM tasks WHERE state = 'sealed'`)
    .pluck()
    .all();
  const left = look.guardian
    .prepare<[], Buffer>('SELECT task_id FROM collection_jobs WHERE handed_out = 1')
    .pluck()
    .all();
  const passes = !left.some((taskId) => underWay.some((sealedTask) => sealedTask.equals(taskId)));
  if (passes) {
    parties.clock.advance(parties.clock.now() + DEADLINE_DAYS * DAY_MS);
    const other = away === 'guardian' ? 'employer' : 'guardian';
    const undecided = look[other]
      .prepare(
        `SELECT COUNT(*) FROM tasks JOIN rounds USING (manifest_hash)
         WHERE number = ? AND tasks.state IN ('boxed', 'counting', 'sealed')`,
      )
      .pluck();
    await until(() => undecided.get(number) === 0);
  }
  await parties.start(away);
  return passes;
}

let world: World;
let rounds = 0;

beforeAll(async () => {
  world = await startWorld();
  for (const party of PARTIES) watchStates(world.look[party]);
});

afterAll(() => world.close());

const calm: Scenario = {
  groups: [14, 8],
  by: 'guardian',
  operations: [],
  early: false,
  planning: new Map(),
  counting: new Map(),
  away: null,
};

describe('a round', () => {
  test('in which nothing happens releases every group', async () => {
    expect(await play(world, ++rounds, calm)).toEqual(['confirmed', 'confirmed']);
  });

  test('in which both parties add noise releases sent + noise + noise', async () => {
    const states = await play(world, ++rounds, { ...calm, by: 'both' });
    expect(states).toEqual(['confirmed', 'confirmed']);
  });

  test('of 450 reports in one group is counted in two lots', async () => {
    const counting = new Map<number, Happening>([
      [1, 'the reply is lost'],
      [2, 'the caller restarts, the reply is lost'],
      [4, 'it is sent twice at once'],
    ]);
    expect(await play(world, ++rounds, { ...calm, groups: [450], counting })).toEqual([
      'confirmed',
    ]);
    const lots = world.look.guardian.prepare('SELECT MAX(lots) FROM tasks').pluck().get();
    expect(lots).toBe(2);
  }, 60_000);

  test('ends as it must, whatever happens', async () => {
    const seed = Number(process.env.CHORUS_TEST_SEED ?? 20_260_722);
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        await play(world, ++rounds, given);
      }),
      { seed, numRuns: Number(process.env.CHORUS_TEST_RUNS ?? 16), endOnFailure: true },
    );
  }, 180_000);
});
