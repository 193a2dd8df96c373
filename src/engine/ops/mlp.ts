import type { Op } from '../op.js';
import type { OpRow } from '../registry.js';
import { rowsOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { geluBackwardReference, geluReference } from './gelu.js';
import { linearBackwardWeight, linearBackwardX, linearShape } from './linear.js';
import { matmulDispatches, matmulReference, transposed } from './matmul.js';

/** Weight [out, in] and bias [out] of a linear layer. */
export type Layer = readonly [weight: Tensor, bias: Tensor];

/**
 * The feed-forward half of a transformer block: `y = down(gelu(up(x)))`, where up and down are linear layers.
 *
 * The same as `linear`, `gelu`, `linear`, with a pass over memory less each way: the products end with their part of the
 * GELU, while the sums are in registers or were just stored. `up` writes its sum u and h = gelu(u); on the way back the
 * product that gives dH multiplies it by gelu'(u) and never keeps dH. For that `down` counts as a function of u, of which
 * h is the part computed before, and hands the whole gradient to u.
 *
 * @param x [..., C]   @param up weight [F, C] and bias [F]   @param down weight [out, F] and bias [out]
 * @returns [..., out], a new tensor; keeps u and h for backward
 * @throws ShapeError when a weight or a bias does not fit
 * @see Vaswani et al. 2017, arXiv:1706.03762, section 3.3
 */
export function mlp(x: Tensor, up: Layer, down: Layer): Tensor {
  const { program } = x;
  const [u, h] = program.scope('up', () => program.record(mlpUp, [x, ...up], {}));
  return program.scope('down', () => program.record(mlpDown, [u!, h!, ...down], {}))[0]!;
}

const mlpUp: Op = {
  name: 'mlp.up',
  formula: 'u = x · weightᵀ + bias,  h = gelu(u)',
  inputs: ['x', 'weight', 'bias'],
  outputs: ['u', 'h'],
  shape([x, weight, bias]) {
    const shape = linearShape(x!.shape, weight!.shape, bias!.shape, 'mlp');
    return [{ shape }, { shape }];
  },
  reference([x, weight, bias]) {
    const [N, K] = weight!.shape as [number, number];
    const u = matmulReference(x!.data, transposed(weight!), rowsOf(x!.shape), N, K, bias!.data);
    return [u, geluReference({ shape: [u.length], data: u })];
  },
  kernels({ adapter, inputs: { x, weight, bias }, outputs: { u, h } }) {
    const [N, K] = weight!.shape as [number, number];
    const sizes = { M: rowsOf(x!.shape), N, K };
    return matmulDispatches(adapter, 'nt', { a: x!, b: weight!, bias: bias!, y: h!, u: u! }, sizes, {
      gelu: 'forward',
    });
  },
  backward({ inputs: [x, weight, bias], gradients: [dU], give, wants, into }) {
    const { program } = x!;
    if (wants(x!)) give(x!, program.record(linearBackwardX, [dU!, weight!], {})[0]!);
    if (wants(weight!) || wants(bias!)) {
      program.record(linearBackwardWeight, [dU!, x!], {}, [into(weight!), into(bias!)]);
    }
  },
  flops: ({ inputs: [x, weight] }) => rowsOf(x!) * weight![0]! * (2 * weight![1]! + 12),
};

const mlpDown: Op = {
  name: 'mlp.down',
  formula: 'y = h · weightᵀ + bias,  h = gelu(u)',
  inputs: ['u', 'h', 'weight', 'bias'],
  outputs: ['y'],
  shape: ([, h, weight, bias]) => [{ shape: linearShape(h!.shape, weight!.shape, bias!.shape, 'mlp') }],
  reference([, h, weight, bias]) {
    const [N, K] = weight!.shape as [number, number];
    return [matmulReference(h!.data, transposed(weight!), rowsOf(h!.shape), N, K, bias!.data)];
  },
  kernels({ adapter, inputs: { h, weight, bias }, outputs: { y } }) {
    const [N, K] = weight!.shape as [number, number];
    const sizes = { M: rowsOf(h!.shape), N, K };
    return matmulDispatches(adapter, 'nt', { a: h!, b: weight!, bias: bias!, y: y! }, sizes);
  },
  backward({ inputs: [u, h, weight, bias], gradients: [gradient], give, wants, into }) {
    const { program } = u!;
    const dY = program.contiguous(gradient!);
    if (wants(u!)) give(u!, program.record(mlpBackwardU, [dY, weight!, u!], {})[0]!);
    if (wants(weight!) || wants(bias!)) {
      program.record(linearBackwardWeight, [dY, h!], {}, [into(weight!), into(bias!)]);
    }
  },
  flops: ({ inputs: [, h, weight] }) => 2 * rowsOf(h!) * weight![0]! * weight![1]!,
};

/** y = gelu(u) Wᵀ, so dH = dY W, and dU = dH ⊙ gelu'(u). */
const mlpBackwardU: Op = {
  name: 'mlp.backwardU',
  formula: "dU = (dY · weight) ⊙ gelu'(u)",
  inputs: ['dY', 'weight', 'u'],
  outputs: ['dU'],
  shape: ([, , u]) => [{ shape: u!.shape }],
  reference([dY, weight, u]) {
    const [K, N] = weight!.shape as [number, number];
    const dH = matmulReference(dY!.data, weight!.data, rowsOf(dY!.shape), N, K);
    return [geluBackwardReference(u!, { shape: u!.shape, data: dH })];
  },
  kernels({ adapter, inputs: { dY, weight, u }, outputs: { dU } }) {
    const [K, N] = weight!.shape as [number, number];
    const sizes = { M: rowsOf(dY!.shape), N, K };
    const options = { gelu: 'backward', gradient: true } as const;
    return matmulDispatches(adapter, 'nn', { a: dY!, b: weight!, y: dU!, u: u! }, sizes, options);
  },
  flops: ({ inputs: [dY, weight] }) => rowsOf(dY!) * weight![1]! * (2 * weight![0]! + 16),
};

export const mlpRow: OpRow = {
  name: 'mlp',
  shaders: ['matmul', 'sumRows'],
  samples: [
    {
      name: 'rows = n',
      inputs: (n) => ({ x: [n, 9], upWeight: [33, 9], upBias: [33], downWeight: [17, 33], downBias: [17] }),
      call: (x) => [mlp(x.x!, [x.upWeight!, x.upBias!], [x.downWeight!, x.downBias!])],
    },
    {
      name: 'hidden = n',
      inputs: (n) => ({ x: [3, 3, 8], upWeight: [n, 8], upBias: [n], downWeight: [8, n], downBias: [8] }),
      call: (x) => [mlp(x.x!, [x.upWeight!, x.upBias!], [x.downWeight!, x.downBias!])],
    },
    {
      name: 'large arguments',
      inputs: (n) => ({ x: [n, 3], upWeight: [5, 3], upBias: [5], downWeight: [2, 5], downBias: [2] }),
      scale: 6,
      call: (x) => [mlp(x.x!, [x.upWeight!, x.upBias!], [x.downWeight!, x.downBias!])],
    },
  ],
};
