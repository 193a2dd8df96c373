import { ShapeError } from '../../common/errors.js';
import { lastOf, rowsOf } from '../../common/shape.js';
import { onePerInvocation } from '../kernel.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';

/**
 * Rows of another width: cropped to W columns, or padded with zeros. It pads ids to whole slots, and slots to the width
 * of a decoder.
 *
 * y[n, w] = x[n, w] for w < C, 0 from there on
 *
 * @param x [..., C], f32 or u32   @param W columns of y
 * @returns [..., W]; x itself if C is W
 * @throws ShapeError when x has no axis, or W is not a whole number
 */
export function padOrCrop(x: Tensor, W: number): Tensor {
  if (x.shape.length > 0 && lastOf(x.shape) === W) return x;
  return x.program.record(padOrCropForward, [x], { W })[0]!;
}

function padOrCropReference(x: Value, W: number): Float64Array {
  const C = lastOf(x.shape);
  const y = new Float64Array(rowsOf(x.shape) * W);
  for (let i = 0; i < y.length; i++) {
    const w = i % W;
    if (w < C) y[i] = x.data[Math.floor(i / W) * C + w]!;
  }
  return y;
}

const padOrCropForward: Op<{ W: number }> = {
  name: 'padOrCrop',
  formula: 'y[n,w] = x[n,w] where x has it, else 0',
  inputs: [{ name: 'x', dtype: 'any' }],
  outputs: ['y'],
  copies: true,
  shape([x], { W }) {
    if (x!.shape.length === 0 || !Number.isInteger(W) || W < 0) {
      throw new ShapeError('padOrCrop', `x must be [..., C], and W (${W}) a whole number`, { x: x! });
    }
    return [{ shape: [...x!.shape.slice(0, -1), W], dtype: x!.dtype }];
  },
  reference: ([x], { W }) => [padOrCropReference(x!, W)],
  dispatches({ tensors, attributes: { W } }) {
    const { shape } = tensors.x!;
    return [onePerInvocation('padOrCrop', tensors.y!.size, tensors, { N: rowsOf(shape), C: lastOf(shape), W })];
  },
  // Cropped columns get gradient 0 and padded ones none: padOrCrop in the other direction.
  backward({ inputs: [x], gradients: [dY], addGradient }) {
    if (x!.requiresGradient) addGradient(x!, padOrCrop(dY!, lastOf(x!.shape)));
  },
};

export const padOrCropRow: OpRow = {
  name: 'padOrCrop',
  passes: ['padOrCrop'],
  samples: [
    {
      name: 'n + 3 columns to n',
      inputs: (n) => ({ x: [2, 3, n + 3] }),
      call: (x, n) => [padOrCrop(x.x!, n)],
      roundings: 0,
    },
    {
      name: 'n columns to n + 3',
      inputs: (n) => ({ x: [n, n] }),
      call: (x, n) => [padOrCrop(x.x!, n + 3)],
      roundings: 0,
    },
  ],
};
