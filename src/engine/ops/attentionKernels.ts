import { type AdapterProfile, type Dispatch, foldWorkgroups, variantOf } from '../kernel.js';
import { onePerInvocation, subgroupKernel } from './elementwise.js';

type Sizes = Readonly<Record<string, number>>;

/** Wider heads have no fast kernel, whose private arrays would be too long; up to it, variant 1 is one text for every width. */
const MAX_D = 128;

/** The dispatch of `attention.forward`. @param bind q, k, v, position, y, lse   @param sizes B, H, S, D, P, capacity, scale */
export function attentionForwardKernel(adapter: AdapterProfile, bind: Dispatch['bind'], sizes: Sizes): Dispatch {
  return rowsOfHeads('attention.forward', '1-query', adapter, bind, sizes);
}

/** The dispatch of `attention.backwardQ`. @param bind q, k, v, dY, lse, delta, dQ   @param sizes B, H, S, D, P, scale */
export function attentionBackwardQ(adapter: AdapterProfile, bind: Dispatch['bind'], sizes: Sizes): Dispatch {
  return rowsOfHeads('attention.backwardQ', '1-query', adapter, bind, sizes);
}

/** The dispatch of `attention.backwardKV`. @param bind q, k, v, dY, lse, delta, dK, dV   @param sizes B, H, S, D, P, scale */
export function attentionBackwardKV(adapter: AdapterProfile, bind: Dispatch['bind'], sizes: Sizes): Dispatch {
  return rowsOfHeads('attention.backwardKV', '1-key', adapter, bind, sizes);
}

/** The dispatch of `attention.delta`. @param bind y, dY, delta   @param sizes B, H, S, D */
export function attentionDelta(_adapter: AdapterProfile, bind: Dispatch['bind'], sizes: Sizes): Dispatch {
  const { B, H, S } = sizes;
  return onePerInvocation('attention.delta', B! * H! * S!, bind, sizes);
}

/** Rows of one head that a workgroup of variant 3 takes. */
const TILED_ROWS = 64;

/**
 * Variant 3 on GPUs, where rows are whole vec4s; variant 2, which takes 2·SUBGROUP rows of one head, where a subgroup has
 * at least four lanes. Else variant 1, an invocation a row.
 */
function rowsOfHeads(
  op: string,
  first: string,
  adapter: AdapterProfile,
  bind: Dispatch['bind'],
  sizes: Sizes,
): Dispatch {
  const { B, H, S, D } = sizes;
  if (variantOf(adapter) === 3 && D! <= MAX_D && D! % 4 === 0) {
    const workgroups = foldWorkgroups(B! * H! * Math.ceil(S! / TILED_ROWS));
    return { shader: `${op}.3-tiled`, constants: { HEAD_DIM: D! }, bind, params: sizes, workgroups };
  }
  if (adapter.subgroupSize >= 4 && adapter.variant !== 1 && D! <= MAX_D) {
    const groups = B! * H! * Math.ceil(S! / (2 * adapter.subgroupSize));
    return subgroupKernel(`${op}.2-subgroup`, adapter, groups, bind, sizes);
  }
  return onePerInvocation(`${op}.${first}`, B! * H! * S!, bind, sizes, { MAX_D: Math.max(MAX_D, D!) });
}
