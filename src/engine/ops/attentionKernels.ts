import type { AdapterProfile, Dispatch } from '../kernel.js';
import { onePerInvocation, subgroupKernel } from './elementwise.js';

type Sizes = Readonly<Record<string, number>>;

/** Heads wider than this have no fast kernel: its private arrays need a known size. */
const MAX_D = 128;

export function attentionForwardKernel(adapter: AdapterProfile, bind: Dispatch['bind'], sizes: Sizes): Dispatch {
  return rowsOfHeads('attention.forward', '1-query', adapter, bind, sizes);
}

export function attentionBackwardQ(adapter: AdapterProfile, bind: Dispatch['bind'], sizes: Sizes): Dispatch {
  return rowsOfHeads('attention.backwardQ', '1-query', adapter, bind, sizes);
}

export function attentionBackwardKV(adapter: AdapterProfile, bind: Dispatch['bind'], sizes: Sizes): Dispatch {
  return rowsOfHeads('attention.backwardKV', '1-key', adapter, bind, sizes);
}

export function attentionDelta(_adapter: AdapterProfile, bind: Dispatch['bind'], sizes: Sizes): Dispatch {
  const { B, H, S } = sizes;
  return onePerInvocation('attention.delta', B! * H! * S!, bind, sizes);
}

/** Variant 2 where a subgroup has at least four lanes: it takes 2·SUBGROUP rows of one head. Else variant 1, one a row. */
function rowsOfHeads(
  op: string,
  first: string,
  adapter: AdapterProfile,
  bind: Dispatch['bind'],
  sizes: Sizes,
): Dispatch {
  const { B, H, S, D } = sizes;
  if (adapter.subgroupSize >= 4 && D! <= MAX_D) {
    const groups = B! * H! * Math.ceil(S! / (2 * adapter.subgroupSize));
    return subgroupKernel(`${op}.2-subgroup`, adapter, groups, bind, sizes);
  }
  return onePerInvocation(`${op}.${first}`, B! * H! * S!, bind, sizes);
}
