import { permutation } from '../common/random.js';

/** Which windows and captions are set against each other is the same in every run, so that runs are compared on the same ones. */
const SEED = 0;

/**
 * A recording with another caption for each window: a seeded permutation in which no window gets one whose caption is its own.
 *
 *     foreignOrder(['one', 'one', 'two', 'two'], 0)   // [2, 3, 1, 0], or another such order in another round
 *
 * @param round one more gives another order
 * @returns for each window the number of the one whose recording it gets, each once; undefined where a caption has more than half
 *     of the windows, since then there is no such order
 */
export function foreignOrder(captions: readonly string[], round: number): number[] | undefined {
  const n = captions.length;
  const order = [...permutation(SEED, `foreign.${round}`, n)];
  const clashes = (i: number, from: number) => captions[i] === captions[from];
  for (let i = 0; i < n; i++) {
    if (!clashes(i, order[i]!)) continue;
    // If a caption has at most half of the windows, some j neither has nor gets it: exchanging the two corrects both.
    const steps = Array.from({ length: n }, (_, step) => (i + step) % n);
    const j = steps.find((other) => !clashes(i, order[other]!) && !clashes(other, order[i]!));
    if (j === undefined) return undefined;
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/**
 * Captions that a window's own is to be found among: `count` different others, drawn for each window.
 *
 * @param window number of the window   @param own its caption   @param captions all, each once
 * @returns undefined where there are fewer others
 */
export function distractors(
  window: number,
  own: string,
  captions: readonly string[],
  count: number,
): string[] | undefined {
  const order = permutation(SEED, `distractors.${window}`, captions.length);
  const others = [...order].map((at) => captions[at]!).filter((caption) => caption !== own);
  return others.length < count ? undefined : others.slice(0, count);
}
