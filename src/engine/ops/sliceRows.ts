import { ShapeError } from '../errors.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';
import { onePerInvocation } from './elementwise.js';

interface SliceSizes extends Record<string, number> {
  B: number;
  S: number;
  P: number;
  C: number;
}

/**
 * Leave the first P rows of each sequence out: `y[b, t] = x[b, P + t]`. Only the stream is predicted from.
 *
 * @param x [B, S, C]   @param P rows to leave out
 * @returns [B, S - P, C], a new tensor
 * @throws ShapeError when x is not [B, S, C] or has fewer than P rows
 */
export function sliceRows(x: Tensor, P: number): Tensor {
  const [B, S, C] = x.shape;
  if (x.shape.length !== 3 || P > S!) {
    throw new ShapeError('sliceRows', `x must be [B, S, C] with S of at least ${P}`, { x: x.shape });
  }
  if (P === 0) return x;
  return x.program.record(sliceRowsForward, [x], { B: B!, S: S!, P, C: C! })[0]!;
}

function sliceRowsReference(x: Value, { B, S, P, C }: SliceSizes): Float64Array {
  const T = S - P;
  const y = new Float64Array(B * T * C);
  for (let b = 0; b < B; b++) y.set(x.data.subarray((b * S + P) * C, (b + 1) * S * C), b * T * C);
  return y;
}

const sliceRowsForward: Op<SliceSizes> = {
  name: 'sliceRows.forward',
  formula: 'y[b,t] = x[b, P + t]',
  inputs: ['x'],
  outputs: ['y'],
  shape: (_, { B, S, P, C }) => [{ shape: [B, S - P, C] }],
  reference: ([x], sizes) => [sliceRowsReference(x!, sizes)],
  kernels: ({ adapter, inputs, outputs, attributes: sizes }) => [
    onePerInvocation('sliceRows.forward', outputs.y!.size, { ...inputs, ...outputs }, sizes),
  ],
  backward({ inputs: [x], attributes, gradients: [dY], give, wants }) {
    if (wants(x!)) give(x!, x!.program.record(sliceRowsBackward, [dY!], attributes)[0]!);
  },
};

const sliceRowsBackward: Op<SliceSizes> = {
  name: 'sliceRows.backward',
  formula: 'dX[b,s] = dY[b, s − P], 0 for s < P',
  inputs: ['dY'],
  outputs: ['dX'],
  shape: (_, { B, S, C }) => [{ shape: [B, S, C] }],
  reference([dY], { B, S, P, C }) {
    const T = S - P;
    const dX = new Float64Array(B * S * C);
    for (let b = 0; b < B; b++) dX.set(dY!.data.subarray(b * T * C, (b + 1) * T * C), (b * S + P) * C);
    return [dX];
  },
  kernels: ({ adapter, inputs, outputs, attributes: sizes }) => [
    onePerInvocation('sliceRows.backward', outputs.dX!.size, { ...inputs, ...outputs }, sizes),
  ],
};

export const sliceRowsRow: OpRow = {
  name: 'sliceRows',
  shaders: ['sliceRows.forward', 'sliceRows.backward'],
  samples: [
    { name: 'S = n + 2', inputs: (n) => ({ x: [3, n + 2, 5] }), call: (x) => [sliceRows(x.x!, 2)] },
    { name: 'C = n', inputs: (n) => ({ x: [2, 4, n] }), call: (x) => [sliceRows(x.x!, 3)] },
  ],
};
