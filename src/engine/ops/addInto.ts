import { onePerInvocation } from '../kernel.js';
import type { Op } from '../op.js';

/** `y += x`: how a second gradient reaches an accumulator. Inputs: x; added into: y. */
export const addInto: Op = {
  name: 'addInto',
  formula: 'y += x',
  inputs: ['x'],
  outputs: [{ accumulates: 'y' }],
  shape: ([x]) => [{ shape: x!.shape }],
  reference: ([x]) => [x!.data],
  kernels: ({ inputs: { x }, outputs: { y } }) => [
    onePerInvocation('addInto', x!.size, { x: x!, y: y! }, { n: x!.size }),
  ],
};
