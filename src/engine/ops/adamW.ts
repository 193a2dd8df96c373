import { onePerInvocation } from '../kernel.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';
import { splitRange } from './gradientNorm.js';

/** Constants of the update; the learning rate changes from step to step and comes in a tensor. */
export interface AdamWOptions extends Record<string, number> {
  beta1: number;
  beta2: number;
  eps: number;
  /** weight decay per unit of learning rate, where the decay mask is 1 */
  decay: number;
}

/** The flat buffers that one step changes in place, all [n]. */
export interface AdamWState {
  readonly parameters: Tensor;
  readonly m: Tensor;
  readonly v: Tensor;
}

/**
 * One optimiser step over every parameter at once, as `torch.optim.AdamW`: decay first, then Adam's step.
 *
 *     g = gradient · scale
 *     m = beta1 · m + (1 - beta1) · g,   v = beta2 · v + (1 - beta2) · g²
 *     p = p · (1 - lr · decay) - lr · (m / (1 - beta1^t)) / (√(v / (1 - beta2^t)) + eps)
 *
 * A scale that is not positive and finite marks a failed step: nothing is changed.
 *
 * @param gradients [n]   @param decays [n/64], 1 where a block of 64 floats decays, else 0
 * @param clip [2] from `gradientNorm`   @param scalars [4]: lr, 1 - beta1^t, 1 - beta2^t, gradientScale
 * @see Loshchilov and Hutter 2017, arXiv:1711.05101
 */
export function adamW(
  gradients: Tensor,
  decays: Tensor,
  clip: Tensor,
  scalars: Tensor,
  { parameters, m, v }: AdamWState,
  options: AdamWOptions,
): void {
  const inputs = [gradients, decays, clip, scalars, parameters, m, v];
  gradients.program.record(adamWOp, inputs, options, [parameters, m, v]);
}

function adamWReference(inputs: readonly Value[], { beta1, beta2, eps, decay }: AdamWOptions): Float64Array[] {
  const [gradients, decays, clip, scalars, parameters, m0, v0] = inputs.map((value) => value.data);
  const [lr, correction1, correction2] = scalars!;
  if (!(clip![1]! > 0 && clip![1]! < Infinity)) return [parameters!, m0!, v0!].map((data) => Float64Array.from(data));
  const p = new Float64Array(parameters!.length);
  const m = new Float64Array(p.length);
  const v = new Float64Array(p.length);
  for (let i = 0; i < p.length; i++) {
    const g = gradients![i]! * clip![1]!;
    m[i] = beta1 * m0![i]! + (1 - beta1) * g;
    v[i] = beta2 * v0![i]! + (1 - beta2) * g * g;
    const shrunk = parameters![i]! * (1 - lr! * decay * decays![i >> 6]!);
    p[i] = shrunk - (lr! * (m[i]! / correction1!)) / (Math.sqrt(v[i]! / correction2!) + eps);
  }
  return [p, m, v];
}

const adamWOp: Op<AdamWOptions> = {
  name: 'adamW',
  formula: 'm ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  p ← p(1 − lr·λ) − lr · m̂/(√v̂ + ε)',
  inputs: ['gradients', 'decays', 'clip', 'scalars', 'parameters', 'm', 'v'],
  outputs: ['parameters', 'm', 'v'],
  existing: { parameters: 'inPlace', m: 'inPlace', v: 'inPlace' },
  shape: ([, , , , parameters]) => [0, 1, 2].map(() => ({ shape: parameters!.shape })),
  reference: (inputs, options) => adamWReference(inputs, options),
  dispatches({ adapter, tensors: { clip, scalars, decays, ...flat }, attributes }) {
    const length = flat.parameters!.size;
    // `decays` has one number for 64 floats, and its own offset must be a multiple of 64 numbers too.
    const most = Math.floor(adapter.limits.maxStorageBufferBindingSize / 2 ** 14) * 2 ** 14;
    return splitRange(length, most).map((range) => {
      const ranges = Object.entries(flat).map(([name, tensor]) => [name, { storage: tensor.storage, ...range }]);
      const blocks = { storage: decays!.storage, offset: range.offset / 64, length: Math.ceil(range.length / 64) };
      const bind = { ...Object.fromEntries(ranges), decays: blocks, clip: clip!, scalars: scalars! };
      return onePerInvocation('adamW', range.length, bind, { n: range.length, ...attributes });
    });
  },
  flops: ({ inputs: [gradients] }) => 14 * gradients!.size,
};

export const adamWRow: OpRow = {
  name: 'adamW',
  passes: ['adamW'],
  samples: [
    sample('n blocks of 64', { beta1: 0.9, beta2: 0.95, eps: 1e-8, decay: 0.1 }),
    sample('n blocks of 64, other options', { beta1: 0.5, beta2: 0.8, eps: 0.1, decay: 3 }),
    sample(
      'n blocks of 64, skipped since the scale is 0',
      { beta1: 0.9, beta2: 0.95, eps: 1e-8, decay: 0.1 },
      Float32Array.of(Infinity, 0),
    ),
  ],
};

/** @param clip norm and scale; random like all other inputs by default */
function sample(name: string, options: AdamWOptions, clip?: Float32Array): OpRow['samples'][number] {
  return {
    name,
    inputs: (n) => ({ gradients: [n * 64], decays: [n], ...(clip ? {} : { clip: [2] }) }),
    states: (n) => ({ parameters: [n * 64], m: [n * 64], v: [n * 64] }),
    nonnegative: ['v', 'clip'],
    fixed: ['gradients', 'decays', 'clip'],
    call({ gradients, decays, clip: drawn, parameters, m, v }) {
      const { program } = gradients!;
      const scalars = program.constant('scalars', [4], Float32Array.of(1e-2, 0.1, 0.05, 1));
      const state = { parameters: parameters!, m: m!, v: v! };
      const scale = drawn ?? program.constant('clip', [2], clip!);
      adamW(gradients!, decays!, scale, scalars, state, options);
      return [parameters!, m!, v!];
    },
    ...(clip ? { roundings: 0 } : {}),
  };
}
