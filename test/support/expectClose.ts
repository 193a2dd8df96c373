import { expect } from 'vitest';
import { differenceOf } from '../../src/inspect/closeness.js';

export { ROUNDING } from '../../src/inspect/closeness.js';

/**
 * Every number within `roundings` float32 roundings of the largest reference; reports the worst index with both values.
 * `roundings` 0 asks for equal float32 bits; `floor` is the least that counts as the largest reference.
 */
export function expectClose(
  what: string,
  actual: ArrayLike<number>,
  reference: ArrayLike<number>,
  roundings: number,
  floor = 1e-6,
): void {
  expect(actual.length, `${what}: length`).toBe(reference.length);
  const difference = differenceOf(actual, reference, roundings, floor);
  if (difference !== undefined) expect.fail(`${what}: ${difference}`);
}
