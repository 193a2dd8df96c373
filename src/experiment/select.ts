import type { CollectedCell } from './collect.js';

/** An arm with what was tuned of it. */
export interface Tuned {
  readonly lr: number;
  /** of the door's matrices at the start; absent for the default */
  readonly doorDeviation?: number;
  /** the tuning measure of the choice, the mean over its seeds */
  readonly value: number;
}

/** What a run that is not finite is given: bits per byte of knowing nothing, one of 258 ids. */
export const KNOWS_NOTHING = Math.log2(258);

/** A tuning run: where it was tried, and what it ended with. Lower is better. */
interface Tried {
  readonly lr: number;
  readonly doorDeviation: number | undefined;
  readonly seed: number;
  readonly value: number;
}

/** The finished tuning runs of an arm. */
export function triedOf(cells: readonly CollectedCell[], arm: string, measure = 'text_bpb'): Tried[] {
  return cells.flatMap(({ cell, result }) =>
    result === undefined || cell.options.door + channelsOf(cell) !== arm
      ? []
      : [
          {
            lr: cell.lr,
            doorDeviation: cell.options.doorDeviation,
            seed: cell.seed,
            value: result.non_finite === undefined ? result.measures[measure]! : KNOWS_NOTHING,
          },
        ],
  );
}

function channelsOf({ options: { channels } }: CollectedCell['cell']): string {
  return channels ? `:${channels.join(',')}` : '';
}

/**
 * Rates in order of their runs with one seed, the best first; ties go to the lower rate.
 *
 * @param seed the seed of the first round
 */
export function ratesInOrder(tried: readonly Tried[], seed: number): number[] {
  const first = tried.filter((run) => run.seed === seed && run.doorDeviation === undefined);
  return first.toSorted((a, b) => a.value - b.value || a.lr - b.lr).map(({ lr }) => lr);
}

/** The rate to try next, where the best lies at an end of those tried; undefined where it does not, or after two such steps. */
export function rateBeyond(tried: readonly Tried[], seed: number, grid: readonly number[]): number | undefined {
  const order = ratesInOrder(tried, seed);
  const [best] = order;
  if (best === undefined) return undefined;
  const [least, most] = [Math.min(...order), Math.max(...order)];
  if (best === least && 4 * least > 1.01 * Math.min(...grid)) return best / 2;
  if (best === most && most < 3.99 * Math.max(...grid)) return best * 2;
  return undefined;
}

/**
 * The choice of an arm by the rules of results/PROTOCOL.md: of the two best rates of the first seed the one with the lower mean
 * over both seeds; then the deviation with the lowest value at that rate and the first seed.
 *
 * @returns undefined while a run that the choice needs has not finished
 */
export function choose(tried: readonly Tried[], seeds: readonly [number, number]): Tuned | undefined {
  const two = ratesInOrder(tried, seeds[0]).slice(0, 2);
  const means = two.flatMap((lr) => {
    const values = seeds.flatMap((seed) => {
      const run = tried.find((each) => each.lr === lr && each.seed === seed && each.doorDeviation === undefined);
      return run === undefined ? [] : [run.value];
    });
    return values.length === 2 ? [{ lr, value: (values[0]! + values[1]!) / 2 }] : [];
  });
  if (means.length < 2) return undefined;
  const [best] = means.toSorted((a, b) => a.value - b.value || a.lr - b.lr) as [{ lr: number; value: number }];
  const deviations = tried
    .filter((run) => run.lr === best.lr && run.seed === seeds[0])
    .toSorted((a, b) => a.value - b.value || (a.doorDeviation ?? 0.02) - (b.doorDeviation ?? 0.02));
  const doorDeviation = deviations[0]!.doorDeviation;
  return { ...best, ...(doorDeviation !== undefined && { doorDeviation }) };
}
