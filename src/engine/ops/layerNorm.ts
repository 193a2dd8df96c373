import { ShapeError } from '../../common/errors.js';
import { lastOf, rowsOf, type Shape } from '../../common/shape.js';
import { kernelsFor } from '../kernelTable.js';
import type { Op, Value } from '../op.js';
import { type OpRow, samplesOf } from '../registry.js';
import type { Tensor } from '../tensor.js';
import { add } from './binary.js';

/**
 * The shape rule of `layerNorm` and `addLayerNorm`: y as x, and a mean and a rstd for each row.
 *
 * @throws ShapeError, in the name of `op`, when weight or bias is not [C]
 */
export function layerNormShape(op: string, x: Shape, weight: Shape, bias: Shape): { y: Shape; rows: Shape } {
  for (const [name, shape] of Object.entries({ weight, bias })) {
    if (shape.length !== 1 || shape[0] !== lastOf(x)) {
      throw new ShapeError(op, `${name} must be [C], where C is the last axis of x`, { x, [name]: shape });
    }
  }
  return { y: x, rows: x.slice(0, -1) };
}

/** Rows and columns of the kernels: x [..., C] as [N, C]. */
export function sizesOf({ shape }: Tensor): { N: number; C: number } {
  return { N: rowsOf(shape), C: lastOf(shape) };
}

/** Row by row: the scaled and shifted row, its mean, and its reciprocal standard deviation. */
export function layerNormReference(x: Value, weight: Value, bias: Value, eps: number): Float64Array[] {
  const C = lastOf(x.shape);
  const N = rowsOf(x.shape);
  const y = new Float64Array(N * C);
  const mean = new Float64Array(N);
  const rstd = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    const row = x.data.subarray(n * C, n * C + C); // x[n, :]
    let sum = 0;
    for (let c = 0; c < C; c++) sum += row[c]!;
    const m = sum / C;
    let squares = 0;
    for (let c = 0; c < C; c++) squares += (row[c]! - m) ** 2;
    const r = 1 / Math.sqrt(squares / C + eps);
    for (let c = 0; c < C; c++) y[n * C + c] = (row[c]! - m) * r * weight.data[c]! + bias.data[c]!;
    mean[n] = m;
    rstd[n] = r;
  }
  return [y, mean, rstd];
}

/**
 * Normalise each row to mean 0 and variance 1, then scale and shift.
 *
 * y[n, c] = (x[n, c] - mean[n]) * rstd[n] * weight[c] + bias[c],  rstd = 1 / sqrt(variance + eps)
 *
 * @param x [..., C]   @param weight [C]   @param bias [C]   @param eps added to the variance
 * @returns [..., C], a new tensor; keeps mean and rstd for backward
 * @throws ShapeError when weight or bias is not [C]
 * @see Ba et al. 2016, arXiv:1607.06450
 */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, eps = 1e-5): Tensor {
  return x.program.record(layerNormForward, [x, weight, bias], { eps })[0]!;
}

const layerNormForward: Op<{ eps: number }> = {
  name: 'layerNorm.forward',
  formula: 'y = (x − mean) · rstd · weight + bias,  rstd = 1/√(variance + eps)',
  inputs: ['x', 'weight', 'bias'],
  outputs: ['y', 'mean', 'rstd'],
  shape([x, weight, bias]) {
    const { y, rows } = layerNormShape('layerNorm', x!.shape, weight!.shape, bias!.shape);
    return [{ shape: y }, { shape: rows }, { shape: rows }];
  },
  reference: ([x, weight, bias], { eps }) => layerNormReference(x!, weight!, bias!, eps),
  dispatches: ({ adapter, tensors, attributes: { eps } }) =>
    kernelsFor('layerNorm.forward', adapter, tensors, { ...sizesOf(tensors.x!), eps }),
  backward({ inputs: [x, weight, bias], outputs: [, mean, rstd], gradients: [dY], addGradient, accumulator }) {
    const { program } = x!;
    const dOut = program.contiguous(dY!);
    if (x!.requiresGradient)
      addGradient(x!, program.record(layerNormBackward, [x!, weight!, mean!, rstd!, dOut], {})[0]!);
    if (weight!.requiresGradient || bias!.requiresGradient) {
      program.record(layerNormBackwardWeight, [x!, mean!, rstd!, dOut], {}, [accumulator(weight!), accumulator(bias!)]);
    }
  },
  flops: ({ inputs: [x] }) => 8 * x!.size,
};

/** With xhat = (x - mean) * rstd and g = dY * weight: dX = rstd * (g - mean(g) - xhat * mean(g * xhat)), row by row. */
export function layerNormBackwardReference(x: Value, weight: Value, mean: Value, rstd: Value, dY: Value): Float64Array {
  const C = lastOf(x.shape);
  const N = rowsOf(x.shape);
  const dX = new Float64Array(N * C);
  for (let n = 0; n < N; n++) {
    const xhat = (c: number) => (x.data[n * C + c]! - mean.data[n]!) * rstd.data[n]!;
    const g = (c: number) => dY.data[n * C + c]! * weight.data[c]!;
    let sum = 0;
    let dot = 0;
    for (let c = 0; c < C; c++) {
      sum += g(c);
      dot += g(c) * xhat(c);
    }
    for (let c = 0; c < C; c++) dX[n * C + c] = rstd.data[n]! * (g(c) - sum / C - (xhat(c) * dot) / C);
  }
  return dX;
}

const layerNormBackward: Op = {
  name: 'layerNorm.backward',
  formula: 'dX = rstd · (g − mean(g) − x̂ · mean(g · x̂)),  g = dY · weight,  x̂ = (x − mean) · rstd',
  inputs: ['x', 'weight', 'mean', 'rstd', 'dY'],
  outputs: ['dX'],
  shape: ([x]) => [{ shape: x!.shape }],
  reference: ([x, weight, mean, rstd, dY]) => [layerNormBackwardReference(x!, weight!, mean!, rstd!, dY!)],
  dispatches: ({ adapter, tensors }) => kernelsFor('layerNorm.backward', adapter, tensors, sizesOf(tensors.x!)),
  flops: ({ inputs: [x] }) => 12 * x!.size,
};

/** dWeight[c] += Σ_n dY[n, c] * xhat[n, c],  dBias[c] += Σ_n dY[n, c] */
function layerNormBackwardWeightReference(x: Value, mean: Value, rstd: Value, dY: Value): Float64Array[] {
  const C = lastOf(x.shape);
  const N = rowsOf(x.shape);
  const dWeight = new Float64Array(C);
  const dBias = new Float64Array(C);
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      const g = dY.data[n * C + c]!;
      dWeight[c]! += g * (x.data[n * C + c]! - mean.data[n]!) * rstd.data[n]!;
      dBias[c]! += g;
    }
  }
  return [dWeight, dBias];
}

/** y = x̂ ⊙ weight + bias, so dWeight += Σ_rows dY ⊙ x̂, and dBias += Σ_rows dY. */
export const layerNormBackwardWeight: Op = {
  name: 'layerNorm.backwardWeight',
  formula: 'dWeight += Σ_n dY · x̂,  dBias += Σ_n dY',
  inputs: ['x', 'mean', 'rstd', 'dY'],
  outputs: ['dWeight', 'dBias'],
  existing: { dWeight: 'accumulates', dBias: 'accumulates' },
  shape: ([x]) => [{ shape: [lastOf(x!.shape)] }, { shape: [lastOf(x!.shape)] }],
  reference: ([x, mean, rstd, dY]) => layerNormBackwardWeightReference(x!, mean!, rstd!, dY!),
  dispatches: ({ adapter, tensors }) => kernelsFor('layerNorm.backwardWeight', adapter, tensors, sizesOf(tensors.x!)),
  flops: ({ inputs: [x] }) => 4 * x!.size,
};

export const layerNormRow: OpRow = {
  name: 'layerNorm',
  passes: ['layerNorm.forward', 'layerNorm.backward', 'layerNorm.backwardWeight'],
  samples: [
    ...samplesOf((x) => [layerNorm(x.x!, x.weight!, x.bias!)], {
      'C = n': (n) => ({ x: [5, n], weight: [n], bias: [n] }),
      'rows = n + 1024: enough for two levels of chunks': (n) => ({ x: [n + 1024, 3], weight: [3], bias: [3] }),
    }),
    {
      name: 'rows = n, eps = 0.5',
      inputs: (n) => ({ x: [n, 3, 24], weight: [24], bias: [24] }),
      call: (x) => [layerNorm(x.x!, x.weight!, x.bias!, 0.5)],
    },
    {
      name: 'weight and bias used elsewhere too, C = n',
      inputs: (n) => ({ x: [3, n], weight: [n], bias: [n] }),
      call: ({ x, weight, bias }) => [add(weight!, bias!), layerNorm(x!, weight!, bias!), add(bias!, weight!)],
    },
  ],
};
