import { canonicalJson } from '../../crypto/canonical.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { DAY_MS } from '../../server/domain/days.ts';
import { encodePublished } from '../../server/domain/published.ts';
import { systemRandomness } from '../../server/party.ts';
import { type Stores, transact } from '../../server/storage/stores.ts';
import type { Needles } from './needles.ts';
import { testSheet } from './parties.ts';

/** A finished round, put straight into the stores. */
export interface FinishedRound {
  readonly number: number;
  /** Day of its close. */
  readonly closes: number;
  readonly trendsDays?: number;
  readonly groups?: number;
}

/**
 * Puts a round into a party's stores as it is once its list is signed.
 * @param needles learns the totals under `totals N`, the list under `list N`, the groups' names
 * under `groups N`
 * @returns the hash of its sheet
 */
export function insertFinished(stores: Stores, round: FinishedRound, needles?: Needles): Buffer {
  return transact(stores.db, () => insertAll(stores, round, needles));
}

function insertAll(stores: Stores, round: FinishedRound, needles?: Needles): Buffer {
  const { number, closes, trendsDays = 400, groups = 6 } = round;
  const sheet = testSheet({ title: `Kept ${trendsDays}`, retention: { trends_days: trendsDays } });
  const bytes = canonicalJson(sheet);
  const sheetHash = Buffer.from(sha256(bytes));
  if (stores.sheets.withHash(sheetHash) === undefined) {
    stores.sheets.insert(sheetHash, bytes, 'submitted', 0);
    stores.sheets.approve(sheetHash, new Uint8Array(64), 0);
  }
  const manifestHash = Buffer.from(systemRandomness(32));
  stores.rounds.insert({
    manifestHash,
    number,
    sheetHash,
    head: canonicalJson({ number }),
    guardianSignature: new Uint8Array(64),
    employerSignature: new Uint8Array(64),
    opensMs: (closes - 7) * DAY_MS,
    closesMs: closes * DAY_MS,
    deadlineMs: (closes + 7) * DAY_MS,
  });
  stores.rounds.move(manifestHash, 'planned', 'open');
  stores.rounds.move(manifestHash, 'open', 'closed');
  for (let groupIndex = 0; groupIndex < groups; groupIndex++) {
    const taskId = Buffer.from(systemRandomness(32));
    const groupName = `Group ${number} ${Buffer.from(systemRandomness(12)).toString('hex')}`;
    needles?.add(`groups ${number}`, Buffer.from(groupName));
    needles?.add(`groups ${number}`, taskId);
    stores.tasks.insert({
      taskId,
      manifestHash,
      groupIndex,
      groupName,
      department: 'All',
      rosterSize: 20,
      entry: systemRandomness(100),
      configuration: systemRandomness(100),
    });
    stores.tasks.admit(taskId);
    for (const [from, to] of [
      ['boxed', 'counting'],
      ['counting', 'sealed'],
      ['sealed', 'noised'],
      ['noised', 'confirmed'],
    ] as const) {
      stores.tasks.move(taskId, from, to);
    }
    const totals = Array.from(systemRandomness(200));
    const published = encodePublished(taskId, { count: 10, totals });
    const signature = systemRandomness(64);
    // Eight characters of a list of numbers stand in others too.
    needles?.add(`totals ${number}`, published.subarray(-60), 24);
    needles?.add(`totals ${number}`, signature);
    stores.results.insert(taskId, published, signature, systemRandomness(64));
  }
  const slices = Array.from({ length: 256 }, () => systemRandomness(48));
  for (const slice of slices) needles?.add(`list ${number}`, slice);
  stores.rounds.insertSlices(manifestHash, slices);
  stores.rounds.setList(manifestHash, new Uint8Array(32), new Uint8Array(64), new Uint8Array(64));
  return sheetHash;
}
