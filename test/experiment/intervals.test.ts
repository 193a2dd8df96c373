import { describe, expect, it } from 'vitest';
import { intervalOf } from '../../src/experiment/intervals.js';
import { tCdf, tQuantile } from '../../src/experiment/studentT.js';

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

describe('Student’s t', () => {
  it('has its closed forms for 1, 2 and 3 degrees of freedom', () => {
    for (const t of [-40, -2.5, -0.3, 0, 0.7, 1.9, 12]) {
      expect(tCdf(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 12);
      expect(tCdf(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 12);
      const x = t / Math.sqrt(3);
      expect(tCdf(t, 3)).toBeCloseTo(0.5 + (Math.atan(x) + x / (1 + x * x)) / Math.PI, 12);
    }
    expect([tCdf(-Infinity, 4), tCdf(Infinity, 4)]).toEqual([0, 1]);
  });

  it.each([1, 2, 3, 5, 7.3, 9, 17, 30, 50.5, 200])(
    '95 %% with %f degrees of freedom are within its quantile',
    (freedom) => {
      expect(within(tQuantile(0.975, freedom), freedom)).toBeCloseTo(0.95, 5);
    },
  );

  it('has the quantiles of printed tables', () => {
    // Abramowitz and Stegun 1964, table 26.10
    for (const [p, freedom, t] of [
      [0.975, 2, 4.303],
      [0.975, 5, 2.571],
      [0.95, 5, 2.015],
      [0.975, 10, 2.228],
      [0.995, 7, 3.499],
    ] as const) {
      expect(tQuantile(p, freedom)).toBeCloseTo(t, 3);
      expect(tQuantile(1 - p, freedom)).toBeCloseTo(-t, 3);
    }
  });
});

it('mean ± t·s/√n', () => {
  const { n, mean, half } = intervalOf([1, 2, 3]);
  expect([n, mean]).toEqual([3, 2]);
  expect(half).toBeCloseTo(4.302653 / Math.sqrt(3), 5);
  expect(intervalOf([5])).toEqual({ n: 1, mean: 5, half: undefined });
});
