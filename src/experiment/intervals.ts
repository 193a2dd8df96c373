/** A mean over runs, and how far off it may be. */
export interface Interval {
  readonly n: number;
  readonly mean: number;
  /** half the width of the 95 % interval; undefined for a single run, which tells nothing of its spread */
  readonly half: number | undefined;
}

/** 0.975 quantiles of Student's t with 1, 2, … 30 degrees of freedom. */
const T = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604, 2.1448, 2.1314,
  2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
];

/**
 * The 0.975 quantile of Student's t: from the table, beyond 30 by the first terms of its expansion about the normal's.
 *
 *     studentT(2) // 4.3027
 *
 * @see Abramowitz and Stegun 1964, tables 26.10 and formula 26.7.5
 */
export function studentT(freedom: number): number {
  const listed = T[freedom - 1];
  if (listed !== undefined) return listed;
  const z = 1.959964;
  return z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
}

/**
 * Mean and 95 % interval: `mean ± t · s / √n` with n - 1 degrees of freedom.
 *
 *     intervalOf([1, 2, 3]) // { n: 3, mean: 2, half: 4.3027 / √3 }
 */
export function intervalOf(values: readonly number[]): Interval {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { n, mean, half: undefined };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { n, mean, half: studentT(n - 1) * Math.sqrt(variance / n) };
}

/**
 * The interval of `a - b` over the seeds that both have: paired, so that what a seed does to both (its windows, its
 * starting weights) does not count. Undefined when they share none.
 */
export function pairedDifference(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): Interval | undefined {
  const differences = [...a].flatMap(([seed, value]) => (b.has(seed) ? [value - b.get(seed)!] : []));
  return differences.length > 0 ? intervalOf(differences) : undefined;
}

/** Is the whole interval below a bound, above it, or neither? A single run is neither. */
export function side({ mean, half }: Interval, bound: number): 'below' | 'above' | 'open' {
  if (half === undefined) return 'open';
  if (mean + half < bound) return 'below';
  return mean - half > bound ? 'above' : 'open';
}
