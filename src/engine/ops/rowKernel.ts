import type { AdapterProfile, Dispatch } from '../kernel.js';
import { onePerInvocation } from './elementwise.js';

/**
 * The kernel of an op that works row by row: variant 1 gives a row to one invocation.
 *
 * @param op kernel file without its variant, as `layerNorm.forward`
 * @param N rows; it joins `params`
 */
export function rowKernel(
  op: string,
  _adapter: AdapterProfile,
  N: number,
  bind: Dispatch['bind'],
  params: NonNullable<Dispatch['params']>,
): Dispatch {
  return onePerInvocation(`${op}.1-row`, N, bind, { N, ...params });
}
