import type { Sheet } from '../../crypto/sheet.ts';
import { type AccountEntry, rhoWords, shortageOf, shortageWords, standingOn } from './account.ts';
import { expectedForms, type Form } from './gate.ts';
import {
  guessChance,
  LIGHT_WORDS,
  PRESETS,
  type Preset,
  presetNoise,
  ROUNDS_A_YEAR,
  roundCost,
  TERMS,
  wholeAccount,
} from './noise-presets.ts';
import { growTree, type OrgNode, type OrgTree, type UnitSize } from './org.ts';
import { PlanError } from './plan-error.ts';
import { sureToReach } from './plan-size.ts';
import { type Group, type Plan, planning } from './planner.ts';
import { smallestGroup } from './round-groups.ts';
import { nextRound } from './schedule.ts';
import type { Turns } from './turns.ts';

/**
 * What a survey would show before anybody is asked: its groups under each preset, and what each of
 * them would read as if as many answered as are expected. From sizes alone, never from an answer.
 */

/** How a group's figures would be shown if as many answered as are expected. */
export interface ExpectedForms {
  readonly share: Form;
  readonly mean: Form;
}

/** What one unit would be under one preset. */
export type PreviewCell =
  | ({
      readonly state: 'group';
      /** Where the same unit is left with other people under this preset: what it is called then. */
      readonly as: { readonly name: string; readonly people: number } | null;
    } & ExpectedForms)
  /** Its units are groups of their own. */
  | { readonly state: 'finer' }
  /** Too small for a group of its own: its people are in this one. */
  | { readonly state: 'too small'; readonly within: string }
  /** The whole company is. */
  | { readonly state: 'no group' };

export interface PreviewRow {
  readonly name: string;
  readonly department: string;
  /** People on the roster. */
  readonly people: number;
  /** How many of them are expected to answer. */
  readonly expected: number;
  /** One for each preset, in their order. */
  readonly cells: readonly PreviewCell[];
}

/** How many groups would show their figures in which form. */
export interface FormCounts {
  readonly groups: number;
  readonly share: Readonly<Record<Form, number>>;
  readonly mean: Readonly<Record<Form, number>>;
}

export interface PresetPreview extends FormCounts {
  readonly preset: Preset;
  readonly name: string;
  /** Whether the sheet has it. */
  readonly chosen: boolean;
  /** σ², in answers². */
  readonly variance: number;
  readonly by: Sheet['noise']['by'];
  /** People of the smallest group. */
  readonly smallest: number;
  /** Why there would be no group, or null. */
  readonly refusal: string | null;
  /** ρ of one round, and of twelve months together with what counts already. */
  readonly roundCost: string;
  readonly accountAfter: string;
  /** Why the year's rounds have no room, in words, or null. */
  readonly shortage: string | null;
  /** The chance of guessing one answer, in percent: after one round, and after a year of them. */
  readonly guess: { readonly once: number; readonly year: number };
  readonly warning: string | null;
}

/** The same roster in finer or coarser groups, with the noise of the sheet. */
export interface Coarseness extends FormCounts {
  readonly name: string;
  readonly smallest: number;
  readonly planned: boolean;
}

export interface Preview {
  readonly people: number;
  readonly presets: readonly PresetPreview[];
  readonly rows: readonly PreviewRow[];
  readonly coarseness: readonly Coarseness[];
}

/**
 * @param account what counts already, with the rounds that this sheet has had
 * @param today day since 1970-01-01: what is looked at is a year of the sheet's rounds from here on
 * @param lastStart first day of the newest round of this sheet, or undefined if it has none
 */
export function* previewing(
  sheet: Sheet,
  units: readonly UnitSize[],
  account: readonly AccountEntry[],
  today: number,
  lastStart?: number,
): Turns<Preview> {
  const tree = yield* growTree(units, sheet.notice.employer);
  const people = tree.nodes[0]?.size ?? 0;
  const plans: (Plan | undefined)[] = [];
  const presets: PresetPreview[] = [];
  const variants = PRESETS.map((preset) => withPreset(sheet, preset));
  const starts = yearOfStarts(sheet, today, lastStart);
  for (const variant of variants) {
    yield;
    const { plan, refusal } = yield* planOrRefusal(tree, smallestGroup(variant));
    plans.push(plan);
    presets.push({
      ...presetPreview(variant, variant === sheet, account, starts, today),
      ...countForms(variant, plan?.groups ?? []),
      refusal,
    });
  }
  yield;
  const coarseness: Coarseness[] = [];
  for (const { name, smallest } of sizes(sheet)) {
    yield;
    const { plan } = yield* planOrRefusal(tree, smallest);
    const planned = smallest === smallestGroup(sheet);
    coarseness.push({ name, smallest, planned, ...countForms(sheet, plan?.groups ?? []) });
  }
  return { people, presets, rows: yield* rowsOf(sheet, variants, tree, plans), coarseness };
}

/** The sheet with another preset: all of its account, unless it is the sheet's own. */
function withPreset(sheet: Sheet, preset: Preset): Sheet {
  if (sheet.noise.preset === preset) return sheet;
  const blocks = sheet.questions.length + sheet.derived.length;
  return { ...sheet, noise: presetNoise(preset, wholeAccount(preset), blocks, sheet.cadence) };
}

function* planOrRefusal(
  tree: OrgTree,
  smallest: number,
): Turns<{ readonly plan: Plan | undefined; readonly refusal: string | null }> {
  try {
    return { plan: yield* planning(tree, smallest), refusal: null };
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return { plan: undefined, refusal: error.message };
  }
}

/** The first days of the rounds that the sheet's schedule still gives, for a year at most. */
function yearOfStarts(sheet: Sheet, today: number, lastStart: number | undefined): number[] {
  const starts: number[] = [];
  while (starts.length < ROUNDS_A_YEAR[sheet.cadence]) {
    const next = nextRound(sheet, starts.at(-1) ?? lastStart, today);
    if (next === undefined) break;
    starts.push(next.start);
  }
  return starts;
}

function presetPreview(
  sheet: Sheet,
  chosen: boolean,
  account: readonly AccountEntry[],
  starts: readonly number[],
  today: number,
): Omit<PresetPreview, keyof FormCounts | 'refusal'> {
  const { preset, variance, by } = sheet.noise;
  const sigma2 = variance.numerator / variance.denominator;
  const rounds = ROUNDS_A_YEAR[sheet.cadence];
  const year: AccountEntry[] = [];
  let shortage: string | null = null;
  for (const [i, firstDay] of starts.entries()) {
    const entry = { round: -1 - i, firstDay, cost: roundCost(sheet), preset };
    const lacking = shortage === null ? shortageOf([...account, ...year], entry) : undefined;
    if (lacking !== undefined) shortage = shortageWords(lacking);
    year.push(entry);
  }
  const after = standingOn([...account, ...year], starts.at(-1) ?? today);
  const percent = (chance: number) => Math.round(100 * chance);
  return {
    preset,
    name: TERMS[preset].name,
    chosen,
    variance: sigma2,
    by,
    smallest: smallestGroup(sheet),
    roundCost: rhoWords(roundCost(sheet)),
    accountAfter:
      after.cap === undefined
        ? `${rhoWords(after.sum)}, without a cap`
        : `${rhoWords(after.sum)} of ${rhoWords(after.cap)}`,
    shortage,
    guess: {
      once: percent(guessChance(sigma2, 1)),
      year: percent(guessChance(sigma2, rounds)),
    },
    warning: preset === 'light' ? LIGHT_WORDS : null,
  };
}

/** How many of these people are expected to answer. */
function expectedOf(sheet: Sheet, people: number): number {
  return Math.floor((people * sheet.response_percent) / 100);
}

/** What a group of this size would read as. */
function formsOf(sheet: Sheet, people: number): ExpectedForms {
  return expectedForms(sheet, expectedOf(sheet, people), people);
}

function countForms(sheet: Sheet, groups: readonly Group[]): FormCounts {
  const share = { number: 0, band: 0, 'too noisy': 0 };
  const mean = { number: 0, band: 0, 'too noisy': 0 };
  for (const { rosterSize } of groups) {
    const forms = formsOf(sheet, rosterSize);
    share[forms.share]++;
    mean[forms.mean]++;
  }
  return { groups: groups.length, share, mean };
}

/** Every unit that is a group under some preset, in the order of the tree. */
function* rowsOf(
  sheet: Sheet,
  variants: readonly Sheet[],
  tree: OrgTree,
  plans: readonly (Plan | undefined)[],
): Turns<PreviewRow[]> {
  const byNode = plans.map((plan) => new Map(plan?.groups.map((group) => [group.node, group])));
  const nodes = new Set(byNode.flatMap((groups) => [...groups.keys()]));
  const rows: PreviewRow[] = [];
  for (const node of [...nodes].sort((a, b) => a - b)) {
    yield;
    const own = byNode.map((groups) => groups.get(node));
    const group = own[variants.indexOf(sheet)] ?? own.find((g) => g !== undefined);
    const { name, department, rosterSize } = group as Group;
    rows.push({
      name,
      department,
      people: rosterSize,
      expected: expectedOf(sheet, rosterSize),
      cells: plans.map((plan, i): PreviewCell => {
        if (plan === undefined) return { state: 'no group' };
        const here = own[i];
        if (here !== undefined) {
          const same = here.name === name && here.rosterSize === rosterSize;
          return {
            state: 'group',
            as: same ? null : { name: here.name, people: here.rosterSize },
            ...formsOf(variants[i] as Sheet, here.rosterSize),
          };
        }
        // A subtree is one run of ids, and groups are in their order: the next one tells.
        const next = plan.groups.find((group) => group.node > node);
        if (next !== undefined && isBelow(tree, next.node, node)) return { state: 'finer' };
        return { state: 'too small', within: nameAbove(tree, plan, node) };
      }),
    });
  }
  return rows;
}

/** Whether a node is under a node with a lower id. */
function isBelow(tree: OrgTree, node: number, above: number): boolean {
  let at = node;
  while (at > above) at = tree.nodes[at]?.parent ?? -1;
  return at === above;
}

/** The name of the group that the people of this node are in. */
function nameAbove(tree: OrgTree, plan: Plan, node: number): string {
  let at = node;
  while (plan.groups[plan.groupOf[at] ?? -1] === undefined) at = (tree.nodes[at] as OrgNode).parent;
  return (plan.groups[plan.groupOf[at] as number] as Group).name;
}

/** People of the smallest group, in three ways to choose it: rising. */
function sizes(sheet: Sheet): { name: string; smallest: number }[] {
  const planned = smallestGroup(sheet);
  const response = sheet.response_percent / 100;
  const least = sureToReach(sheet.k, response);
  let numbers = planned;
  while (formsOf(sheet, numbers).share !== 'number' && numbers < 1_000_000) {
    numbers = Math.ceil(numbers * 1.1);
  }
  return [
    ...(least < planned
      ? [{ name: 'Finer: large enough to reach the minimum', smallest: least }]
      : []),
    { name: 'As planned: large enough for a band', smallest: planned },
    { name: 'Coarser: large enough for a share as a number', smallest: numbers },
  ];
}
