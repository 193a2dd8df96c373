import { type Draws, rngAt } from './draws.js';
import { evenly } from './split.js';
import type { Window, WindowKind, WindowSize, WindowSource } from './window.js';
import { count } from './words.js';

/**
 * A generator with known content: `combinations` different things, each with endless random variations. `make` builds a
 * window of one of them; its caption follows from the combination alone.
 */
export interface Generator {
  readonly kind: WindowKind;
  readonly name: 'sound' | 'scene';
  readonly combinations: number;
  make(combination: number, draws: Draws): Window;
}

/** Options for the split. */
export interface SyntheticOptions {
  /** held-out share of the combinations. Default 0.5 */
  readonly validation?: number;
  /** the length of the fixed list of held-out windows. Default 64 */
  readonly validationWindows?: number;
}

/** Windows of a generator. The held-out combinations do not depend on any seed, so that runs can be compared. */
export function syntheticSource(generator: Generator, size: WindowSize, options: SyntheticOptions = {}): WindowSource {
  const { validation: share = 0.5, validationWindows = 64 } = options;
  const { kind, name, combinations, make } = generator;
  const lists = { train: [] as number[], validation: [] as number[] };
  for (let c = 0; c < combinations; c++) {
    const heldOut = rngAt(0, 'heldOut', 0, c).next() < share;
    lists[heldOut ? 'validation' : 'train'].push(c);
  }
  const validationCount = Math.min(validationWindows, lists.validation.length);
  const validation = (index: number): Window => {
    const combination = lists.validation[evenly(index, validationCount, lists.validation.length)]!;
    return make(combination, rngAt(0, 'heldOut', 1, combination));
  };
  // The generator's code is the data: its held-out windows change with it.
  function* heldOutBytes(): IterableIterator<Uint8Array> {
    for (let i = 0; i < validationCount; i++) {
      const { prefix, stream } = validation(i);
      for (const ids of [prefix, stream]) yield new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
    }
  }
  return {
    kind,
    name: `made ${name}s`,
    size,
    trainCount: lists.train.length,
    validationCount,
    split: { train: lists.train.map(String), validation: lists.validation.map(String) },
    contents: () => [{ name: `made ${name}s`, pieces: heldOutBytes() }],
    sample(split, seed, step, index) {
      const draws = rngAt(seed, name, step, index);
      return make(draws.pick(lists[split]), draws);
    },
    validation,
    describe: () =>
      `${kind}: made ${name}s: ${count(combinations, 'combination')}, ${lists.validation.length.toLocaleString('en-US')} of them held out whole, ${lists.train.length.toLocaleString('en-US')} to train on`,
  };
}

/**
 * Split one number into a choice from each list; the last list varies fastest.
 *
 *     choose(4, [['a', 'b'], [1, 2, 3]]) // ['b', 2]
 */
export function choose<T extends readonly (readonly unknown[])[]>(
  index: number,
  lists: readonly [...T],
): { [I in keyof T]: T[I][number] } {
  let rest = index;
  const chosen = lists.toReversed().map((list) => {
    const value = list[rest % list.length];
    rest = Math.floor(rest / list.length);
    return value;
  });
  return chosen.toReversed() as { [I in keyof T]: T[I][number] };
}

/** choices([['a', 'b'], [1, 2, 3]]) // 6 */
export function choices(lists: readonly (readonly unknown[])[]): number {
  return lists.reduce((product, list) => product * list.length, 1);
}
