import { ShapeError } from '../errors.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import { sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { onePerInvocation } from './elementwise.js';

function addShape(a: Tensor, b: Tensor): readonly number[] {
  if (!sameShape(a.shape, b.shape)) {
    throw new ShapeError('add', 'a and b must have one shape', { a: a.shape, b: b.shape });
  }
  return a.shape;
}

function addReference(a: Value, b: Value): Float64Array {
  return a.data.map((value, i) => value + b.data[i]!);
}

/**
 * Add element by element: `y = a + b`.
 *
 * @param a [...]   @param b the same shape; there is no broadcasting
 * @returns [...], a new tensor
 * @throws ShapeError when the shapes differ
 */
export function add(a: Tensor, b: Tensor): Tensor {
  return a.program.record(addForward, [a, b], {})[0]!;
}

const addForward: Op = {
  name: 'add',
  formula: 'y = a + b',
  inputs: ['a', 'b'],
  outputs: ['y'],
  shape: ([a, b]) => [{ shape: addShape(a!, b!) }],
  reference: ([a, b]) => [addReference(a!, b!)],
  kernels: ({ inputs: { a, b }, outputs: { y } }) => [
    onePerInvocation('add', y!.size, { a: a!, b: b!, y: y! }, { n: y!.size }),
  ],
  // y = a + b: each receives dY as it is
  backward({ inputs, gradients: [dY], give, wants }) {
    for (const input of inputs) if (wants(input)) give(input, dY!);
  },
  flops: ({ outputs: [y] }) => y!.reduce((n, size) => n * size, 1),
};

/** `y += x`: how a second gradient reaches an accumulator. Inputs: x; added into: y. */
export const addInto: Op = {
  name: 'addInto',
  formula: 'y += x',
  inputs: ['x'],
  outputs: [{ adds: 'y' }],
  shape: ([x]) => [{ shape: x!.shape }],
  reference: ([x]) => [x!.data],
  kernels: ({ inputs: { x }, outputs: { y } }) => [
    onePerInvocation('addInto', x!.size, { x: x!, y: y! }, { n: x!.size }),
  ],
};

export const addRow: OpRow = {
  name: 'add',
  shaders: ['add', 'addInto'],
  samples: [
    { name: 'n', inputs: (n) => ({ a: [n], b: [n] }), call: (x) => [add(x.a!, x.b!)] },
    { name: 'twice', inputs: (n) => ({ a: [2, n] }), call: (x) => [add(x.a!, x.a!)] },
  ],
};
