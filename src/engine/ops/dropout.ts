import { InputError } from '../../common/errors.js';
import { philox } from '../../common/random.js';
import { onePerInvocation } from '../kernel.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';

/** `nth` numbers the dropouts of a program, so that no two draw the same numbers. */
interface Draw extends Record<string, number> {
  p: number;
  seed: number;
  nth: number;
}

const TWO_32 = 2 ** 32;

/**
 * Dropout: in training, each number is 0 with probability p, and the others are divided by 1 − p. In evaluation
 * (`value`), y is x.
 *
 * No generator has state: the choice for element i in step t is a function of (seed of the program, number of the
 * dropout, t, i), so a repeated or resumed run keeps the same elements.
 *
 * @param x [...]   @param p 0 up to, not including, 1
 * @returns [...], a new tensor
 * @throws InputError when p is out of range
 * @see Srivastava et al. 2014, JMLR 15; the numbers: src/common/random.ts
 */
export function dropout(x: Tensor, p = 0.5): Tensor {
  if (!(p >= 0 && p < 1)) throw new InputError(`dropout: p must be from 0 to below 1; got ${p}`);
  if (p === 0) return x;
  const { program } = x;
  const nth = program.entries.filter(({ op }) => op === dropoutOp).length;
  return program.record(dropoutOp, [x, program.step], { p, seed: program.seed, nth })[0]!;
}

/** Words below this number drop their element. */
function thresholdOf(p: number): number {
  return Math.min(TWO_32 - 1, Math.round(p * TWO_32));
}

function dropoutReference(x: Value, step: number, { p, seed, nth }: Draw): Float64Array {
  if (step === 0) return x.data;
  const key = [seed >>> 0, Math.floor(seed / TWO_32)];
  return x.data.map((value, i) => (philox([i, step, nth, 0], key)[0]! < thresholdOf(p) ? 0 : value / (1 - p)));
}

const dropoutOp: Op<Draw> = {
  name: 'dropout',
  formula: 'y = 0 where dropped, else x / (1 − p); y = x in step 0',
  inputs: ['x', { name: 'step', dtype: 'u32' }],
  outputs: ['y'],
  shape: ([x]) => [{ shape: x!.shape }],
  reference: ([x, step], draw) => [dropoutReference(x!, step!.data[0]!, draw)],
  dispatches({ tensors, attributes: { p, seed, nth } }) {
    const n = tensors.x!.size;
    const key = { seedLow: seed >>> 0, seedHigh: Math.floor(seed / TWO_32) };
    const params = { n, threshold: thresholdOf(p), scale: 1 / (1 - p), nth, ...key };
    return [onePerInvocation('dropout', n, tensors, params)];
  },
  // y is x times 0 or 1 / (1 − p), and dX is dY times the same number.
  backward({ inputs: [x, step], gradients: [dY], attributes, addGradient }) {
    if (x!.requiresGradient) addGradient(x!, x!.program.record(dropoutOp, [dY!, step!], attributes)[0]!);
  },
  flops: ({ inputs: [x] }) => 100 * x!.size,
};

export const dropoutRow: OpRow = {
  name: 'dropout',
  passes: ['dropout'],
  samples: [
    {
      name: 'n',
      inputs: (n) => ({ x: [3, n] }),
      ids: () => ({ step: { shape: [1], idLimit: 2 ** 20 } }),
      call: ({ x, step }) => [x!.program.record(dropoutOp, [x!, step!], { p: 0.3, seed: 2 ** 40 + 7, nth: 2 })[0]!],
    },
    { name: 'n, evaluated only', inputs: (n) => ({ x: [n] }), call: ({ x }) => [dropout(x!)] },
  ],
};
