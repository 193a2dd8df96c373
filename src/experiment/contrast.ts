import { InputError } from '../common/errors.js';
import { integers } from '../common/random.js';
import type { WindowScores } from '../train/measures.js';
import { meanOf, varianceOf } from './intervals.js';
import { tCdf, tQuantile } from './studentT.js';

/** A measure of one run, window by window. */
export interface Run extends WindowScores {
  readonly seed: number;
}

/** Runs of an arm, and their factor in a contrast: 1 for the first of a difference, −1 for the second. */
export interface Term {
  readonly runs: readonly Run[];
  readonly factor: number;
}

/** A difference, or a difference of differences, over the seeds common to all its arms. */
export interface Contrast {
  /** seeds common to all arms */
  readonly seeds: number;
  readonly windows: number;
  readonly mean: number;
  /** estimate of each seed, in the order of seeds */
  readonly bySeed: readonly number[];
  /** standard error over seeds and windows; undefined for a single seed, as are the following */
  readonly error?: number;
  readonly freedom?: number;
  /** 95 % by Student's t */
  readonly low?: number;
  readonly high?: number;
  /** 95 % by the bootstrap over seeds and windows */
  readonly bootstrap?: readonly [low: number, high: number];
}

/** Number of bootstrap draws. */
const DRAWS = 2000;

/**
 * `Σ factor · measure` over arms that share seeds and windows.
 *
 * With e[s, w] the sum of factor · bits of window w and seed s, and b[w] the window's weight, the estimate is
 * d = Σ e / (n Σ b). Its variance is that over seeds, s² / n, plus that over windows, m / (m − 1) · Σ (ē[w] − d b[w])² / (Σ b)²:
 * both are sampled. The interaction of seed and window counts in both, so the sum is conservative. The degrees of
 * freedom are those of Welch and Satterthwaite.
 *
 * @returns undefined if the arms share no seed
 * @throws InputError when runs have different windows
 * @see Owen 2007, "The pigeonhole bootstrap", arXiv:0712.1111, with two sampled factors
 */
export function contrast(terms: readonly Term[]): Contrast | undefined {
  const seeds = commonSeeds(terms);
  if (seeds.length === 0) return undefined;
  const weights = terms[0]!.runs[0]!.weights;
  const total = sum(weights);
  const effects = seeds.map((seed) => effectOf(terms, seed, weights)); // e[s][w]
  const bySeed = effects.map((windows) => sum(windows) / total);
  const [n, m, mean] = [seeds.length, weights.length, meanOf(bySeed)];
  const base = { seeds: n, windows: m, mean, bySeed };
  if (n < 2 || m < 2) return base;
  const ofSeeds = varianceOf(bySeed) / n;
  const rest = weights.map((weight, w) => meanOf(effects.map((windows) => windows[w]!)) - mean * weight);
  const ofWindows = ((m / (m - 1)) * sum(rest.map((value) => value * value))) / total ** 2;
  const variance = ofSeeds + ofWindows;
  const error = Math.sqrt(variance);
  const freedom = variance > 0 ? variance ** 2 / (ofSeeds ** 2 / (n - 1) + ofWindows ** 2 / (m - 1)) : n - 1;
  const half = tQuantile(0.975, freedom) * error;
  const bootstrap = bootstrapInterval(effects, weights);
  return { ...base, error, freedom, low: mean - half, high: mean + half, bootstrap };
}

/** `a − b`, paired by seed and window. */
export function difference(a: readonly Run[], b: readonly Run[]): Contrast | undefined {
  return contrast([
    { runs: a, factor: 1 },
    { runs: b, factor: -1 },
  ]);
}

function commonSeeds(terms: readonly Term[]): number[] {
  const [first, ...others] = terms.map(({ runs }) => runs.map(({ seed }) => seed));
  return first!.filter((seed) => others.every((seeds) => seeds.includes(seed))).sort((a, b) => a - b);
}

function effectOf(terms: readonly Term[], seed: number, weights: readonly number[]): number[] {
  const effect = weights.map(() => 0);
  for (const { runs, factor } of terms) {
    const run = runs.find((each) => each.seed === seed)!;
    if (run.weights.length !== weights.length || run.weights.some((weight, w) => weight !== weights[w])) {
      throw new InputError('contrast: runs were scored on different held-out windows, so they cannot be paired');
    }
    for (const [w, value] of run.sums.entries()) effect[w]! += factor * value;
  }
  return effect;
}

/**
 * Percentiles of the estimate with seeds and windows both drawn with replacement; seeded, so that it can be reproduced.
 */
function bootstrapInterval(effects: readonly (readonly number[])[], weights: readonly number[]): [number, number] {
  const [n, m] = [effects.length, weights.length];
  const seeds = drawn('bootstrap seeds', n);
  const windows = drawn('bootstrap windows', m);
  const estimates = Array.from({ length: DRAWS }, (_, draw) => {
    let bits = 0;
    let bytes = 0;
    for (let i = draw * m; i < (draw + 1) * m; i++) {
      const w = windows[i]!;
      bytes += weights[w]!;
      for (let s = draw * n; s < (draw + 1) * n; s++) bits += effects[seeds[s]!]![w]!;
    }
    return bits / (n * bytes);
  }).sort((a, b) => a - b);
  return [estimates[Math.floor(0.025 * DRAWS)]!, estimates[Math.ceil(0.975 * DRAWS) - 1]!];
}

const cache = new Map<string, Uint32Array>();

/** DRAWS times n whole numbers below n. */
function drawn(stream: string, n: number): Uint32Array {
  const key = `${stream} ${n}`;
  const found = cache.get(key) ?? integers(0, stream, DRAWS * n, n);
  cache.set(key, found);
  return found;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

/** One-sided p-value of "the true difference is below the bound". 1 for a single seed. */
export function pBelow({ mean, error, freedom }: Contrast, bound: number): number {
  if (error === undefined) return 1;
  return tCdf(error === 0 ? Math.sign(mean - bound) * Infinity || 0 : (mean - bound) / error, freedom!);
}

/** One-sided p-value of "the true difference is above the bound". */
export function pAbove(found: Contrast, bound: number): number {
  return pBelow({ ...found, mean: -found.mean }, -bound);
}

/** The one-sided 95 % bound that the true difference is above; undefined for a single seed. */
export function lowerBound({ mean, error, freedom }: Contrast): number | undefined {
  return error === undefined ? undefined : mean - tQuantile(0.95, freedom!) * error;
}

/** Two one-sided tests of "the true difference is within ± margin". Schuirmann 1987. */
export function pEquivalent(found: Contrast, margin: number): number {
  return Math.max(pBelow(found, margin), pAbove(found, -margin));
}

/** Two-sided p-value of "the true difference is not 0". */
export function pDifferent(found: Contrast): number {
  return Math.min(1, 2 * Math.min(pBelow(found, 0), pAbove(found, 0)));
}

/**
 * Holm's correction: p-values that can each be compared with the level of the family.
 *
 *     holm([0.01, 0.04, 0.03])   // [0.03, 0.06, 0.06]
 *
 * @see Holm 1979, "A simple sequentially rejective multiple test procedure"
 */
export function holm(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = pValues.map(() => 1);
  let highest = 0;
  for (const [rank, i] of order.entries()) {
    highest = Math.max(highest, Math.min(1, (pValues.length - rank) * pValues[i]!));
    adjusted[i] = highest;
  }
  return adjusted;
}
