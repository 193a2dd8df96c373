import { InputError, kindOf, ShapeError } from '../../common/errors.js';
import { aroundAxis, axisOf, type Shape, sameShape, sizeOf } from '../../common/shape.js';
import { onePerInvocation } from '../kernel.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import { Tensor } from '../tensor.js';

/**
 * Concatenate tensors along an axis, PyTorch's `torch.concat`.
 *
 *     concat([x [2, 3], y [2, 5]], 1)   // [2, 8]
 *
 * @param tensors at least one, equal in all other axes   @param axis negative from the end; default the first
 * @returns their shape, with the sizes along the axis summed; a new tensor
 * @throws ShapeError when another axis differs, or there is no such axis   @throws InputError when there is no tensor
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first] = tensors;
  if (!(first instanceof Tensor)) {
    throw new InputError(`concat: takes a list of at least one tensor; got ${kindOf(first)}`);
  }
  if (tensors.length === 1) return first;
  return first.program.record(concatOp(tensors.length), tensors, { axis: axisOf('concat', first.shape, axis) })[0]!;
}

function concatShape(parts: readonly Pick<Value, 'shape'>[], axis: number): Shape {
  const shapes = parts.map(({ shape }) => shape);
  const others = (shape: Shape) => shape.filter((_, i) => i !== axis);
  const [first] = shapes as [Shape];
  const odd = shapes.findIndex((shape) => shape.length !== first.length || !sameShape(others(shape), others(first)));
  if (odd >= 0) {
    const rule = `all axes but ${axis} must be equal`;
    throw new ShapeError('concat', rule, { x0: first, [`x${odd}`]: shapes[odd]! });
  }
  const total = shapes.reduce((sum, shape) => sum + shape[axis]!, 0);
  return first.map((size, i) => (i === axis ? total : size));
}

/** Offset of each part along the axis: 0 and 3 for x0 [2, 3] and x1 [2, 5] along axis 1. */
function startsOf(parts: readonly Pick<Value, 'shape'>[], axis: number): number[] {
  let end = 0;
  return parts.map(({ shape }) => {
    end += shape[axis]!;
    return end - shape[axis]!;
  });
}

function concatReference(parts: readonly Value[], axis: number): Float64Array {
  const whole = concatShape(parts, axis);
  const y = new Float64Array(sizeOf(whole));
  for (const [p, start] of startsOf(parts, axis).entries()) {
    const { outer, n, inner } = aroundAxis(parts[p]!.shape, axis);
    for (let o = 0; o < outer; o++) {
      const rows = parts[p]!.data.subarray(o * n * inner, (o + 1) * n * inner); // x[o, :, :]
      y.set(rows, (o * whole[axis]! + start) * inner);
    }
  }
  return y;
}

/** The op that concatenates the given number of tensors. */
function concatOp(count: number): Op<{ axis: number }> {
  return {
    name: 'concat',
    formula: 'y = x0, x1, … concatenated along an axis',
    inputs: Array.from({ length: count }, (_, i) => `x${i}`),
    outputs: ['y'],
    shape: (inputs, { axis }) => [{ shape: concatShape(inputs, axis) }],
    reference: (parts, { axis }) => [concatReference(parts, axis)],
    // Each part is copied by a dispatch of its own; they write different elements of y.
    dispatches({ tensors: { y, ...inputs }, attributes: { axis } }) {
      const parts = Object.values(inputs);
      const starts = startsOf(parts, axis);
      return parts.map((x, p) => {
        const { n, inner } = aroundAxis(x.shape, axis);
        const params = { count: x.size, n, inner, size: y!.shape[axis]!, start: starts[p]! };
        return onePerInvocation('concat', x.size, { x, y: y! }, params);
      });
    },
    // The gradient of each part is its part of dY.
    backward({ inputs, gradients: [dY], attributes: { axis }, addGradient }) {
      const starts = startsOf(inputs, axis);
      for (const [p, x] of inputs.entries()) {
        if (x.requiresGradient) addGradient(x, dY!.slice(axis, starts[p]!, starts[p]! + x.shape[axis]!));
      }
    },
  };
}

export const concatRow: OpRow = {
  name: 'concat',
  passes: ['concat'],
  samples: [
    { name: 'n rows and 3', inputs: (n) => ({ a: [n, 4], b: [3, 4] }), call: (x) => [concat([x.a!, x.b!])] },
    {
      name: 'three, along the middle axis',
      inputs: (n) => ({ a: [2, 1, n], b: [2, 3, n], c: [2, 2, n] }),
      call: (x) => [concat([x.a!, x.b!, x.c!], 1)],
    },
    { name: 'one tensor twice', inputs: (n) => ({ a: [3, n] }), call: (x) => [concat([x.a!, x.a!], -1)] },
  ],
};
