import { type AdapterProfile, type Dispatch, foldWorkgroups, variantOf } from '../kernel.js';
import type { Tensor } from '../tensor.js';
import { onePerInvocation, WORKGROUP } from './elementwise.js';

/** Rows that an invocation of variant 3 adds up. */
const CHUNK = 32;

/**
 * The dispatches of `dBias[n] += Σ_m dY[m, n]`, the gradient of a bias that was added to every row. On a GPU an invocation a
 * column would leave the device empty, so there the rows are cut into chunks.
 *
 * @param scratch number of the entry's scratch memory that is free for partial sums
 */
export function sumRows(
  adapter: AdapterProfile,
  dY: Tensor,
  dBias: Tensor,
  { M, N }: { readonly M: number; readonly N: number },
  scratch: number,
): Dispatch[] {
  const chunks = Math.ceil(M / CHUNK);
  if (variantOf(adapter) !== 3 || chunks === 1) {
    return [onePerInvocation('sumRows.1-column', N, { dY, dBias }, { M, N })];
  }
  const partial = { scratch, length: chunks * N };
  return [
    {
      shader: 'sumRows.3-split',
      constants: { WORKGROUP, ROWS: CHUNK },
      bind: { dY, partial },
      params: { M, N },
      workgroups: foldWorkgroups(Math.ceil(N / WORKGROUP) * chunks),
    },
    {
      shader: 'matmul.3-finish',
      constants: { ADD: 1 },
      bind: { partial, y: dBias },
      params: { M: 1, N, Z: chunks },
      workgroups: foldWorkgroups(Math.ceil(N / 64)),
    },
  ];
}
