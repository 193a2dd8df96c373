/** Bins of a histogram. */
export const BINS = 24;

/** A tensor in a few numbers. Non-finite numbers are counted, and excluded from the rest. */
export interface Statistics {
  readonly count: number;
  readonly nonFinite: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  /** √Σx² */
  readonly norm: number;
  /** count of numbers in each of BINS equal parts of min .. max; all in the first if they are equal */
  readonly histogram: readonly number[];
}

/** `statisticsOf([1, 2, 3]).mean // 2`. Without finite numbers everything is 0. */
export function statisticsOf(data: ArrayLike<number>): Statistics {
  let finite = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (!Number.isFinite(x)) continue;
    finite++;
    min = Math.min(min, x);
    max = Math.max(max, x);
    sum += x;
    squares += x * x;
  }
  const histogram = new Array<number>(BINS).fill(0);
  const nonFinite = data.length - finite;
  if (finite === 0) return { count: data.length, nonFinite, min: 0, mean: 0, max: 0, norm: 0, histogram };
  const perBin = (max - min) / BINS;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (Number.isFinite(x)) histogram[perBin > 0 ? Math.min(BINS - 1, Math.floor((x - min) / perBin)) : 0]!++;
  }
  return { count: data.length, nonFinite, min, mean: sum / finite, max, norm: Math.sqrt(squares), histogram };
}
