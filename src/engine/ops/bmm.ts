import { ShapeError } from '../../common/errors.js';
import { broadcastShape, broadcastStrides, type Shape, sizeOf, stridedIndex, stridesOf } from '../../common/shape.js';
import { onePerInvocation } from '../kernel.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';
import { sumTo } from './sum.js';
import { axisParams, MAX_AXES } from './view.js';

/**
 * Matrix products in batches: `y[z, m, n] = Σ_k a[z, m, k] · b[z, k, n]`. `matmul` calls it for more than two axes.
 *
 * @param a [..., M, K]   @param b [..., K, N]; the leading axes broadcast, at most 2 of them
 * @returns [..., M, N], a new tensor
 * @throws ShapeError when the inner sizes differ or the leading axes do not broadcast
 */
export function bmm(a: Tensor, b: Tensor): Tensor {
  return a.program.record(bmmOp, [a, b], {})[0]!;
}

function bmmShape(a: Shape, b: Shape): Shape {
  const batch = broadcastShape(a.slice(0, -2), b.slice(0, -2));
  if (a.length < 2 || b.length < 2 || a.at(-1) !== b.at(-2) || batch === undefined) {
    const rule = 'a must be [..., M, K] and b [..., K, N], with leading axes that broadcast';
    throw new ShapeError('matmul', rule, { a, b });
  }
  if (batch.length + 2 > MAX_AXES) throw new ShapeError('matmul', `takes at most ${MAX_AXES} axes`, { a, b });
  return [...batch, a.at(-2)!, b.at(-1)!];
}

/** Strides of a batch: 0 along leading axes that are repeated. */
function batchStrides(shape: Shape, strides: readonly number[], batch: Shape): number[] {
  return [...broadcastStrides(shape.slice(0, -2), strides.slice(0, -2), batch), ...strides.slice(-2)];
}

function bmmReference(a: Value, b: Value): Float64Array {
  const shape = bmmShape(a.shape, b.shape);
  const batch = shape.slice(0, -2);
  const [M, N] = shape.slice(-2) as [number, number];
  const K = a.shape.at(-1)!;
  const y = new Float64Array(sizeOf(shape));
  for (let z = 0; z < sizeOf(batch); z++) {
    const aAt = stridedIndex(z, batch, batchStrides(a.shape, stridesOf(a.shape), batch)); // a[z, 0, 0]
    const bAt = stridedIndex(z, batch, batchStrides(b.shape, stridesOf(b.shape), batch)); // b[z, 0, 0]
    for (let m = 0; m < M; m++)
      for (let k = 0; k < K; k++)
        for (let n = 0; n < N; n++) {
          y[(z * M + m) * N + n]! += a.data[aAt + m * K + k]! * b.data[bAt + k * N + n]!;
        }
  }
  return y;
}

const bmmOp: Op = {
  name: 'bmm',
  formula: 'y[z,m,n] = Σ_k a[z,m,k] · b[z,k,n]',
  strided: true,
  inputs: ['a', 'b'],
  outputs: ['y'],
  shape: ([a, b]) => [{ shape: bmmShape(a!.shape, b!.shape) }],
  reference: ([a, b]) => [bmmReference(a!, b!)],
  dispatches({ tensors: { a, b, y } }) {
    const params = {
      count: y!.size,
      K: a!.shape.at(-1)!,
      ...axisParams('size', y!.shape, 1),
      ...axisParams('aStride', batchStrides(a!.shape, a!.strides, y!.shape.slice(0, -2)), 0),
      ...axisParams('bStride', batchStrides(b!.shape, b!.strides, y!.shape.slice(0, -2)), 0),
    };
    return [onePerInvocation('bmm', y!.size, { a: a!, b: b!, y: y! }, params)];
  },
  // y = a b: dA = dY bᵀ, dB = aᵀ dY, each summed over the repetitions of a or b
  backward({ inputs: [a, b], gradients: [dY], addGradient }) {
    if (a!.requiresGradient) addGradient(a!, sumTo(bmm(dY!, b!.transpose()), a!.shape));
    if (b!.requiresGradient) addGradient(b!, sumTo(bmm(a!.transpose(), dY!), b!.shape));
  },
  flops: ({ inputs: [a], outputs: [y] }) => 2 * y!.size * a!.shape.at(-1)!,
};

export const bmmRow: OpRow = {
  name: 'bmm',
  passes: ['bmm'],
  samples: [
    { name: 'M = n', inputs: (n) => ({ a: [3, n, 4], b: [3, 4, 5] }), call: (x) => [bmm(x.a!, x.b!)] },
    {
      name: 'K = n, bᵀ',
      inputs: (n) => ({ a: [2, 2, 3, n], b: [2, 2, 5, n] }),
      call: (x) => [bmm(x.a!, x.b!.transpose())],
    },
    {
      name: 'b repeated, N = n',
      inputs: (n) => ({ a: [2, 3, 4, 5], b: [3, 5, n] }),
      call: (x) => [bmm(x.a!, x.b!)],
    },
    { name: 'a repeated, M = n', inputs: (n) => ({ a: [n, 3], b: [4, 3, 2] }), call: (x) => [bmm(x.a!, x.b!)] },
  ],
};
