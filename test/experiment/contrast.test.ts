import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normal as normalOf } from '../../src/common/random.js';
import {
  contrast,
  difference,
  holm,
  pAbove,
  pBelow,
  pDifferent,
  pEquivalent,
  type Run,
} from '../../src/experiment/contrast.js';

const run = (seed: number, sums: number[], weights = sums.map(() => 1)): Run => ({ seed, sums, weights });
/** Differences of 2 seeds and 2 windows of one byte each: seeds 1 and 3, windows 3 and 1. */
const two = difference([run(0, [7, 5]), run(1, [9, 7])], [run(0, [5, 5]), run(1, [5, 5])])!;

describe('contrast', () => {
  it('has the numbers of the hand', () => {
    // seeds: mean 2, s² = 2, s²/n = 1. Windows: (3 − 2)² + (1 − 2)² = 2, times m/(m − 1) = 2, over (Σ b)² = 4: 1.
    expect(two).toMatchObject({ seeds: 2, windows: 2, mean: 2, bySeed: [1, 3] });
    expect(two.error).toBeCloseTo(Math.SQRT2, 12);
    expect(two.freedom).toBeCloseTo(2, 12); // 2² / (1² / 1 + 1² / 1)
    expect(two.high! - two.mean).toBeCloseTo(4.302653 * Math.SQRT2, 5);
    expect(two.low! + two.high!).toBeCloseTo(4, 12);
  });

  it('weighs windows by their bytes', () => {
    const [a, b] = [run(0, [8, 2], [4, 1]), run(0, [4, 3], [4, 1])];
    expect(difference([a], [b])!.mean).toBeCloseTo((4 - 1) / 5, 12);
  });

  it('takes seeds that all arms have, and nothing where they share none', () => {
    const [a, b] = [[run(0, [1, 2]), run(1, [2, 3])], [run(1, [1, 1])]];
    expect(difference(a, b)).toEqual({ seeds: 1, windows: 2, mean: 1.5, bySeed: [1.5] });
    expect(difference([run(0, [1])], [run(1, [1])])).toBeUndefined();
  });

  it('refuses runs of other windows', () => {
    expect(() => difference([run(0, [1, 2])], [run(0, [1, 2], [1, 2])])).toThrow('different held-out windows');
    expect(() => difference([run(0, [1, 2])], [run(0, [1])])).toThrow('different held-out windows');
  });

  it('does not count what all arms of a seed share, nor what all share in a window', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 4, maxLength: 4 }), (shared) => {
        const base = (s: number) => [3, 4, 5].map((value, w) => value + shared[s]! + (w === 1 ? shared[2]! : 0));
        const effect = (s: number) => [0.1 * s, 0.2, 0.3 - 0.1 * s];
        const a = [0, 1].map((s) =>
          run(
            s,
            base(s).map((value, w) => value + effect(s)[w]!),
          ),
        );
        const b = [0, 1].map((s) => run(s, base(s)));
        const zeros = [0, 1].map((s) => run(s, [0, 0, 0]));
        const alone = difference(
          [0, 1].map((s) => run(s, effect(s))),
          zeros,
        )!;
        const found = difference(a, b)!;
        expect(found.mean).toBeCloseTo(alone.mean, 9);
        expect(found.error).toBeCloseTo(alone.error!, 9);
      }),
    );
  });

  it('is an interaction with four terms', () => {
    const arm = (value: number) => [run(0, [value, value + 1])];
    const terms = [1, -1, -1, 1].map((factor, i) => ({ runs: arm([10, 4, 3, 1][i]!), factor }));
    expect(contrast(terms)!.mean).toBe(10 - 4 - (3 - 1));
  });

  it('bootstraps the same numbers each time, around the mean', () => {
    const noise = (i: number) => Math.sin(12.9898 * i) * 0.1;
    // What differs is of seeds and of windows: what is of both at once the bootstrap counts three times, the error twice.
    const runs = (shift: number) =>
      Array.from({ length: 8 }, (_, seed) =>
        run(
          seed,
          Array.from({ length: 40 }, (_, w) => shift * (1 + noise(seed + 1) + noise(w + 100))),
        ),
      );
    const [found, again] = [difference(runs(1), runs(0))!, difference(runs(1), runs(0))!];
    expect(found.bootstrap).toEqual(again.bootstrap);
    const [low, high] = found.bootstrap!;
    expect(low).toBeLessThan(found.mean);
    expect(high).toBeGreaterThan(found.mean);
    // The same spread by two ways: within a third.
    expect((high - low) / (found.high! - found.low!)).toBeGreaterThan(0.66);
    expect((high - low) / (found.high! - found.low!)).toBeLessThan(1.33);
  });

  it('covers the truth in about 95 of 100 experiments with seeds and windows both drawn', () => {
    let drawn = 0;
    const normal = () => normalOf(5, 'coverage', drawn++);
    let covered = 0;
    for (let experiment = 0; experiment < 400; experiment++) {
      const windows = Array.from({ length: 30 }, normal);
      const effects = Array.from({ length: 5 }, (_, seed) => {
        const own = 0.2 * normal();
        return run(
          seed,
          windows.map((each) => each + own + 0.3 * normal()),
        );
      });
      const { low, high } = difference(
        effects,
        effects.map(({ seed, sums }) =>
          run(
            seed,
            sums.map(() => 0),
          ),
        ),
      )!;
      if (low! < 0 && high! > 0) covered++;
    }
    expect(covered / 400).toBeGreaterThan(0.92);
  });
});

describe('tests', () => {
  it('have the p-values of the hand', () => {
    // Two degrees of freedom: P(T ≤ t) = 1/2 + t / (2 √(2 + t²)); t = (2 − 5) / √2.
    const t = -3 / Math.SQRT2;
    const p = 0.5 + t / (2 * Math.sqrt(2 + t * t));
    expect(pBelow(two, 5)).toBeCloseTo(p, 10);
    expect(pAbove(two, 5)).toBeCloseTo(1 - p, 10);
    expect(pAbove(two, -1)).toBeCloseTo(p, 10);
    expect(pDifferent({ ...two, mean: -3 })).toBeCloseTo(2 * p, 10);
    expect(pEquivalent({ ...two, mean: 0 }, 3)).toBeCloseTo(p, 10);
    expect(pEquivalent(two, 5)).toBeCloseTo(p, 10); // the nearer bound decides
  });

  it('say nothing of a single seed', () => {
    const one = difference([run(0, [1, 2])], [run(0, [5, 5])])!;
    expect([pBelow(one, 0), pAbove(one, 0), pEquivalent(one, 9), pDifferent(one)]).toEqual([1, 1, 1, 1]);
  });

  it('Holm: the smallest of m is held to level/m, the next to level/(m − 1)', () => {
    expect(holm([0.01, 0.04, 0.03]).map((p) => Number(p.toFixed(10)))).toEqual([0.03, 0.06, 0.06]);
    expect(holm([0.5, 1, 1])).toEqual([1, 1, 1]);
    expect(holm([0.001])).toEqual([0.001]);
  });
});
