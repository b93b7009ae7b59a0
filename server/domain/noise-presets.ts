import { blockLengths, type Fraction, type Sheet } from '../../crypto/sheet.ts';
import { compare, type Exact, exact, exactly } from './fraction.ts';
import { standardNormal } from './normal.ts';

/**
 * The three ways to choose the noise (disclosure policy §3). One replaced report changes Q one-hot
 * blocks by Δ₂² = 2Q in all, so that a draw of variance Q/ρ on every count costs ρ (zCDP).
 */
export type Preset = Sheet['noise']['preset'];

export const PRESETS: readonly Preset[] = ['standard', 'strong', 'light'];

interface PresetTerms {
  readonly name: string;
  /** ρ that all rounds of twelve months together may cost a person; `light` sets none. */
  readonly cap: Exact | undefined;
  readonly by: Sheet['noise']['by'];
}

export const TERMS: Readonly<Record<Preset, PresetTerms>> = {
  standard: { name: 'Standard', cap: exact(4n, 1n), by: 'guardian' },
  strong: { name: 'Strong', cap: exact(1n, 1n), by: 'both' },
  light: { name: 'Light', cap: undefined, by: 'guardian' },
};

/** With less, somebody who knows all other answers guesses the last one far too often. */
const SMALLEST_VARIANCE: Exact = exact(5n, 1n);

/** The most rounds of each cadence that begin within 364 days. */
export const ROUNDS_A_YEAR: Readonly<Record<Sheet['cadence'], number>> = {
  weekly: 52,
  fortnightly: 26,
  monthly: 12,
  quarterly: 4,
};

/**
 * The noise of a sheet: σ² = max(Q/ρ, 5), where ρ is the part divided by the rounds of a year; always
 * 5 for `light`. In lowest terms.
 * @param part ρ for twelve months, more than 0 unless the preset is `light`
 * @param blocks Q, questions and derived items
 */
export function presetNoise(
  preset: Preset,
  part: Fraction,
  blocks: number,
  cadence: Sheet['cadence'],
): Sheet['noise'] {
  let variance = SMALLEST_VARIANCE;
  if (preset !== 'light') {
    const yearly = BigInt(blocks) * BigInt(ROUNDS_A_YEAR[cadence]);
    const needed = exact(yearly * BigInt(part.denominator), BigInt(part.numerator));
    if (compare(needed, variance) > 0) variance = needed;
  }
  const { numerator, denominator } = variance;
  return {
    preset,
    part,
    variance: { numerator: Number(numerator), denominator: Number(denominator) },
    by: TERMS[preset].by,
  };
}

/** The whole account of a preset as a sheet's part; 0 for `light`. */
export function wholeAccount(preset: Preset): Fraction {
  const { cap } = TERMS[preset];
  return { numerator: Number(cap?.numerator ?? 0n), denominator: 1 };
}

/** ρ′ = Q/σ²: what one round costs each person (a person is in one group a round). */
export function roundCost(sheet: Pick<Sheet, 'questions' | 'derived' | 'noise'>): Exact {
  const { numerator, denominator } = exactly(sheet.noise.variance);
  return exact(BigInt(blockLengths(sheet).length) * denominator, numerator);
}

/**
 * The chance that somebody who knew everyone else's answers guesses one of yours, of two that are
 * as likely: Φ(√(R/2σ²)) after R rounds in which you answered it alike. Beside 1/2 for a coin.
 * @param variance σ², in answers²
 */
export function guessChance(variance: number, rounds: number): number {
  return standardNormal(Math.sqrt(rounds / (2 * variance)));
}

const GUESS_OPENING =
  'Somebody who knew the answers of everyone else in your group could guess one of yours with a chance of ';

/** The same in a sentence for the notice of a sheet. */
export function guessSentence(sheet: Pick<Sheet, 'noise' | 'cadence'>): string {
  const { numerator, denominator } = sheet.noise.variance;
  const rounds = ROUNDS_A_YEAR[sheet.cadence];
  const percent = (after: number) => Math.round(100 * guessChance(numerator / denominator, after));
  return (
    `${GUESS_OPENING}${percent(1)} in 100 after one round, and of ${percent(rounds)} in 100 after a ` +
    `year of ${rounds} rounds in which you always answered it alike. A coin has 50 in 100.`
  );
}

/** What every page says of a survey whose rounds are not limited together. */
export const LIGHT_WORDS =
  'Light: the noise blurs each answer; patterns that never change can be averaged out over many rounds.';

/** What the noise of this sheet can and cannot do: sentences that its notice has to contain. */
export function noiseWords(sheet: Pick<Sheet, 'noise' | 'cadence'>): string[] {
  return [guessSentence(sheet), ...(sheet.noise.preset === 'light' ? [LIGHT_WORDS] : [])];
}

/** Whether a sentence of a notice is one that `noiseWords` gives, for whatever noise and cadence. */
export function isNoiseWords(sentence: string): boolean {
  return sentence.startsWith(GUESS_OPENING) || sentence === LIGHT_WORDS;
}

/** The δ of every ε that is written. */
export const DELTA = 1e-6;

/**
 * The ε of (ε, δ)-differential privacy that ρ of zCDP gives, δ = 10⁻⁶: the smallest over α > 1 of
 * ρα + ln(1 − 1/α) − (ln δ + ln α)/(α − 1) (Canonne, Kamath and Steinke 2020, Corollary 13).
 * @param rho more than 0
 */
export function epsilonOf(rho: number): number {
  const at = (alpha: number) =>
    rho * alpha + Math.log1p(-1 / alpha) - Math.log(DELTA * alpha) / (alpha - 1);
  // Falls, then rises: the minimum is closed in on a logarithmic scale.
  let [low, high] = [Math.log(1e-6), Math.log(1e6)];
  for (let i = 0; i < 200; i++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (at(1 + Math.exp(a)) < at(1 + Math.exp(b))) high = b;
    else low = a;
  }
  return Math.max(0, at(1 + Math.exp(low)));
}
