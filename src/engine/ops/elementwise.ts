import { type AdapterProfile, type Dispatch, foldWorkgroups, variantOf } from '../kernel.js';

type Bind = Dispatch['bind'];
type Params = NonNullable<Dispatch['params']>;
type Constants = NonNullable<Dispatch['constants']>;

/** Invocations per workgroup of the kernels that give one invocation to each element or row. */
export const WORKGROUP = 64;

/** Elements each invocation takes in the block variants. */
const ITEMS = 64;

/** One dispatch of a kernel that gives one invocation to each of `count` elements or rows. */
export function onePerInvocation(
  shader: string,
  count: number,
  bind: Bind,
  params: Params,
  constants: Constants = {},
): Dispatch {
  const workgroups = foldWorkgroups(Math.ceil(count / WORKGROUP));
  return { shader, constants: { WORKGROUP, ...constants }, bind, params, workgroups };
}

/** One dispatch of a kernel that gives one workgroup of `lanes` invocations to each of `count` rows. */
export function onePerWorkgroup(
  shader: string,
  count: number,
  lanes: number,
  bind: Bind,
  params: Params,
  constants: Constants = {},
): Dispatch {
  return { shader, constants: { WORKGROUP: lanes, ...constants }, bind, params, workgroups: foldWorkgroups(count) };
}

/**
 * The kernel of an op on `n` elements, one by one. Starting an invocation costs a CPU driver more than the arithmetic:
 * there one invocation takes many elements.
 *
 * @param op kernel file without its variant: `gelu.forward`
 */
export function elementKernel(
  op: string,
  adapter: AdapterProfile,
  n: number,
  bind: Bind,
  params: Params = { n },
): Dispatch {
  if (variantOf(adapter) !== 2) return onePerInvocation(op, n, bind, params);
  const lanes = lanesOf(adapter);
  const workgroups = foldWorkgroups(Math.ceil(n / (lanes * ITEMS)));
  return { shader: `${op}.2-block`, constants: { WORKGROUP: lanes, ITEMS }, bind, params, workgroups };
}

/**
 * The kernel of an op that moves rows about: an invocation per element, or on CPU drivers a subgroup per row.
 *
 * @param elements invocations of the plain variant   @param rows workgroups of the row variant
 */
export function copyKernel(
  op: string,
  adapter: AdapterProfile,
  { elements, rows }: { readonly elements: number; readonly rows: number },
  bind: Bind,
  params: Params,
  constants: Constants = {},
): Dispatch {
  if (variantOf(adapter) !== 2) return onePerInvocation(op, elements, bind, params, constants);
  return onePerWorkgroup(`${op}.2-row`, rows, lanesOf(adapter), bind, params, constants);
}

/** Lanes of a workgroup that is one subgroup; where the size is not fixed, a guess that is right or harmless. */
function lanesOf(adapter: AdapterProfile): number {
  return adapter.subgroupSize || 8;
}

/**
 * The kernel of an op that works row by row: one subgroup per row, or variant 1, one invocation per row, where the
 * adapter has no subgroups of a fixed size.
 *
 * @param op kernel file without its variant: `layerNorm.forward`
 * @param N rows; it joins `params`
 */
export function rowKernel(op: string, adapter: AdapterProfile, N: number, bind: Bind, params: Params): Dispatch {
  if (adapter.subgroupSize === 0 || adapter.variant === 1) {
    return onePerInvocation(`${op}.1-row`, N, bind, { N, ...params });
  }
  return subgroupKernel(`${op}.2-subgroup`, adapter, N, bind, { N, ...params });
}

/** One dispatch of a kernel whose workgroups are one subgroup each. */
export function subgroupKernel(
  shader: string,
  adapter: AdapterProfile,
  groups: number,
  bind: Bind,
  params: Params,
): Dispatch {
  const constants = { SUBGROUP: adapter.subgroupSize };
  return { shader, constants, extensions: ['subgroups'], bind, params, workgroups: foldWorkgroups(groups) };
}
