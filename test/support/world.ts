import { PeerAway } from '../../server/peer/client.ts';
import type { Database } from '../../server/storage/database.ts';
import { startTwoParties, type TwoParties, until } from './parties.ts';
import {
  type Call,
  callOf,
  otherParty,
  PARTIES,
  type PartyName,
  recordedRandomness,
} from './rounds.ts';

/** What may happen to one call between the parties. */
export const HAPPENINGS = [
  'the request is lost',
  'the reply is lost',
  'the caller restarts, the request is lost',
  'the caller restarts, the reply is lost',
  'the callee restarts, the request is lost',
  'the callee restarts, the reply is lost',
  'it is sent twice at once',
  'it is sent once more',
  'an earlier call comes again before it',
  'a day passes',
] as const;
export type Happening = (typeof HAPPENINGS)[number];

/** A call that reached the other party, as it was. */
interface Recorded {
  readonly url: string;
  readonly init: RequestInit;
  readonly call: Call;
  reply: Uint8Array | undefined;
}

/** Two parties whose calls are counted, disturbed and recorded, and whose noise is known. */
export interface World {
  readonly parties: TwoParties;
  readonly noise: ReturnType<typeof recordedRandomness>;
  /** Second connections, to look. */
  readonly look: Readonly<Record<PartyName, Database>>;
  /** What happens at the n-th call from now on. */
  disturb(happenings: ReadonlyMap<number, Happening>): void;
  /** Called before each call. What it throws, `settled` throws again. */
  onCall: (call: Call, from: PartyName) => void | Promise<void>;
  /** Whether anything was restarted since `disturb`. */
  restarted(): boolean;
  /** Resolves when no restart or repeated call is under way. @throws what a hook threw */
  settled(): Promise<void>;
  /** `settled`, and both parties answer. */
  answering(): Promise<void>;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;

export async function startWorld(): Promise<World> {
  const noise = recordedRandomness();
  const parties = await startTwoParties({ randomness: noise.randomness });
  const look = { guardian: parties.database('guardian'), employer: parties.database('employer') };
  const recorded: Recorded[] = [];
  const faults: unknown[] = [];
  let plan: ReadonlyMap<number, Happening> = new Map();
  let calls = 0;
  let restarts = 0;
  let under: Promise<unknown> = Promise.resolve();

  const later = (work: () => Promise<unknown>) => {
    under = under.then(work).catch((error) => faults.push(error));
  };
  const restart = (party: PartyName) => {
    restarts++;
    later(() => parties.restart(party));
  };
  /** The same call again: what was answered well is answered alike, and nothing fails. */
  const again = async ({ url, init, call, reply }: Recorded) => {
    let response: Response;
    let bytes: Uint8Array;
    try {
      response = await fetch(url, { ...init, signal: AbortSignal.timeout(5000) });
      bytes = new Uint8Array(await response.arrayBuffer());
    } catch {
      return; // the other party is restarting
    }
    if (response.status >= 500) {
      faults.push(new Error(`${call} again was answered ${response.status}`));
    }
    // A collection job is first answered empty, keys only until the manifest is signed; a sheet is
    // submitted first and approved then.
    const same =
      reply === undefined ||
      reply.length === 0 ||
      call === 'sheet' ||
      Buffer.compare(bytes, reply) === 0;
    if (response.ok && !same) faults.push(new Error(`${call} again was answered otherwise`));
  };

  for (const party of PARTIES) {
    const wire = parties.wires[party];
    const underWay = new Map<string, { happening: Happening | undefined; record: Recorded }>();
    const guarded = async (work: () => void | Promise<void>) => {
      try {
        await work();
      } catch (error) {
        faults.push(error);
      }
    };
    wire.before = async (url, init) => {
      const call = callOf(url);
      const happening = plan.get(calls++);
      await guarded(() => world.onCall(call, party));
      if (happening === 'an earlier call comes again before it') {
        const one = recorded[(calls * 7919) % Math.max(1, recorded.length)];
        if (one !== undefined) await again(one);
      }
      if (happening === 'a day passes') parties.clock.advance(parties.clock.now() + 24 * HOUR_MS);
      if (happening === 'the caller restarts, the request is lost') restart(party);
      if (happening === 'the callee restarts, the request is lost') restart(otherParty(party));
      if (happening?.endsWith('request is lost')) throw new Error('cut');
      const record: Recorded = { url, init: init ?? {}, call, reply: undefined };
      recorded.push(record);
      underWay.set(url, { happening, record });
      if (happening === 'it is sent twice at once') {
        const twin = again(record);
        later(() => twin);
      }
    };
    wire.after = async (url, response) => {
      const { happening, record } = underWay.get(url) as NonNullable<
        ReturnType<typeof underWay.get>
      >;
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (response.ok) record.reply = bytes;
      if (happening === 'it is sent once more') await again(record);
      if (happening === 'the caller restarts, the reply is lost') restart(party);
      if (happening === 'the callee restarts, the reply is lost') restart(otherParty(party));
      if (happening?.endsWith('reply is lost')) throw new Error('cut');
      const { status, headers } = response;
      return new Response(status === 204 ? null : bytes, { status, headers });
    };
  }

  const world: World = {
    parties,
    noise,
    look,
    onCall: () => {},
    disturb(happenings) {
      plan = happenings;
      calls = 0;
      restarts = 0;
    },
    restarted: () => restarts > 0,
    async settled() {
      await under;
      const [fault] = faults.splice(0);
      if (fault !== undefined) throw fault;
    },
    async answering() {
      await world.settled();
      // A connection kept from before a restart breaks once; the next one is fresh.
      const answers = (url: string) => fetch(`${url}/health`).then(({ ok }) => ok);
      await until(() => answers(parties.urls.guardian).catch(() => false));
      await until(() => answers(parties.urls.employer).catch(() => false));
    },
    async close() {
      for (const party of PARTIES) look[party].close();
      await parties.close();
    },
  };
  return world;
}

/** Plans a round, again and again until nothing is lost on the way. */
export async function planUntilSigned(
  world: World,
  plan: Parameters<TwoParties['guardian']['plan']>[0],
): Promise<Uint8Array> {
  for (;;) {
    try {
      return await world.parties.guardian.plan(plan);
    } catch (error) {
      if (!(error instanceof PeerAway || world.restarted())) throw error;
      await world.settled();
    }
  }
}
