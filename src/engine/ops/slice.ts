import { ShapeError } from '../../common/errors.js';
import { aroundAxis, axisOf, type Shape, sizeOf } from '../../common/shape.js';
import { onePerInvocation } from '../kernel.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';

/** The part and the axis; `size` is the whole axis. */
interface Range extends Record<string, number> {
  axis: number;
  start: number;
  end: number;
  size: number;
}

/**
 * A part of an axis: `y[outer, j, inner] = x[outer, start + j, inner]`, PyTorch's `x[:, start:end]`.
 *
 * @param x [...]   @param axis negative from the end   @param start negative from the end   @param end after the last; default all
 * @returns x's shape with `end − start` along the axis, a new tensor
 * @throws ShapeError when there is no such axis, or start and end are not ordered whole numbers within it
 */
export function slice(x: Tensor, axis: number, start: number, end?: number): Tensor {
  const at = axisOf('slice', x.shape, axis);
  const size = x.shape[at]!;
  const [from, to] = [start, end ?? size].map((place) => (place < 0 ? place + size : place)) as [number, number];
  if (![from, to].every(Number.isInteger) || from < 0 || from > to || to > size) {
    throw new ShapeError('slice', `start (${start}) and end (${end ?? size}) must be within axis ${at}, in order`, {
      x,
    });
  }
  if (from === 0 && to === size) return x;
  return x.program.record(sliceForward, [x], { axis: at, start: from, end: to, size })[0]!;
}

/** `shape` with another size along an axis. */
function resized(shape: Shape, axis: number, size: number): number[] {
  return shape.map((old, i) => (i === axis ? size : old));
}

/** Visit every element of the part: its index in the part, and in the whole. */
function visitPart(part: Shape, { axis, start, size }: Range, visit: (inPart: number, inWhole: number) => void): void {
  const { outer, n, inner } = aroundAxis(part, axis);
  for (let o = 0; o < outer; o++)
    for (let j = 0; j < n; j++)
      for (let i = 0; i < inner; i++) visit((o * n + j) * inner + i, (o * size + start + j) * inner + i);
}

function sliceReference(x: Value, range: Range): Float64Array {
  const shape = resized(x.shape, range.axis, range.end - range.start);
  const y = new Float64Array(sizeOf(shape));
  visitPart(shape, range, (inPart, inWhole) => {
    y[inPart] = x.data[inWhole]!;
  });
  return y;
}

const sliceForward: Op<Range> = {
  name: 'slice.forward',
  formula: 'y[…, j, …] = x[…, start + j, …]',
  inputs: ['x'],
  outputs: ['y'],
  shape: ([x], { axis, start, end }) => [{ shape: resized(x!.shape, axis, end - start) }],
  reference: ([x], range) => [sliceReference(x!, range)],
  dispatches: ({ tensors, attributes: { axis, start, size } }) => {
    const { y } = tensors;
    const { n, inner } = aroundAxis(y!.shape, axis);
    const params = { count: y!.size, n, size, start };
    return [onePerInvocation('slice.forward', y!.size, tensors, params, { INNER: inner })];
  },
  backward({ inputs: [x], gradients: [dY], attributes, addGradient }) {
    if (x!.requiresGradient) addGradient(x!, x!.program.record(sliceBackward, [dY!], attributes)[0]!);
  },
};

/** y copies a part of x, so dX is dY there and 0 elsewhere. */
function sliceBackwardReference(dY: Value, range: Range): Float64Array {
  const dX = new Float64Array(sizeOf(resized(dY.shape, range.axis, range.size)));
  visitPart(dY.shape, range, (inPart, inWhole) => {
    dX[inWhole] = dY.data[inPart]!;
  });
  return dX;
}

const sliceBackward: Op<Range> = {
  name: 'slice.backward',
  formula: 'dX[…, start + j, …] = dY[…, j, …], 0 elsewhere',
  inputs: ['dY'],
  outputs: ['dX'],
  shape: ([dY], { axis, size }) => [{ shape: resized(dY!.shape, axis, size) }],
  reference: ([dY], range) => [sliceBackwardReference(dY!, range)],
  dispatches: ({ tensors, attributes: { axis, start, size } }) => {
    const { dY, dX } = tensors;
    const { n, inner } = aroundAxis(dY!.shape, axis);
    const params = { count: dX!.size, n, size, start };
    return [onePerInvocation('slice.backward', dX!.size, tensors, params, { INNER: inner })];
  },
};

export const sliceRow: OpRow = {
  name: 'slice',
  passes: ['slice.forward', 'slice.backward'],
  samples: [
    { name: '2 to n + 2 of the last', inputs: (n) => ({ x: [3, n + 4] }), call: (x) => [slice(x.x!, -1, 2, -2)] },
    { name: '1 to 3 of the middle', inputs: (n) => ({ x: [2, 4, n] }), call: (x) => [slice(x.x!, 1, 1, 3)] },
    { name: 'all but the first', inputs: (n) => ({ x: [n + 1, 2, 3] }), call: (x) => [slice(x.x!, 0, 1)] },
  ],
};
