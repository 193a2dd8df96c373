import { onePerInvocation } from '../kernel.js';
import type { Op } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';
import { splitRange } from './gradientNorm.js';

/**
 * One step of stochastic gradient descent over every parameter at once, as `torch.optim.SGD`:
 *
 *     v = momentum · v + gradient
 *     p = p − lr · v
 *
 * @param gradients [n]   @param lr [1], the learning rate
 * @param parameters [n]   @param v [n], the velocity, both changed in place
 * @see Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", ICML
 */
export function sgd(gradients: Tensor, lr: Tensor, parameters: Tensor, v: Tensor, momentum = 0): void {
  gradients.program.record(sgdOp, [gradients, lr, parameters, v], { momentum }, [parameters, v]);
}

function sgdReference(g: Float64Array, lr: number, p: Float64Array, v: Float64Array, momentum: number) {
  const velocity = v.map((value, i) => momentum * value + g[i]!);
  return [p.map((value, i) => value - lr * velocity[i]!), velocity];
}

const sgdOp: Op<{ momentum: number }> = {
  name: 'sgd',
  formula: 'v ← momentum · v + g,  p ← p − lr · v',
  inputs: ['gradients', 'lr', 'parameters', 'v'],
  outputs: ['parameters', 'v'],
  existing: { parameters: 'inPlace', v: 'inPlace' },
  shape: ([, , parameters]) => [{ shape: parameters!.shape }, { shape: parameters!.shape }],
  reference: ([g, lr, p, v], { momentum }) => sgdReference(g!.data, lr!.data[0]!, p!.data, v!.data, momentum),
  dispatches({ adapter, tensors: { lr, ...flat }, attributes }) {
    // The flat buffers may be longer than one binding.
    return splitRange(flat.parameters!.size, adapter.limits.maxStorageBufferBindingSize).map((range) => {
      const ranges = Object.entries(flat).map(([name, tensor]) => [name, { storage: tensor.storage, ...range }]);
      const bind = { ...Object.fromEntries(ranges), lr: lr! };
      return onePerInvocation('sgd', range.length, bind, { n: range.length, ...attributes });
    });
  },
  flops: ({ inputs: [gradients] }) => 4 * gradients!.size,
};

export const sgdRow: OpRow = {
  name: 'sgd',
  passes: ['sgd'],
  samples: [0.9, 0].map((momentum) => ({
    name: `n blocks of 64, momentum ${momentum}`,
    inputs: (n) => ({ gradients: [n * 64], lr: [1] }),
    states: (n) => ({ parameters: [n * 64], v: [n * 64] }),
    fixed: ['gradients', 'lr'],
    call({ gradients, lr, parameters, v }) {
      sgd(gradients!, lr!, parameters!, v!, momentum);
      return [parameters!, v!];
    },
  })),
};
