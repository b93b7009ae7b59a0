import { randomInt } from 'node:crypto';
import { toBase64url } from '../../../crypto/bytes.ts';
import { type BuiltReport, buildReport } from '../../../crypto/dap/report.ts';
import { decodeReport } from '../../../crypto/dap/upload.ts';
import { Secret } from '../../../crypto/secret.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import { signingPublicKey } from '../../../crypto/signing.ts';
import { blindToken, finalizeToken } from '../../../crypto/token.ts';
import { tokenKeyId } from '../../../crypto/token-key.ts';
import { checkPublicPart } from '../../../server/aggregator/check.ts';
import { DAY_MS } from '../../../server/domain/days.ts';
import { openEmployer } from '../../../server/employer/employer.ts';
import { TokenIssuing } from '../../../server/employer/issue.ts';
import type { EmployerParts } from '../../../server/employer/parts.ts';
import { castBallot } from '../../../server/guardian/ballot.ts';
import { openGuardian } from '../../../server/guardian/guardian.ts';
import type { GuardianParts } from '../../../server/guardian/parts.ts';
import type { MailMessage } from '../../../server/mail/mailer.ts';
import { systemRandomness } from '../../../server/party.ts';
import { type Evidence, seize } from '../../support/evidence.ts';
import { postToken, signatureOf } from '../../support/invitations.ts';
import {
  closeTestRound,
  finished,
  openTestRound,
  standing,
  startTwoParties,
  type TestRound,
  type TwoParties,
  type testSheet,
  until,
  upload,
} from '../../support/parties.ts';
import type { TestTask } from '../../support/test-tokens.ts';
import type { Game, Truth } from './attacker.ts';
import { drawVisit, type Visit } from './live.ts';

/*
 * Simulated rounds over the real code and files of both parties. Each reporting group of a manifest
 * is one round of the game: it has its own people, its own token key and its own reports, and nobody
 * could have sent a report of another group, so no guess in one says anything on another. Groups of
 * one manifest share files, which is how it is in a company, and gives an attacker more to go by than
 * a round alone would: other people's writes lie between those of a group. Rounds follow one another
 * in the same two databases.
 *
 * People go on from their invitations and submit when `drawVisit` says, all groups interleaved, one
 * write at a time: a party that is as idle as can be leaves the clearest traces. Who goes on, and in
 * which order, has nothing to do with anything on a disk. Every tenth of these goes over HTTP; the
 * others call what its handlers call, since what comes before writes nothing.
 */

/** The smallest group that is planned with this sheet; all of them are that large. */
const PEOPLE = 23;
/** How many fetch a token; all but one of them submit. */
const GOING_ON = { released: 9, withheld: 6 };
/** One group in so many has enough reports to be released: sealing takes longest. */
const RELEASED_ONE_IN = 4;
/** One request in so many goes over HTTP. */
const HTTP_ONE_IN = 10;

export type Moment =
  /** Between two writes of the open round: some upload of a group was the last write. */
  | 'open'
  /** The round's last moment. */
  | 'full'
  /** Closed: lots are drawn, most reports still boxed. */
  | 'counting'
  /** Every group sealed and released, or withheld; the list is signed. */
  | 'released';

export interface Shot {
  readonly moment: Moment;
  /** Of which manifest, from 1. */
  readonly manifest: number;
  readonly evidence: Evidence;
  readonly games: readonly { readonly game: Game; readonly truth: Truth }[];
}

/** When the people of one group came, as both servers saw it. */
export interface Times {
  readonly fetchedMs: readonly number[];
  readonly submittedMs: readonly number[];
  readonly senders: readonly number[];
}

export interface Simulation {
  /** How many manifests, one after another. */
  readonly manifests: number;
  /** Groups of each. */
  readonly groups: number;
  /** Whether rounds are closed and counted, or given up while they are open. */
  readonly closed: boolean;
  /** Given every moment at which the disks are copied. */
  readonly onShot: (shot: Shot) => void;
  /** Given every group's times at the end of the open round. */
  readonly onTimes?: (times: Times) => void;
  /** Called with the open parties before the first round, to make them leak. */
  readonly prepare?: (employer: EmployerParts, guardian: GuardianParts) => void;
}

/** Somebody who goes on from their invitation. */
interface Person extends Visit {
  readonly email: string;
  readonly code: Uint8Array;
  /** Whether they submit in the end. */
  readonly submits: boolean;
  hasToken: boolean;
  built: BuiltReport | undefined;
  /** How many reports of the round were in the box before theirs. */
  place: number | undefined;
}

interface Group {
  readonly task: TestTask;
  readonly people: readonly Person[];
  /** The upload of this group after which the disks are copied. */
  readonly shotAfter: number;
}

export async function simulate(simulation: Simulation): Promise<void> {
  const mails: MailMessage[] = [];
  const parties = await startTwoParties({
    mailer: { send: async (mail) => void mails.push(mail) },
  });
  const employer = await openEmployer(parties.config('employer'));
  const guardian = await openGuardian(parties.config('guardian'));
  try {
    simulation.prepare?.(employer, guardian);
    const desk = new Desk(parties, employer, guardian);
    for (let number = 1; number <= simulation.manifests; number++) {
      const sizes = Array<number>(simulation.groups).fill(PEOPLE);
      const round = await openTestRound(parties, sizes, sheetOf(number), number);
      await until(() => mails.length === number * PEOPLE * simulation.groups);
      await playRound(simulation, desk, round, mails);
    }
  } finally {
    employer.db.close();
    guardian.db.close();
    await parties.close();
  }
}

/** A sheet of its own for each round, so that no other round is planned for it. */
function sheetOf(number: number): Partial<ReturnType<typeof testSheet>> {
  return { title: `Survey ${number}` };
}

async function playRound(
  { closed, groups: count, onShot, onTimes }: Simulation,
  desk: Desk,
  round: TestRound,
  mails: readonly MailMessage[],
): Promise<void> {
  const { parties } = desk;
  const codes = parties.employer.codes(round.head.round);
  const groups = round.tasks.map((task, index): Group => {
    const invited = shuffled(codes.filter(({ groupIndex }) => groupIndex === index));
    const goingOn = index % RELEASED_ONE_IN === 0 ? GOING_ON.released : GOING_ON.withheld;
    const people = invited.slice(0, goingOn).map(
      ({ email, code }, i): Person => ({
        email,
        code,
        ...drawVisit(),
        submits: i > 0,
        hasToken: false,
        built: undefined,
        place: undefined,
      }),
    );
    return { task, people, shotAfter: randomInt(1, goingOn) };
  });
  const shoot = (moment: Moment, of: readonly Group[]) =>
    onShot({
      moment,
      manifest: round.head.round,
      evidence: seize(parties.folder, mails),
      games: of.map((g) => gameOf(g, moment)),
    });

  const opens = round.head.days.start * DAY_MS;
  let uploads = 0;
  for (const { atMs, group, person, kind } of timetable(groups)) {
    parties.clock.advance(opens + atMs);
    if (kind === 'fetch') {
      person.built = await desk.fetchToken(group.task, person);
      person.hasToken = true;
      continue;
    }
    await desk.submit(round, group.task, person.built as BuiltReport);
    person.place = uploads++;
    const sent = group.people.filter(({ place }) => place !== undefined).length;
    if (sent === group.shotAfter) shoot('open', [group]);
  }
  shoot('full', groups);
  for (const group of groups) onTimes?.(timesOf(group));
  if (!closed) return;
  closeTestRound(parties, round);
  const state = () => standing(parties, round.head.round)?.groups;
  await until(() => (state()?.counting ?? 0) > 0);
  shoot('counting', groups);
  await finished(parties, round.head.round);
  if (state()?.confirmed !== Math.ceil(count / RELEASED_ONE_IN)) {
    throw new Error('a group was not released');
  }
  shoot('released', groups);
}

/** What people ask of the two servers. */
class Desk {
  readonly parties: TwoParties;
  readonly #guardian: GuardianParts;
  readonly #issuing: TokenIssuing;
  #requests = 0;

  constructor(parties: TwoParties, employer: EmployerParts, guardian: GuardianParts) {
    this.parties = parties;
    this.#guardian = guardian;
    this.#issuing = new TokenIssuing(employer);
  }

  /** The whole way from a code to a sealed report that may be uploaded. */
  async fetchToken(task: TestTask, { code }: Person): Promise<BuiltReport> {
    const seed = new Secret(systemRandomness(32));
    const { spki, challengeHash } = task;
    const nonce = sha256(signingPublicKey(seed));
    const { request, state } = blindToken({ spki, nonce, challengeHash }, systemRandomness);
    const keyId = tokenKeyId(spki);
    const body = {
      code: toBase64url(code),
      token_key_id: toBase64url(keyId),
      request: toBase64url(request),
    };
    const signature = this.#overHttp()
      ? await signatureOf(postToken(this.parties, body))
      : await this.#issuing.issue({ code, tokenKeyId: keyId, request });
    const token = finalizeToken(state, signature);
    const answer = [randomInt(3), randomInt(3)];
    return buildReport({ ...task, token }, answer, seed, systemRandomness);
  }

  async submit(round: TestRound, task: TestTask, { report: bytes }: BuiltReport): Promise<void> {
    const refused = this.#overHttp()
      ? await upload(this.parties, task, bytes)
      : await this.#cast(round, task, bytes);
    if (refused !== undefined) throw new Error(`refused: ${refused}`);
  }

  #cast(round: TestRound, task: TestTask, bytes: Uint8Array): ReturnType<typeof castBallot> {
    const stored = this.#guardian.tasks.withId(task.taskId);
    if (stored === undefined) throw new Error('no such task');
    const context = this.#guardian.contexts.task(stored);
    const { metadata, metadataBytes, publicShare, ...report } = decodeReport(bytes);
    const credentials = checkPublicPart(context, {
      metadata,
      metadataBytes,
      publicShare,
      ...report,
    });
    if (typeof credentials === 'string') throw new Error(`refused: ${credentials}`);
    return castBallot(this.#guardian, {
      context,
      manifestHash: Buffer.from(round.hash),
      reportId: metadata.reportId,
      report: bytes,
      publicLength: metadataBytes.length + publicShare.length,
      credentials,
    });
  }

  #overHttp(): boolean {
    return this.#requests++ % HTTP_ONE_IN === 0;
  }
}

/** All that happens in an open round, in its order. */
function timetable(groups: readonly Group[]) {
  return groups
    .flatMap((group) =>
      group.people.flatMap((person) => [
        { atMs: person.fetchedMs, group, person, kind: 'fetch' as const },
        ...(person.submits
          ? [{ atMs: person.submittedMs, group, person, kind: 'submit' as const }]
          : []),
      ]),
    )
    .sort((a, b) => a.atMs - b.atMs);
}

/** A group as it stands: people by address, reports by id. */
function gameOf(group: Group, moment: Moment): Shot['games'][number] {
  const people = group.people
    .filter(({ hasToken }) => hasToken)
    .sort((a, b) => (a.email < b.email ? -1 : 1));
  const senders = people
    .filter(({ place }) => place !== undefined)
    .sort((a, b) => Buffer.compare(idOf(a), idOf(b)));
  const places = senders.map(({ place }) => place as number);
  return {
    game: {
      people: people.map(({ email, code }) => ({ email, code: toBase64url(code) })),
      reports: senders.map(({ built }) => built as BuiltReport),
    },
    truth: {
      senders: senders.map((person) => people.indexOf(person)),
      newest: moment === 'open' ? places.indexOf(Math.max(...places)) : undefined,
    },
  };
}

function timesOf({ people }: Group): Times {
  const sent = people.filter(({ submits }) => submits);
  return {
    fetchedMs: people.map(({ fetchedMs }) => fetchedMs),
    submittedMs: sent.map(({ submittedMs }) => submittedMs),
    senders: sent.map((person) => people.indexOf(person)),
  };
}

function idOf({ built }: Person): Uint8Array {
  return (built as BuiltReport).reportId;
}

/** In an order that is nobody's. */
function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
