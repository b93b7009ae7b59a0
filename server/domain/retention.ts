import { equalBytes, fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { canonicalJson, parseCanonicalJson } from '../../crypto/canonical.ts';
import { sha256 } from '../../crypto/sha256.ts';

/** What a setting says how long to keep. */
export type RetentionKind =
  | 'trends'
  | 'lists'
  | 'invitations'
  | 'counts'
  | 'mail'
  | 'sessions'
  | 'logs';

/** One retention setting: its unit is days, everywhere. */
export interface Retention {
  readonly kind: RetentionKind;
  readonly label: string;
  /** What is kept so long. */
  readonly holds: string;
  /** From when the days are counted. */
  readonly from: string;
  /** Days where nobody has set anything. */
  readonly days: number;
  /** The fewest and the most days that it may be set to. */
  readonly least: number;
  readonly most: number;
  /** What is no longer possible afterwards. */
  readonly consequence: string;
  /** Whether a survey may have a shorter one of its own. */
  readonly perSurvey: boolean;
}

const CLOSE = 'the round’s close';

/** Every retention setting, in the order in which pages show them. */
export const RETENTIONS: readonly Retention[] = [
  {
    kind: 'trends',
    label: 'Published trends',
    holds: 'released totals of each group, with both signatures',
    from: CLOSE,
    days: 3650,
    least: 30,
    most: 3650,
    consequence:
      'The round is on no page any more, and nothing can be compared with it. A survey keeps its trends no longer than its signed sheet says, whatever is set here.',
    perSurvey: true,
  },
  {
    kind: 'lists',
    label: 'Receipts’ lists',
    holds: 'the signed list of a round’s report ids, with how each ended',
    from: CLOSE,
    days: 365,
    least: 30,
    most: 1095,
    consequence: 'A receipt can no longer tell whether its answer was counted.',
    perSurvey: true,
  },
  {
    kind: 'invitations',
    label: 'Invitations',
    holds: 'how many people a round invited, reminded, and invited a second time',
    from: CLOSE,
    days: 180,
    least: 7,
    most: 730,
    consequence: 'Nobody can tell any more how many people a round invited.',
    perSurvey: true,
  },
  {
    kind: 'counts',
    label: 'Access counts',
    holds: 'how many went on from their invitation, and how many reports each group had',
    from: CLOSE,
    days: 90,
    least: 7,
    most: 730,
    consequence: 'Nobody can tell any more how many went on, or how small a withheld group was.',
    perSurvey: true,
  },
  {
    kind: 'mail',
    label: 'Mail queue',
    holds: 'mail that no mail server has taken yet: round, person and kind, no text',
    from: 'when it was queued',
    days: 14,
    least: 1,
    most: 60,
    consequence:
      'What is not sent by then is given up, and so is the note that an address was refused.',
    perSurvey: false,
  },
  {
    kind: 'sessions',
    label: 'Sign-in sessions',
    holds: 'the hash of each signed-in browser’s secret, and when it was used',
    from: 'signing in',
    days: 7,
    least: 1,
    most: 30,
    consequence: 'People with a role sign in again; a session that nobody uses ends after 8 hours.',
    perSurvey: false,
  },
  {
    kind: 'logs',
    label: 'Logs',
    holds: 'what happened at each party, the technical log, refused surveys, replaced settings',
    from: 'when it was written',
    days: 365,
    least: 30,
    most: 1095,
    consequence: 'What happened before can be looked up nowhere.',
    perSurvey: false,
  },
];

const BY_KIND = new Map(RETENTIONS.map((retention) => [retention.kind, retention]));

export function retentionOf(kind: RetentionKind): Retention {
  return BY_KIND.get(kind) as Retention;
}

/** The kind of this name, or undefined. */
export function retentionKind(name: string): RetentionKind | undefined {
  return RETENTIONS.find(({ kind }) => kind === name)?.kind;
}

/** A setting, of the installation or of one survey. */
export interface RetentionScope {
  readonly kind: RetentionKind;
  /** Hash of the survey's sheet; null for the installation. */
  readonly sheet: Uint8Array | null;
}

/** A change of a setting, as the employer asks for it and the guardian signs it. */
export interface RetentionChange extends RetentionScope {
  /** Counted by the employer from 1 on; of two for the same setting, the higher one counts. */
  readonly number: number;
  readonly days: number;
}

/** Why a number of days cannot be set. */
export class RetentionRefused extends Error {
  override readonly name = 'RetentionRefused';
}

/**
 * Refuses what may not be set, in words.
 * @param most what the scope allows, if that is less than the kind does: for a survey, what the
 * installation keeps, and for trends what its sheet says
 * @throws RetentionRefused
 */
export function checkDays(kind: RetentionKind, days: number, most?: number): void {
  const { least, most: bound, label } = retentionOf(kind);
  if (!Number.isSafeInteger(days) || days < least || days > bound) {
    throw new RetentionRefused(`${label}: enter whole days, from ${least} to ${bound}`);
  }
  if (most !== undefined && days > most) {
    throw new RetentionRefused(
      kind === 'trends'
        ? `${label}: this survey keeps at most ${most} days, by its signed sheet or the installation’s setting; for more it takes a newly approved survey`
        : `${label}: the installation keeps ${most} days; a survey can only keep less`,
    );
  }
}

/** The bytes whose SHA-256 the guardian signs. */
export function encodeChange(change: RetentionChange): Uint8Array {
  const { number, kind, sheet, days } = change;
  return canonicalJson({
    version: 1,
    number,
    kind,
    sheet: sheet === null ? null : toBase64url(sheet),
    days,
  });
}

/** SHA-256 of a change: what it is called between the parties. */
export function hashOfChange(change: RetentionChange): Uint8Array {
  return sha256(encodeChange(change));
}

/** @returns undefined if these bytes are no change in canonical form */
export function decodeChange(bytes: Uint8Array): RetentionChange | undefined {
  try {
    const value = parseCanonicalJson(bytes) as Record<string, unknown>;
    const { number, days } = value;
    const kind = typeof value.kind === 'string' ? retentionKind(value.kind) : undefined;
    const sheet = typeof value.sheet === 'string' ? fromBase64url(value.sheet) : null;
    if (kind === undefined || typeof number !== 'number' || typeof days !== 'number') return;
    if (number < 1 || days < 1 || (sheet !== null && sheet.length !== 32)) return;
    const change = { number, kind, sheet, days };
    // Nothing but these fields, and a null that is one.
    return equalBytes(encodeChange(change), bytes) ? change : undefined;
  } catch {
    return undefined;
  }
}

/** 1 → "1 day". */
export function daysWords(days: number): string {
  return `${days} ${days === 1 ? 'day' : 'days'}`;
}

/** "Published trends of “Title”". @param title of the survey; null for the installation */
export function scopeWords(kind: RetentionKind, title: string | null): string {
  const { label } = retentionOf(kind);
  return title === null ? label : `${label} of “${title}”`;
}
