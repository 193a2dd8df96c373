import type { AdapterProfile, Dispatch } from '../kernel.js';
import { onePerInvocation } from './elementwise.js';

type Sizes = Readonly<Record<string, number>>;

/** Which forward kernel runs where. */
export function attentionForwardKernel(_adapter: AdapterProfile, bind: Dispatch['bind'], sizes: Sizes): Dispatch {
  const { B, H, S, D } = sizes;
  return onePerInvocation('attention.forward.1-query', B! * H! * S!, bind, sizes, { HEAD_DIM: D! });
}

export function attentionDelta(_adapter: AdapterProfile, bind: Dispatch['bind'], sizes: Sizes): Dispatch {
  const { B, H, S } = sizes;
  return onePerInvocation('attention.delta', B! * H! * S!, bind, sizes);
}

export function attentionBackwardQ(_adapter: AdapterProfile, bind: Dispatch['bind'], sizes: Sizes): Dispatch {
  const { B, H, S, D } = sizes;
  return onePerInvocation('attention.backwardQ.1-query', B! * H! * S!, bind, sizes, { HEAD_DIM: D! });
}

export function attentionBackwardKV(_adapter: AdapterProfile, bind: Dispatch['bind'], sizes: Sizes): Dispatch {
  const { B, H, S, D } = sizes;
  return onePerInvocation('attention.backwardKV.1-key', B! * H! * S!, bind, sizes, { HEAD_DIM: D! });
}
