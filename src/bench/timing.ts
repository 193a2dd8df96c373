import { type Spread, spreadOf } from '../inspect/profile.js';

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
