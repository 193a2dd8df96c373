import { DEVIATION } from '../model/doors/definition.js';
import type { CollectedCell } from './collect.js';

/*
 * The rules by which grid A of results/PROTOCOL.md chooses learning rates and starting deviations.
 */

/** An arm with its tuned settings. */
export interface Tuned {
  readonly lr: number;
  /** initial deviation of the door's matrices; absent for the default */
  readonly doorDeviation?: number;
  /** the tuning measure of the choice, the mean over its seeds */
  readonly value: number;
}

/** Value of a run that is not finite: bits per byte of a uniform guess among 258 ids. */
export const KNOWS_NOTHING = Math.log2(258);

/** A tuning run: its settings, and its final value. Lower is better. */
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

/** The rate to try next if the best is at an end of those tried; undefined if it is not, or after two such steps. */
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
 * The one of the two best rates of the first seed with the lower mean over both seeds.
 *
 * @returns undefined while a run that the choice needs has not finished
 */
export function bestRate(tried: readonly Tried[], seeds: readonly [number, number]): Tuned | undefined {
  const plain = tried.filter(({ doorDeviation }) => doorDeviation === undefined);
  const means = ratesInOrder(plain, seeds[0])
    .slice(0, 2)
    .flatMap((lr) => {
      const values = seeds.flatMap((seed) => plain.find((run) => run.lr === lr && run.seed === seed)?.value ?? []);
      return values.length === 2 ? [{ lr, value: (values[0]! + values[1]!) / 2 }] : [];
    });
  if (means.length < 2) return undefined;
  return means.toSorted((a, b) => a.value - b.value || a.lr - b.lr)[0];
}

/** The deviation with the lowest value at a rate and the first seed; ties go to the smaller one. */
export function bestDeviation(
  tried: readonly Tried[],
  lr: number,
  seed: number,
): Pick<Tuned, 'doorDeviation' | 'value'> {
  const own = tried.filter((run) => run.lr === lr && run.seed === seed);
  const [best] = own.toSorted((a, b) => a.value - b.value || deviationOf(a) - deviationOf(b));
  return { value: best!.value, ...(best!.doorDeviation !== undefined && { doorDeviation: best!.doorDeviation }) };
}

function deviationOf({ doorDeviation = DEVIATION }: Tried): number {
  return doorDeviation;
}
