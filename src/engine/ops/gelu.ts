import { onePerInvocation } from '../kernel.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** y = gelu(u), element by element, in float64. */
export function geluReference(u: Value): Float64Array {
  return u.data.map((x) => 0.5 * x * (1 + Math.tanh(SQRT_2_OVER_PI * (x + CUBIC * x ** 3))));
}

/**
 * Gaussian error linear unit in its tanh form: `y = u/2 * (1 + tanh(√(2/π) * (u + 0.044715 u³)))`.
 *
 * @param u [...]
 * @returns [...], a new tensor
 * @see Hendrycks and Gimpel 2016, arXiv:1606.08415
 */
export function gelu(u: Tensor): Tensor {
  return u.program.record(geluForward, [u], {})[0]!;
}

const geluForward: Op = {
  name: 'gelu.forward',
  formula: 'y = u/2 · (1 + tanh(√(2/π)·(u + 0.044715 u³)))',
  inputs: ['u'],
  outputs: ['y'],
  shape: ([u]) => [{ shape: u!.shape }],
  reference: ([u]) => [geluReference(u!)],
  dispatches: ({ tensors }) => [onePerInvocation('gelu.forward', tensors.u!.size, tensors, { n: tensors.u!.size })],
  backward({ inputs: [u], gradients: [dY], addGradient }) {
    if (u!.requiresGradient) addGradient(u!, u!.program.record(geluBackward, [u!, dY!], {})[0]!);
  },
  flops: ({ outputs: [y] }) => 12 * y!.size,
};

/** dU = dY ⊙ gelu'(u), element by element, in float64. */
export function geluBackwardReference(u: Value, dY: Value): Float64Array {
  return u.data.map((x, i) => {
    // y = x/2 * (1 + t),  t = tanh(s),  s = √(2/π) * (x + 0.044715 x³)
    const t = Math.tanh(SQRT_2_OVER_PI * (x + CUBIC * x ** 3));
    const ds = SQRT_2_OVER_PI * (1 + 3 * CUBIC * x ** 2);
    return dY.data[i]! * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ds);
  });
}

const geluBackward: Op = {
  name: 'gelu.backward',
  formula: 'dU = dY · (½(1 + t) + u/2 · (1 − t²) · √(2/π)·(1 + 3·0.044715 u²))',
  inputs: ['u', 'dY'],
  outputs: ['dU'],
  shape: ([u]) => [{ shape: u!.shape }],
  reference: ([u, dY]) => [geluBackwardReference(u!, dY!)],
  dispatches: ({ tensors }) => [onePerInvocation('gelu.backward', tensors.u!.size, tensors, { n: tensors.u!.size })],
  flops: ({ outputs: [dU] }) => 16 * dU!.size,
};

export const geluRow: OpRow = {
  name: 'gelu',
  passes: ['gelu.forward', 'gelu.backward'],
  samples: [
    { name: 'n', inputs: (n) => ({ u: [n] }), call: (x) => [gelu(x.u!)] },
    { name: 'large arguments', inputs: (n) => ({ u: [n] }), scale: 50, call: (x) => [gelu(x.u!)] },
  ],
};
