import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intervalOf, pairedDifference, side, studentT } from '../../src/experiment/intervals.js';

/** P(|T| < t) by Simpson's rule over the density of Student's t, whose constant is also integrated. */
function within(t: number, freedom: number): number {
  const density = (x: number) => (1 + x ** 2 / freedom) ** (-(freedom + 1) / 2);
  // x = tan(u) maps the whole line to (-π/2, π/2)
  const integral = (to: number) => {
    const n = 20_000;
    const f = (u: number) => density(Math.tan(u)) / Math.cos(u) ** 2;
    let sum = f(0) + f(to);
    for (let i = 1; i < n; i++) sum += f((i * to) / n) * (i % 2 ? 4 : 2);
    return (sum * to) / n / 3;
  };
  return integral(Math.atan(t)) / integral(Math.PI / 2 - 1e-7);
}

describe('intervals', () => {
  it.each([1, 2, 3, 5, 9, 17, 30, 31, 50, 200])(
    '95 %% of Student’s t with %i degrees of freedom lie within',
    (freedom) => {
      expect(within(studentT(freedom), freedom)).toBeCloseTo(0.95, 4);
    },
  );

  it('mean ± t·s/√n', () => {
    const { n, mean, half } = intervalOf([1, 2, 3]);
    expect([n, mean]).toEqual([3, 2]);
    expect(half).toBeCloseTo(4.3027 / Math.sqrt(3), 10);
    expect(intervalOf([5])).toEqual({ n: 1, mean: 5, half: undefined });
  });

  it('what all runs of a seed share does not count in a paired difference', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 2, maxLength: 6 }), (shared) => {
        const a = new Map(shared.map((value, seed) => [seed, value + 1 + 0.1 * seed]));
        const b = new Map(shared.map((value, seed) => [seed, value]));
        const { mean, half } = pairedDifference(a, b)!;
        const alone = intervalOf(shared.map((_, seed) => 1 + 0.1 * seed));
        expect(mean).toBeCloseTo(alone.mean, 9);
        expect(half).toBeCloseTo(alone.half!, 9);
      }),
    );
    expect(pairedDifference(new Map([[0, 1]]), new Map([[1, 1]]))).toBeUndefined();
  });

  it('lies on a side only as a whole', () => {
    expect(side({ n: 3, mean: 1, half: 0.9 }, 0)).toBe('above');
    expect(side({ n: 3, mean: 1, half: 1.1 }, 0)).toBe('open');
    expect(side({ n: 3, mean: -1, half: 0.9 }, 0)).toBe('below');
    expect(side({ n: 1, mean: -1, half: undefined }, 0)).toBe('open');
  });
});
