import type { Curve } from './readRun.js';

/**
 * Exponential moving average, with bias correction: the first value is the first number.
 *
 *     smooth([4, 2], 0.5)   // [4, 2.666…]: (0.5·0.5·4 + 0.5·2) / 0.75
 *
 * @param keep share of the average kept at each step, 0 to 1
 */
export function smooth(values: readonly number[], keep: number): number[] {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return Number.NaN;
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
}

/**
 * At most `most` points, each the mean of its share of the curve; the last step stays the last. A report of a long run
 * would otherwise have more points than a screen has columns.
 */
export function thin({ x, y }: Curve, most = 1500): Curve {
  if (x.length <= most) return { x, y };
  const shares = Array.from({ length: most }, (_, i) => [
    Math.floor((i * x.length) / most),
    Math.floor(((i + 1) * x.length) / most),
  ]);
  return {
    x: shares.map(([, end]) => x[end! - 1]!),
    y: shares.map(([start, end]) => y.slice(start, end).reduce((sum, value) => sum + value, 0) / (end! - start!)),
  };
}

/** A curve reduced for the terminal: one mean per column. `columns([1, 3, 5, 7], 2) // [2, 6]` */
export function columns(values: readonly number[], most: number): number[] {
  return [...thin({ x: values, y: values }, most).y];
}
