import { ShapeError } from '../errors.js';
import { foldWorkgroups } from '../kernel.js';
import type { Op, Value } from '../op.js';
import { sizeOf, stridesOf } from '../shape.js';
import { WORKGROUP } from './elementwise.js';

/*
 * Views: nothing runs for them, in a plan or in a reference run, which reads the input through the output's strides. `Tensor` has
 * their shape rules; what `shape` and `reference` say here is for people, whom `inspect` shows it.
 */

/** The same elements under another shape. No dispatch: the output looks at the input's storage. */
export const reshape: Op = {
  name: 'reshape',
  formula: 'y = x, under another shape',
  inputs: [{ any: 'x' }],
  outputs: ['y'],
  shape: ([x]) => [{ shape: x!.shape }],
  reference: ([x]) => [x!.data],
  kernels: () => [],
  backward({ inputs: [x], gradients: [dY], give, wants }) {
    if (wants(x!)) give(x!, dY!.reshape(x!.shape));
  },
};

/** Axes in another order: `y[i_axes[0], i_axes[1], …] = x[i_0, i_1, …]`. No dispatch, only strides. */
export const permute: Op<{ axes: readonly number[] }> = {
  name: 'permute',
  formula: 'y[i_axes[0], i_axes[1], …] = x[i_0, i_1, …]',
  inputs: [{ any: 'x' }],
  outputs: ['y'],
  shape: ([x], { axes }) => [{ shape: axes.map((axis) => x!.shape[axis]!) }],
  reference: ([x], { axes }) => [permuteReference(x!, axes)],
  kernels: () => [],
  backward({ inputs: [x], gradients: [dY], attributes: { axes }, give, wants }) {
    // The inverse order: where axis a of x went.
    const back = axes.map((_, axis) => axes.indexOf(axis));
    if (wants(x!)) give(x!, dY!.permute(back));
  },
};

function permuteReference(x: Value, axes: readonly number[]): Float64Array {
  const shape = axes.map((axis) => x.shape[axis]!);
  const from = stridesOf(x.shape);
  const strides = axes.map((axis) => from[axis]!);
  const y = new Float64Array(x.data.length);
  for (let i = 0; i < y.length; i++) y[i] = x.data[stridedIndex(i, shape, strides)]!;
  return y;
}

/** Where row-major element `i` of a strided view sits in its storage. */
export function stridedIndex(i: number, shape: readonly number[], strides: readonly number[]): number {
  let rest = i;
  let at = 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at += (rest % shape[axis]!) * strides[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return at;
}

/** Axes that the kernel of `contiguous` has strides for. */
const MAX_AXES = 4;

/** A row-major copy of a view of up to four axes: what ops that are not `strided` are given. */
export const contiguous: Op = {
  name: 'contiguous',
  formula: 'y = x, copied into row-major order',
  strided: true,
  inputs: [{ any: 'x' }],
  outputs: ['y'],
  shape([x]) {
    if (x!.shape.length > MAX_AXES) {
      throw new ShapeError('contiguous', `a strided view must have at most ${MAX_AXES} axes`, { [x!.label]: x!.shape });
    }
    return [{ shape: x!.shape, dtype: x!.dtype, copies: x! }];
  },
  reference: ([x]) => [x!.data],
  kernels({ inputs: { x }, outputs: { y } }) {
    // Sizes and strides of four axes, outermost first; missing ones have size 1.
    const pad = MAX_AXES - x!.shape.length;
    const size = [...new Array<number>(pad).fill(1), ...x!.shape];
    const stride = [...new Array<number>(pad).fill(0), ...x!.strides];
    const params = {
      n: x!.size,
      size1: size[1]!,
      size2: size[2]!,
      size3: size[3]!,
      stride0: stride[0]!,
      stride1: stride[1]!,
      stride2: stride[2]!,
      stride3: stride[3]!,
    };
    const workgroups = foldWorkgroups(Math.ceil(sizeOf(x!.shape) / WORKGROUP));
    return [{ shader: 'contiguous', constants: { WORKGROUP }, bind: { x: x!, y: y! }, params, workgroups }];
  },
  backward({ inputs: [x], gradients: [dY], give, wants }) {
    if (wants(x!)) give(x!, dY!);
  },
};
