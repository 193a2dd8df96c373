/** The learning rate over a run. */
export interface Schedule {
  /** the highest learning rate, reached at the end of the warm-up */
  readonly lr: number;
  /** linear warm-up updates, from 0 */
  readonly warmup: number;
  /** number of updates of the run */
  readonly steps: number;
  /** the last learning rate as a share of the highest; default a tenth */
  readonly final?: number;
}

/**
 * Linear warm-up, then half a cosine down to a share of the peak.
 *
 *     learningRate({ lr: 1, warmup: 10, steps: 100 }, 5)    // 0.5
 *     learningRate({ lr: 1, warmup: 10, steps: 100 }, 100)  // 0.1
 *
 * @param t 1 for the first update
 * @see Loshchilov and Hutter 2016, arXiv:1608.03983
 */
export function learningRate({ lr, warmup, steps, final = 0.1 }: Schedule, t: number): number {
  if (t < warmup) return (lr * t) / warmup;
  const done = Math.min(1, (t - warmup) / Math.max(1, steps - warmup));
  return lr * (final + (1 - final) * 0.5 * (1 + Math.cos(Math.PI * done)));
}
