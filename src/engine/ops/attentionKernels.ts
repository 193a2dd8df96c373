import { type AdapterProfile, type Dispatch, foldWorkgroups, variantOf } from '../kernel.js';
import { onePerInvocation, WORKGROUP } from './elementwise.js';

type Sizes = Readonly<Record<string, number>>;

/** Wider heads have no fast kernel, whose private arrays would be too long. */
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

/** Software drivers take minutes to compile a tiled kernel of heads this wide and wider. */
const SOFTWARE_MAX_D = 64;

/** Variant 3 behind Dawn, where rows are whole vec4s; else an invocation a row: on the CPU device and for heads that are too wide. */
function rowsOfHeads(
  op: string,
  first: string,
  adapter: AdapterProfile,
  bind: Dispatch['bind'],
  sizes: Sizes,
): Dispatch {
  const { B, H, S, D } = sizes;
  const fits = adapter.kind === 'gpu' || adapter.variant !== undefined ? D! <= MAX_D : D! < SOFTWARE_MAX_D;
  const constants = { HEAD_DIM: D! };
  if (variantOf(adapter) === 3 && fits && D! % 4 === 0) {
    const workgroups = foldWorkgroups(B! * H! * Math.ceil(S! / TILED_ROWS));
    return { shader: `${op}.3-tiled`, constants, bind, params: sizes, workgroups };
  }
  const workgroups = foldWorkgroups(B! * H! * Math.ceil(S! / WORKGROUP));
  return { shader: `${op}.${first}`, constants: { WORKGROUP, ...constants }, bind, params: sizes, workgroups };
}
