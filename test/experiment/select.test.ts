import { expect, it } from 'vitest';
import { bestDeviation, bestRate, rateBeyond, ratesInOrder } from '../../src/experiment/select.js';

const GRID = [0.0005, 0.001, 0.002, 0.004, 0.008];
const tried = (lr: number, value: number, seed = 100, doorDeviation?: number) => ({ lr, value, seed, doorDeviation });
const five = [3.2, 3.0, 2.9, 2.95, 8.0].map((value, i) => tried(GRID[i]!, value));

it('orders rates by the runs of the first seed, ties to the lower rate', () => {
  expect(ratesInOrder([...five, tried(0.004, 2.1, 101)], 100)).toEqual([0.002, 0.004, 0.001, 0.0005, 0.008]);
  expect(ratesInOrder([tried(0.004, 2), tried(0.001, 2)], 100)).toEqual([0.001, 0.004]);
});

it('chooses between the best two by the mean over both seeds, once both have run', () => {
  expect(bestRate([...five, tried(0.002, 3.1, 101)], [100, 101])).toBeUndefined();
  const both = [...five, tried(0.002, 3.1, 101), tried(0.004, 2.8, 101)];
  expect(bestRate(both, [100, 101])!.lr).toBe(0.004); // 2.875 against 3.0
  // A rate that was not among the two is not chosen, however well another seed does.
  expect(bestRate([...both, tried(0.001, 1, 101)], [100, 101])!.lr).toBe(0.004);
});

it('goes beyond an end at which an arm is best, twice at most', () => {
  expect(rateBeyond(five, 100, GRID)).toBeUndefined();
  const rising = GRID.map((lr, i) => tried(lr, 3 - 0.1 * i));
  expect(rateBeyond(rising, 100, GRID)).toBe(0.016);
  expect(rateBeyond([...rising, tried(0.016, 2.5)], 100, GRID)).toBe(0.032);
  expect(rateBeyond([...rising, tried(0.016, 2.5), tried(0.032, 2.4)], 100, GRID)).toBeUndefined();
  expect(rateBeyond([...rising, tried(0.016, 2.9)], 100, GRID)).toBeUndefined();
  const falling = GRID.map((lr, i) => tried(lr, 2 + 0.1 * i));
  expect(rateBeyond(falling, 100, GRID)).toBe(0.00025);
  expect(rateBeyond([...falling, tried(0.00025, 1.9)], 100, GRID)).toBe(0.000125);
  expect(rateBeyond([...falling, tried(0.00025, 1.9), tried(0.000125, 1.8)], 100, GRID)).toBeUndefined();
});

it('chooses the deviation at that rate and the first seed, the default among them', () => {
  const runs = [...five, tried(0.002, 2.8, 100, 0.1), tried(0.002, 2.85, 100, 0.5), tried(0.004, 2, 100, 0.1)];
  expect(bestDeviation(runs, 0.002, 100)).toEqual({ value: 2.8, doorDeviation: 0.1 });
  expect(bestDeviation(five, 0.002, 100)).toEqual({ value: 2.9 });
  expect(bestDeviation([...five, tried(0.002, 2.9, 100, 0.1)], 0.002, 100)).toEqual({ value: 2.9 }); // a tie: the smaller
});
