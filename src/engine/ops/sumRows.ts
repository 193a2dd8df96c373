import {
  type AdapterProfile,
  type Binding,
  type Dispatch,
  foldWorkgroups,
  type Scratch,
  variantOf,
} from '../kernel.js';
import type { Tensor } from '../tensor.js';
import { onePerInvocation, WORKGROUP } from './elementwise.js';

/** Rows that an invocation of variant 3 adds up. */
export const CHUNK = 32;

/** M rows of N columns. */
interface Sizes {
  readonly M: number;
  readonly N: number;
}

/**
 * The dispatches of `dBias[n] += Σ_m dY[m, n]`, the gradient of a bias that was added to every row. On a GPU an invocation a
 * column would leave the device empty, so there the rows are summed chunk by chunk first.
 *
 * @param scratch number of the first of the entry's scratch memories that are free for partial sums
 */
export function sumRows(
  adapter: AdapterProfile,
  dY: Tensor,
  dBias: Tensor,
  { M, N }: Sizes,
  scratch: number,
): Dispatch[] {
  if (variantOf(adapter) !== 3 || M <= CHUNK) {
    return [onePerInvocation('sumRows.1-column', N, { dY, dBias }, { M, N })];
  }
  const { dispatches, rows, sums } = sumInChunks(dY, { M, N }, scratch);
  const finish = {
    shader: 'matmul.3-finish',
    constants: { ADD: 1 },
    bind: { partial: sums, y: dBias },
    params: { M: 1, N, Z: rows },
    workgroups: foldWorkgroups(Math.ceil(N / 64)),
  };
  return [...dispatches, finish];
}

/**
 * Sum the rows of x [M, N] in chunks of 32, the sums again in chunks of 32, and so on until at most 32 rows are left: no
 * invocation waits for more than 32 loads, one after the other.
 *
 * sumInChunks(x, { M: 5120, N }) // 160 rows, then 5, in two dispatches
 *
 * @param scratch number of the first free scratch memory; each dispatch takes one
 * @returns the dispatches, and their last sums [rows, N]; none, and x itself, where M is 32 or less
 */
export function sumInChunks<T extends Binding>(
  x: T,
  { M, N }: Sizes,
  scratch: number,
): { dispatches: Dispatch[]; rows: number; sums: T | Scratch } {
  if (M <= CHUNK) return { dispatches: [], rows: M, sums: x };
  const rows = Math.ceil(M / CHUNK);
  const partial = { scratch, length: rows * N };
  const dispatch = {
    shader: 'sumRows.3-split',
    constants: { WORKGROUP, ROWS: CHUNK },
    bind: { x, partial },
    params: { M, N },
    workgroups: foldWorkgroups(Math.ceil(N / WORKGROUP) * rows),
  };
  const rest = sumInChunks(partial, { M: rows, N }, scratch + 1);
  return { ...rest, dispatches: [dispatch, ...rest.dispatches] };
}
