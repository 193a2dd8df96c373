import { ShapeError } from '../../common/errors.js';
import { lastOf, rowsOf, type Shape } from '../../common/shape.js';
import { kernelsFor } from '../kernelTable.js';
import type { Op } from '../op.js';
import { type OpRow, samplesOf } from '../registry.js';
import type { Tensor } from '../tensor.js';
import { matmul, matmulReference, transposed } from './matmul.js';

/**
 * The shape rule of a linear layer: [..., in] becomes [..., out].
 *
 * @throws ShapeError, in the name of `op`, when weight is not [out, in] or bias not [out]
 */
export function linearShape(x: Shape, weight: Shape, bias?: Shape, op = 'linear'): Shape {
  if (weight.length !== 2 || weight[1] !== lastOf(x)) {
    throw new ShapeError(op, 'weight must be [out, in], where in is the last axis of x', { x, weight });
  }
  if (bias !== undefined && (bias.length !== 1 || bias[0] !== weight[0])) {
    throw new ShapeError(op, 'bias must be [out]', { weight, bias });
  }
  return [...x.slice(0, -1), weight[0]!];
}

/**
 * A fully connected layer, PyTorch's `nn.Linear`: `y = x · weightᵀ + bias`.
 *
 * Its three products are the three transposed forms: nt forward, nn for dX, tn for dWeight.
 *
 * @param x [..., in]   @param weight [out, in]   @param bias [out]; without it, this is one `matmul`
 * @returns [..., out], a new tensor
 * @throws ShapeError when weight or bias does not fit
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  if (bias === undefined) {
    const shape = linearShape(x.shape, weight.shape);
    return matmul(x.reshape([rowsOf(x.shape), lastOf(x.shape)]), weight.transpose()).reshape(shape);
  }
  return x.program.record(linearForward, [x, weight, bias], {})[0]!;
}

const linearForward: Op = {
  name: 'linear.forward',
  formula: 'y = x · weightᵀ + bias',
  inputs: ['x', 'weight', 'bias'],
  outputs: ['y'],
  shape: ([x, weight, bias]) => [{ shape: linearShape(x!.shape, weight!.shape, bias!.shape) }],
  reference([x, weight, bias]) {
    const [N, K] = weight!.shape as [number, number];
    return [matmulReference(x!.data, transposed(weight!), rowsOf(x!.shape), N, K, bias!.data)];
  },
  dispatches({ adapter, tensors: { x, weight, bias, y } }) {
    const sizes = { M: rowsOf(x!.shape), N: weight!.shape[0]!, K: weight!.shape[1]! };
    return kernelsFor('matmul', adapter, { a: x!, b: weight!, bias: bias!, y: y! }, sizes, { transposeB: true });
  },
  backward({ inputs: [x, weight, bias], gradients: [gradient], addGradient, accumulator }) {
    const { program } = x!;
    const dY = program.contiguous(gradient!);
    if (x!.requiresGradient) addGradient(x!, program.record(linearBackwardX, [dY, weight!], {})[0]!);
    if (weight!.requiresGradient || bias!.requiresGradient) {
      program.record(linearBackwardWeight, [dY, x!], {}, [accumulator(weight!), accumulator(bias!)]);
    }
  },
  flops: ({ inputs: [x, weight] }) => 2 * rowsOf(x!.shape) * weight!.size,
};

/** y = x Wᵀ, so dX = dY W. */
export const linearBackwardX: Op = {
  name: 'linear.backwardX',
  formula: 'dX = dY · weight',
  inputs: ['dY', 'weight'],
  outputs: ['dX'],
  shape: ([dY, weight]) => [{ shape: [...dY!.shape.slice(0, -1), weight!.shape[1]!] }],
  reference([dY, weight]) {
    const [K, N] = weight!.shape as [number, number];
    return [matmulReference(dY!.data, weight!.data, rowsOf(dY!.shape), N, K)];
  },
  dispatches({ adapter, tensors: { dY, weight, dX } }) {
    const sizes = { M: rowsOf(dY!.shape), N: weight!.shape[1]!, K: weight!.shape[0]! };
    return kernelsFor('matmul', adapter, { a: dY!, b: weight!, y: dX! }, sizes, { gradient: true });
  },
  flops: ({ inputs: [dY, weight] }) => 2 * rowsOf(dY!.shape) * weight!.size,
};

/** y = x Wᵀ + b, so dW += dYᵀ x, and db += the sum of dY's rows. */
export const linearBackwardWeight: Op = {
  name: 'linear.backwardWeight',
  formula: 'dWeight += dYᵀ · x,  dBias += Σ_rows dY',
  inputs: ['dY', 'x'],
  outputs: ['dWeight', 'dBias'],
  existing: { dWeight: 'accumulates', dBias: 'accumulates' },
  shape: ([dY, x]) => [{ shape: [lastOf(dY!.shape), lastOf(x!.shape)] }, { shape: [lastOf(dY!.shape)] }],
  reference([dY, x]) {
    const [rows, M, N] = [rowsOf(dY!.shape), lastOf(dY!.shape), lastOf(x!.shape)];
    const dBias = new Float64Array(M);
    for (let i = 0; i < rows * M; i++) dBias[i % M]! += dY!.data[i]!;
    return [matmulReference(transposed({ shape: [rows, M], data: dY!.data }), x!.data, M, N, rows), dBias];
  },
  dispatches({ adapter, tensors: { dY, x, dWeight, dBias } }) {
    const sizes = { M: lastOf(dY!.shape), N: lastOf(x!.shape), K: rowsOf(dY!.shape) };
    const flags = { transposeA: true, add: true, gradient: true };
    return [
      ...kernelsFor('matmul', adapter, { a: dY!, b: x!, y: dWeight! }, sizes, flags),
      ...kernelsFor('sumRows', adapter, { dY: dY!, dBias: dBias! }, { M: sizes.K, N: sizes.M }),
    ];
  },
  flops: ({ inputs: [dY, x] }) => 2 * dY!.size * (lastOf(x!.shape) + 1),
};

export const linearRow: OpRow = {
  name: 'linear',
  passes: ['matmul', 'sumRows'],
  samples: samplesOf((x) => [linear(x.x!, x.weight!, x.bias)], {
    'rows = n': (n) => ({ x: [n, 31], weight: [33, 31], bias: [33] }),
    'rows = n + 1024: enough for two levels of chunks': (n) => ({ x: [n + 1024, 2], weight: [3, 2], bias: [3] }),
    'in = n': (n) => ({ x: [3, 3, n], weight: [17, n], bias: [17] }),
    'out = n': (n) => ({ x: [9, 24], weight: [n, 24], bias: [n] }),
    'no bias, rows = n': (n) => ({ x: [2, n, 9], weight: [5, 9] }),
  }),
};
