import { ShapeError } from '../../common/errors.js';
import { lastOf, rowsOf } from '../../common/shape.js';
import { kernelsFor } from '../kernelTable.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';
import { bmm } from './bmm.js';

function matmulShape(a: Tensor, b: Tensor): { M: number; N: number; K: number } {
  const shapes = { a: a.shape, b: b.shape };
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    throw new ShapeError('matmul', 'a and b must be matrices', shapes);
  }
  const [M, K] = a.shape as [number, number];
  const [inner, N] = b.shape as [number, number];
  if (K !== inner) {
    const hint = N === K ? `b.transpose() would give [${M}, ${inner}]` : '';
    throw new ShapeError('matmul', 'inner sizes must agree', shapes, hint);
  }
  return { M, N, K };
}

/** y[m, n] = Σ_k a[m, k] * b[k, n] (+ bias[n]), k in ascending order as in the kernels. */
export function matmulReference(
  a: Float64Array,
  b: Float64Array,
  M: number,
  N: number,
  K: number,
  bias?: Float64Array,
): Float64Array {
  const y = new Float64Array(M * N);
  for (let m = 0; m < M; m++) {
    for (let k = 0; k < K; k++) {
      const value = a[m * K + k]!; // a[m, k]
      for (let n = 0; n < N; n++) y[m * N + n]! += value * b[k * N + n]!;
    }
    if (bias !== undefined) for (let n = 0; n < N; n++) y[m * N + n]! += bias[n]!;
  }
  return y;
}

/** `[R, C]` numbers with the axes swapped, for references. */
export function transposed(x: Value): Float64Array {
  const [R, C] = x.shape as [number, number];
  const y = new Float64Array(R * C);
  for (let r = 0; r < R; r++) for (let c = 0; c < C; c++) y[c * R + r] = x.data[r * C + c]!;
  return y;
}

/**
 * Matrix product: `y[m, n] = Σ_k a[m, k] · b[k, n]`, also in batches, as `torch.matmul`. A transposed view needs no
 * copy: its form of the kernel reads the storage in transposed order.
 *
 * @param a [..., M, K]   @param b [K, N], or [..., K, N] with leading axes that broadcast to a's
 * @returns [..., M, N], a new tensor
 * @throws ShapeError when a or b has fewer than two axes, the inner sizes differ, or the leading axes do not broadcast
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const { program } = a;
  const [aAxes, bAxes] = [a.shape.length, b?.shape?.length ?? 0];
  if (aAxes > 2 && bAxes === 2 && lastOf(a.shape) === b.shape[0]) {
    // One b for all matrices a: their rows form one large matrix.
    const rows = a.reshape([rowsOf(a.shape), lastOf(a.shape)]);
    return matmul(rows, b).reshape([...a.shape.slice(0, -1), b.shape[1]!]);
  }
  if (Math.min(aAxes, bAxes) > 1 && Math.max(aAxes, bAxes) > 2) return bmm(a, b);
  if (bAxes === 0) return program.record(matmulForward, [a, b], {})[0]!; // which throws for b
  // The kernels read a or b transposed, not both at once, and no other view.
  const [left, right] = [a, b].map((x) => (x.isContiguous || isTransposed(x) ? x : program.contiguous(x)));
  const both = isTransposed(left!) && isTransposed(right!);
  return program.record(matmulForward, [left!, both ? program.contiguous(right!) : right!], {})[0]!;
}

const matmulForward: Op = {
  name: 'matmul',
  formula: 'y[m,n] = Σ_k a[m,k] · b[k,n]',
  strided: true,
  inputs: ['a', 'b'],
  outputs: ['y'],
  shape([a, b]) {
    const { M, N } = matmulShape(a!, b!);
    return [{ shape: [M, N] }];
  },
  reference([a, b]) {
    const [M, K] = a!.shape as [number, number];
    return [matmulReference(a!.data, b!.data, M, b!.shape[1]!, K)];
  },
  dispatches({ adapter, tensors: { a, b, y } }) {
    const flags = { transposeA: isTransposed(a!), transposeB: isTransposed(b!) };
    return kernelsFor('matmul', adapter, { a: a!, b: b!, y: y! }, matmulShape(a!, b!), flags);
  },
  // y = a b: dA = dY bᵀ, dB = aᵀ dY
  backward({ inputs: [a, b], gradients: [gradient], addGradient }) {
    const dY = a!.program.contiguous(gradient!);
    if (a!.requiresGradient) addGradient(a!, matmul(dY, b!.transpose()));
    if (b!.requiresGradient) addGradient(b!, matmul(a!.transpose(), dY));
  },
  flops: ({ inputs: [a, b] }) => 2 * a!.size * b!.shape[1]!,
};

/** A view whose rows are one element apart: the transpose of a row-major matrix. */
function isTransposed({ shape, strides, isContiguous }: Tensor): boolean {
  return !isContiguous && strides[0] === 1 && (strides[1] === shape[0] || shape[1] === 1);
}

export const matmulRow: OpRow = {
  name: 'matmul',
  passes: ['matmul'],
  samples: [
    { name: 'M = n', inputs: (n) => ({ a: [n, 9], b: [9, 31] }), call: (x) => [matmul(x.a!, x.b!)] },
    { name: 'N = n, bᵀ', inputs: (n) => ({ a: [33, 8], b: [n, 8] }), call: (x) => [matmul(x.a!, x.b!.transpose())] },
    { name: 'K = n, aᵀ', inputs: (n) => ({ a: [n, 17], b: [n, 40] }), call: (x) => [matmul(x.a!.transpose(), x.b!)] },
    {
      name: 'both transposed',
      inputs: (n) => ({ a: [7, n], b: [5, 7] }),
      call: (x) => [matmul(x.a!.transpose(), x.b!.transpose())],
    },
    {
      name: 'K = n + 512, aᵀ: long enough to be split',
      inputs: (n) => ({ a: [n + 512, 6], b: [n + 512, 5] }),
      call: (x) => [matmul(x.a!.transpose(), x.b!)],
    },
  ],
};
