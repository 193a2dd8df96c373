import { onePerInvocation } from '../kernel.js';
import type { Op } from '../op.js';

/** `y += x`: adds a second gradient to an accumulator. Input: x; accumulated output: y. */
export const addInto: Op = {
  name: 'addInto',
  formula: 'y += x',
  inputs: ['x'],
  outputs: ['y'],
  existing: { y: 'accumulates' },
  shape: ([x]) => [{ shape: x!.shape }],
  reference: ([x]) => [x!.data],
  dispatches: ({ tensors }) => [onePerInvocation('addInto', tensors.x!.size, tensors, { n: tensors.x!.size })],
};
