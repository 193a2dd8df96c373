import { tQuantile } from './studentT.js';

/** A mean over runs, with its interval. */
export interface Interval {
  readonly n: number;
  readonly mean: number;
  /** half the width of the 95 % interval; undefined for a single run */
  readonly half: number | undefined;
}

/**
 * Mean and 95 % interval: `mean ± t · s / √n` with n - 1 degrees of freedom.
 *
 *     intervalOf([1, 2, 3]) // { n: 3, mean: 2, half: 4.3027 / √3 }
 */
export function intervalOf(values: readonly number[]): Interval {
  const n = values.length;
  const mean = meanOf(values);
  return { n, mean, half: n < 2 ? undefined : tQuantile(0.975, n - 1) * Math.sqrt(varianceOf(values) / n) };
}

/** `meanOf([1, 2, 6]) // 3` */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sample variance, divided by n - 1. */
export function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}
