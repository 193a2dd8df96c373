import { ShapeError } from '../../common/errors.js';
import { sameShape } from '../../common/shape.js';
import { kernelsFor } from '../kernelTable.js';
import type { Op } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';
import {
  layerNormBackwardReference,
  layerNormBackwardWeight,
  layerNormReference,
  layerNormShape,
  sizesOf,
} from './layerNorm.js';

/**
 * A residual connection and the LayerNorm after it in one pass over memory: `sum = x + delta`, `y = layerNorm(sum)`.
 *
 * @param x [..., C]   @param delta the same shape   @param weight [C]   @param bias [C]
 * @returns `[sum, y]`, both [..., C]; keeps mean and rstd for backward
 * @throws ShapeError when x and delta differ, or weight or bias is not [C]
 * @see Ba et al. 2016, arXiv:1607.06450
 */
export function addLayerNorm(x: Tensor, delta: Tensor, weight: Tensor, bias: Tensor, eps = 1e-5): [Tensor, Tensor] {
  const [sum, y] = x.program.record(addLayerNormForward, [x, delta, weight, bias], { eps });
  return [sum!, y!];
}

const addLayerNormForward: Op<{ eps: number }> = {
  name: 'addLayerNorm.forward',
  formula: 'sum = x + delta,  y = (sum − mean) · rstd · weight + bias',
  inputs: ['x', 'delta', 'weight', 'bias'],
  outputs: ['sum', 'y', 'mean', 'rstd'],
  shape([x, delta, weight, bias]) {
    if (!sameShape(x!.shape, delta!.shape)) {
      throw new ShapeError('addLayerNorm', 'x and delta must have one shape', { x: x!, delta: delta! });
    }
    const { y, rows } = layerNormShape('addLayerNorm', x!.shape, weight!.shape, bias!.shape);
    return [{ shape: y }, { shape: y }, { shape: rows }, { shape: rows }];
  },
  reference([x, delta, weight, bias], { eps }) {
    const sum = { shape: x!.shape, data: x!.data.map((value, i) => value + delta!.data[i]!) };
    return [sum.data, ...layerNormReference(sum, weight!, bias!, eps)];
  },
  dispatches: ({ adapter, tensors, attributes: { eps } }) =>
    kernelsFor('addLayerNorm.forward', adapter, tensors, { ...sizesOf(tensors.x!), eps }),
  backward({ inputs: [x, delta, weight, bias], outputs: [sum, , mean, rstd], gradients, addGradient, accumulator }) {
    const { program } = x!;
    // A decoder uses both outputs; the gradient of an unused one is zero.
    const zeros = () => program.constant('zeros', x!.shape, new Float32Array(x!.size));
    const dSum = gradients[0] ?? zeros();
    const dY = program.contiguous(gradients[1] ?? zeros());
    // sum = x + delta: both receive the same d = dSum + the gradient through the norm
    const d = program.record(addLayerNormBackward, [sum!, weight!, mean!, rstd!, dY, dSum], {})[0]!;
    if (x!.requiresGradient) addGradient(x!, d);
    if (delta!.requiresGradient) addGradient(delta!, d);
    if (weight!.requiresGradient || bias!.requiresGradient) {
      program.record(layerNormBackwardWeight, [sum!, mean!, rstd!, dY], {}, [accumulator(weight!), accumulator(bias!)]);
    }
  },
  flops: ({ inputs: [x] }) => 9 * x!.size,
};

const addLayerNormBackward: Op = {
  name: 'addLayerNorm.backward',
  formula: 'd = dSum + rstd · (g − mean(g) − x̂ · mean(g · x̂)),  g = dY · weight',
  inputs: ['sum', 'weight', 'mean', 'rstd', 'dY', 'dSum'],
  outputs: ['d'],
  shape: ([sum]) => [{ shape: sum!.shape }],
  reference([sum, weight, mean, rstd, dY, dSum]) {
    const dX = layerNormBackwardReference(sum!, weight!, mean!, rstd!, dY!);
    return [dX.map((value, i) => value + dSum!.data[i]!)];
  },
  dispatches: ({ adapter, tensors }) => kernelsFor('addLayerNorm.backward', adapter, tensors, sizesOf(tensors.sum!)),
  flops: ({ inputs: [x] }) => 13 * x!.size,
};

export const addLayerNormRow: OpRow = {
  name: 'addLayerNorm',
  passes: ['addLayerNorm.forward', 'addLayerNorm.backward', 'layerNorm.backwardWeight'],
  samples: [
    {
      name: 'C = n',
      inputs: (n) => ({ x: [5, n], delta: [5, n], weight: [n], bias: [n] }),
      call: (x) => addLayerNorm(x.x!, x.delta!, x.weight!, x.bias!),
    },
    {
      name: 'only y used, rows = n, eps = 0.5',
      inputs: (n) => ({ x: [n, 24], delta: [n, 24], weight: [24], bias: [24] }),
      call: (x) => [addLayerNorm(x.x!, x.delta!, x.weight!, x.bias!, 0.5)[1]],
    },
  ],
};
