import type { Dispatch } from '../kernel.js';
import type { Tensor } from '../tensor.js';
import { onePerInvocation } from './elementwise.js';

/** The dispatch of `dBias[n] += Σ_m dY[m, n]`, the gradient of a bias that was added to every row. */
export function sumRows(dY: Tensor, dBias: Tensor, M: number, N: number): Dispatch {
  return onePerInvocation('sumRows', N, { dY, dBias }, { M, N });
}
