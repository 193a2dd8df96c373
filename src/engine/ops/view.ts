import { ShapeError } from '../../common/errors.js';
import { broadcastStrides, type Shape, sizeOf, stridedIndex, stridesOf } from '../../common/shape.js';
import { onePerInvocation } from '../kernel.js';
import type { AnyOp, Op, Value } from '../op.js';
import { sumTo } from './sum.js';

/*
 * Views: they run nothing, in a plan or in a reference run, which reads the input through the output's strides.
 * `Tensor` has their shape rules; `shape` and `reference` here are for display by `inspect`.
 */

/** The same elements under another shape. No dispatch: the output shares the input's storage. */
export const reshape: Op = {
  name: 'reshape',
  formula: 'y = x, under another shape',
  inputs: [{ name: 'x', dtype: 'any' }],
  outputs: ['y'],
  shape: ([x]) => [{ shape: x!.shape }],
  reference: ([x]) => [x!.data],
  dispatches: () => [],
  backward({ inputs: [x], gradients: [dY], addGradient }) {
    if (x!.requiresGradient) addGradient(x!, dY!.reshape(x!.shape));
  },
};

/** Axes in another order: `y[i_axes[0], i_axes[1], …] = x[i_0, i_1, …]`. No dispatch, only strides. */
export const permute: Op<{ axes: readonly number[] }> = {
  name: 'permute',
  formula: 'y[i_axes[0], i_axes[1], …] = x[i_0, i_1, …]',
  inputs: [{ name: 'x', dtype: 'any' }],
  outputs: ['y'],
  shape: ([x], { axes }) => [{ shape: axes.map((axis) => x!.shape[axis]!) }],
  reference: ([x], { axes }) => [permuteReference(x!, axes)],
  dispatches: () => [],
  backward({ inputs: [x], gradients: [dY], attributes: { axes }, addGradient }) {
    // The inverse order: the new index of axis a of x.
    const back = axes.map((_, axis) => axes.indexOf(axis));
    if (x!.requiresGradient) addGradient(x!, dY!.permute(back));
  },
};

/** A tensor repeated along axes that it lacks or has once. No dispatch: the strides along them are 0. */
export const expand: Op<{ to: readonly number[] }> = {
  name: 'expand',
  formula: 'y = x, repeated along missing axes and those of size 1',
  inputs: [{ name: 'x', dtype: 'any' }],
  outputs: ['y'],
  shape: (_, { to }) => [{ shape: to }],
  reference: ([x], { to }) => [expandReference(x!, to)],
  dispatches: () => [],
  // Each number of x occurs in several positions of y; its gradient is the sum of theirs.
  backward({ inputs: [x], gradients: [dY], addGradient }) {
    if (x!.requiresGradient) addGradient(x!, sumTo(dY!, x!.shape));
  },
};

/** Is an op a view, whose output shares its input's storage? */
export function isView(op: AnyOp): boolean {
  return op === reshape || op === permute || op === expand;
}

/** The numbers of x at every position of a larger shape, row-major. */
export function expandReference(x: Value, to: Shape): Float64Array {
  const strides = broadcastStrides(x.shape, stridesOf(x.shape), to);
  return Float64Array.from({ length: sizeOf(to) }, (_, i) => x.data[stridedIndex(i, to, strides)]!);
}

function permuteReference(x: Value, axes: readonly number[]): Float64Array {
  const shape = axes.map((axis) => x.shape[axis]!);
  const from = stridesOf(x.shape);
  const strides = axes.map((axis) => from[axis]!);
  const y = new Float64Array(x.data.length);
  for (let i = 0; i < y.length; i++) y[i] = x.data[stridedIndex(i, shape, strides)]!;
  return y;
}

/** Maximum axes of kernels that read by strides. */
export const MAX_AXES = 4;

/**
 * Sizes or strides of four axes as `Params`, outermost first; missing axes come first and have `missing`. Row-major indices
 * do not need the outermost size. `axisParams('size', [5, 6], 1) // { size1: 1, size2: 5, size3: 6 }`
 */
export function axisParams(name: string, values: readonly number[], missing: number): Record<string, number> {
  const four = [...new Array<number>(MAX_AXES - values.length).fill(missing), ...values];
  const named = four.map((value, axis) => [`${name}${axis}`, value] as const);
  return Object.fromEntries(name === 'size' ? named.slice(1) : named);
}

/** A row-major copy of a view of up to four axes, for ops that are not `strided`. */
export const contiguous: Op = {
  name: 'contiguous',
  formula: 'y = x, copied into row-major order',
  strided: true,
  inputs: [{ name: 'x', dtype: 'any' }],
  outputs: ['y'],
  copies: true,
  shape([x]) {
    if (x!.shape.length > MAX_AXES) {
      throw new ShapeError('contiguous', `a strided view must have at most ${MAX_AXES} axes`, { [x!.label]: x! });
    }
    return [{ shape: x!.shape, dtype: x!.dtype }];
  },
  reference: ([x]) => [x!.data],
  dispatches({ tensors }) {
    const x = tensors.x!;
    const params = { n: x.size, ...axisParams('size', x.shape, 1), ...axisParams('stride', x.strides, 0) };
    return [onePerInvocation('contiguous', x.size, tensors, params)];
  },
  backward({ inputs: [x], gradients: [dY], addGradient }) {
    if (x!.requiresGradient) addGradient(x!, dY!);
  },
};
