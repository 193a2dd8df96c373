/** Several measurements: the median and the range. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** `spreadOf([3, 1, 2]) // { median: 2, least: 1, most: 3 }` */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1]!, least: sorted[0]!, most: sorted.at(-1)! };
}

/** Milliseconds of each of `count` runs, one after another, each awaited. */
export async function timed(count: number, run: () => Promise<unknown>): Promise<Spread> {
  const milliseconds: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await run();
    milliseconds.push(performance.now() - start);
  }
  return spreadOf(milliseconds);
}
