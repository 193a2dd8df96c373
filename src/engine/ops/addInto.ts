import { onePerInvocation } from '../kernel.js';
import type { Op } from '../op.js';

/** `y += x`: adds a second gradient to an accumulator. Input: x; accumulated output: y. */
export const addInto: Op = {
  name: 'addInto',
  formula: 'y += x',
  inputs: ['x'],
  outputs: [{ accumulates: 'y' }],
  shape: ([x]) => [{ shape: x!.shape }],
  reference: ([x]) => [x!.data],
  dispatches: ({ inputs: { x }, outputs: { y } }) => [
    onePerInvocation('addInto', x!.size, { x: x!, y: y! }, { n: x!.size }),
  ],
};
