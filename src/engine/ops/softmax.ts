import { axisOf, lastOf, rowsOf } from '../../common/shape.js';
import { onePerInvocation } from '../kernel.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';

/**
 * Softmax along an axis: `y[c] = e^x[c] / Σ_c e^x[c]`. The largest x of a row is subtracted first, so that no
 * exponential exceeds 1.
 *
 * To exclude entries, add a large negative number to them, such as -1e9: their share is then 0.
 *
 * @param x [..., C]   @param axis the one that sums to 1, negative from the end; default the last
 * @returns x's shape, a new tensor
 * @throws ShapeError when there is no such axis
 */
export function softmax(x: Tensor, axis = -1): Tensor {
  const at = axisOf('softmax', x.shape, axis);
  const last = x.shape.length - 1;
  if (at === last) return x.program.record(softmaxForward, [x], {})[0]!;
  // The kernels work along the last axis: the two are swapped before and after.
  const swap = x.shape.map((_, i) => (i === at ? last : i === last ? at : i));
  return softmax(x.permute(swap)).permute(swap);
}

function softmaxReference(x: Value): Float64Array {
  const C = lastOf(x.shape);
  const y = new Float64Array(x.data.length);
  for (let n = 0; n < rowsOf(x.shape); n++) {
    const row = x.data.subarray(n * C, n * C + C); // x[n, :]
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const total = row.reduce((sum, value) => sum + Math.exp(value - largest), 0);
    for (let c = 0; c < C; c++) y[n * C + c] = Math.exp(row[c]! - largest) / total;
  }
  return y;
}

const softmaxForward: Op = {
  name: 'softmax.forward',
  formula: 'y[c] = e^x[c] / Σ_c e^x[c]',
  inputs: ['x'],
  outputs: ['y'],
  shape: ([x]) => [{ shape: x!.shape }],
  reference: ([x]) => [softmaxReference(x!)],
  dispatches: ({ tensors }) => [rowsKernel('softmax.forward', tensors.x!, tensors)],
  backward({ inputs: [x], outputs: [y], gradients: [dY], addGradient }) {
    if (x!.requiresGradient) addGradient(x!, x!.program.record(softmaxBackward, [y!, dY!], {})[0]!);
  },
  flops: ({ inputs: [x] }) => 5 * x!.size,
};

/** With ∂y[c]/∂x[d] = y[c] ([c = d] − y[d]): dX[d] = y[d] (dY[d] − Σ_c dY[c] y[c]). */
function softmaxBackwardReference(y: Value, dY: Value): Float64Array {
  const C = lastOf(y.shape);
  const dX = new Float64Array(y.data.length);
  for (let n = 0; n < rowsOf(y.shape); n++) {
    let dot = 0;
    for (let c = n * C; c < n * C + C; c++) dot += dY.data[c]! * y.data[c]!;
    for (let c = n * C; c < n * C + C; c++) dX[c] = y.data[c]! * (dY.data[c]! - dot);
  }
  return dX;
}

const softmaxBackward: Op = {
  name: 'softmax.backward',
  formula: 'dX = y · (dY − Σ_c dY[c] y[c])',
  inputs: ['y', 'dY'],
  outputs: ['dX'],
  shape: ([y]) => [{ shape: y!.shape }],
  reference: ([y, dY]) => [softmaxBackwardReference(y!, dY!)],
  dispatches: ({ tensors }) => [rowsKernel('softmax.backward', tensors.y!, tensors)],
  flops: ({ inputs: [y] }) => 4 * y!.size,
};

function rowsKernel(shader: string, { shape }: Tensor, bind: Readonly<Record<string, Tensor>>) {
  const N = lastOf(shape) === 0 ? 0 : rowsOf(shape);
  return onePerInvocation(shader, N, bind, { N, C: lastOf(shape) });
}

export const softmaxRow: OpRow = {
  name: 'softmax',
  passes: ['softmax.forward', 'softmax.backward'],
  samples: [
    { name: 'C = n', inputs: (n) => ({ x: [3, n] }), call: (x) => [softmax(x.x!)] },
    { name: 'rows = n', inputs: (n) => ({ x: [n, 2, 5] }), call: (x) => [softmax(x.x!)] },
    { name: 'along the first axis of n', inputs: (n) => ({ x: [n, 2, 3] }), call: (x) => [softmax(x.x!, 0)] },
    {
      name: 'large arguments, C = n',
      inputs: (n) => ({ x: [3, n] }),
      scale: 50,
      floor: 1,
      call: (x) => [softmax(x.x!)],
    },
  ],
};
