import { aroundAxis, axisOf, type Shape, sameShape, sizeOf } from '../../common/shape.js';
import { onePerWorkgroup } from '../kernel.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';

/**
 * Sum over one axis or over all: `y[outer, inner] = Σ_j x[outer, j, inner]`.
 *
 * @param x [...]   @param axis the one to sum over, negative from the end; default all
 * @param keepdim true keeps the axis, with size 1
 * @returns x's shape without the axis; a scalar [] if all are summed
 * @throws ShapeError when there is no such axis
 */
export function sum(x: Tensor, axis?: number, keepdim = false): Tensor {
  return reduce('sum', x, axis, keepdim);
}

/**
 * Mean over one axis or over all: `y[outer, inner] = Σ_j x[outer, j, inner] / n`, with the arguments of `sum`. 0 if n
 * is 0.
 *
 * @throws ShapeError when there is no such axis
 */
export function mean(x: Tensor, axis?: number, keepdim = false): Tensor {
  return reduce('mean', x, axis, keepdim);
}

function reduce(name: 'sum' | 'mean', x: Tensor, axis: number | undefined, keepdim: boolean): Tensor {
  const op = OPS[name];
  if (axis === undefined) {
    const all = x.program.record(op, [x.reshape([x.size])], { axis: 0 })[0]!;
    return all.reshape(keepdim ? x.shape.map(() => 1) : []);
  }
  const at = axisOf(name, x.shape, axis);
  const y = x.program.record(op, [x], { axis: at })[0]!;
  return keepdim ? y.reshape(x.shape.map((size, i) => (i === at ? 1 : size))) : y;
}

/**
 * Sum over the axes along which `shape` was repeated to x's: the gradient of broadcasting. x itself if there are none.
 *
 *     sumTo(x [4, 2, 3], [2, 1])   // Σ over axes 0 and 2: [2, 1]
 */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const missing = x.shape.length - shape.length;
  let y = x;
  if (missing > 0) y = y.reshape([sizeOf(x.shape.slice(0, missing)), ...x.shape.slice(missing)]).sum(0);
  for (const [axis, size] of shape.entries()) if (y.shape[axis] !== size) y = y.sum(axis, true);
  return y;
}

function sumReference(x: Value, axis: number): Float64Array {
  const { outer, n, inner } = aroundAxis(x.shape, axis);
  const y = new Float64Array(outer * inner);
  for (let o = 0; o < outer; o++)
    // x[o, j, i]
    for (let j = 0; j < n; j++) for (let i = 0; i < inner; i++) y[o * inner + i]! += x.data[(o * n + j) * inner + i]!;
  return y;
}

/** Sum and mean differ in a divisor, 1 or n. */
function reduceOp(name: 'sum' | 'mean', formula: string, divisor: (n: number) => number): Op<{ axis: number }> {
  return {
    name,
    formula,
    inputs: ['x'],
    outputs: ['y'],
    shape: ([x], { axis }) => [{ shape: x!.shape.filter((_, i) => i !== axis) }],
    reference: ([x], { axis }) => [sumReference(x!, axis).map((value) => value / divisor(x!.shape[axis]!))],
    dispatches({ tensors, attributes: { axis } }) {
      const { n, inner } = aroundAxis(tensors.x!.shape, axis);
      const params = { count: tensors.y!.size, n, inner, divisor: divisor(n) };
      return [onePerWorkgroup('sum', tensors.y!.size, 64, tensors, params)];
    },
    // Every x[outer, j, inner] counts once in y[outer, inner].
    backward({ inputs: [x], gradients: [dY], attributes: { axis }, addGradient }) {
      if (!x!.requiresGradient) return;
      const n = divisor(x!.shape[axis]!);
      const dX = n === 1 ? dY! : dY!.div(n);
      addGradient(x!, dX.reshape(x!.shape.map((size, i) => (i === axis ? 1 : size))).expand(x!.shape));
    },
    flops: ({ inputs: [x] }) => x!.size,
  };
}

const OPS = {
  sum: reduceOp('sum', 'y = Σ_j x[…, j, …]', () => 1),
  mean: reduceOp('mean', 'y = Σ_j x[…, j, …] / n', (n) => Math.max(1, n)),
};

/** The samples of both: long and short axes, first, middle, last, and all. */
function samples(f: typeof sum): OpRow['samples'] {
  return [
    { name: 'the last of n', inputs: (n) => ({ x: [5, n] }), call: (x) => [f(x.x!, -1)] },
    { name: 'the first of n + 64', inputs: (n) => ({ x: [n + 64, 3] }), call: (x) => [f(x.x!, 0, true)] },
    { name: 'the middle one, of n', inputs: (n) => ({ x: [2, n, 3] }), call: (x) => [f(x.x!, 1)] },
    { name: 'all', inputs: (n) => ({ x: [3, n] }), call: (x) => [f(x.x!)] },
  ];
}

export const sumRow: OpRow = { name: 'sum', passes: ['sum'], samples: samples(sum) };
export const meanRow: OpRow = { name: 'mean', file: 'sum', passes: ['sum'], samples: samples(mean) };
