import type { CollectedCell } from './collect.js';
import { meanOf } from './intervals.js';

/** Where the mean curves of two arms cross. */
export interface Crossings {
  readonly arms: readonly [string, string];
  /** seeds of both arms, whose validations are averaged */
  readonly seeds: number;
  /** steps that all of these runs were validated at */
  readonly steps: readonly number[];
  /** first minus second arm, at each of the steps */
  readonly differences: readonly number[];
  /** neighbours among the steps between which the difference changes its sign */
  readonly between: readonly (readonly [from: number, to: number])[];
}

/**
 * Compare the mean curves of two arms of a grid, over the seeds that both have finished.
 *
 * A run that was not finite has no validations after that, so its steps end the comparison.
 *
 * @returns undefined if no seed has finished in both
 */
export function crossingsOf(
  cells: readonly CollectedCell[],
  arms: readonly [string, string],
  measure: string,
): Crossings | undefined {
  const curves = arms.map(
    (arm) =>
      new Map(
        cells
          .filter(({ cell, state }) => cell.arm === arm && state === 'finished')
          .map(({ cell, curve }) => [cell.seed, new Map(curve.map(({ step, measures }) => [step, measures[measure]]))]),
      ),
  );
  const [first, second] = curves as [(typeof curves)[number], (typeof curves)[number]];
  const seeds = [...first.keys()].filter((seed) => second.has(seed));
  if (seeds.length === 0) return undefined;
  const runs = (of: typeof first) => seeds.map((seed) => of.get(seed)!);
  const steps = [...runs(first)[0]!.keys()].filter((step) =>
    [...runs(first), ...runs(second)].every((curve) => curve.get(step) !== undefined),
  );
  const mean = (of: typeof first, step: number) => meanOf(runs(of).map((curve) => curve.get(step)!));
  const differences = steps.map((step) => mean(first, step) - mean(second, step));
  const between = steps.slice(1).flatMap((step, i): [number, number][] =>
    // The difference at the earlier step, times that at this one.
    differences[i]! * differences[i + 1]! < 0 ? [[steps[i]!, step]] : [],
  );
  return { arms, seeds: seeds.length, steps, differences, between };
}
