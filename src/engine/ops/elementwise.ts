import { type AdapterProfile, type Dispatch, foldWorkgroups, variantOf } from '../kernel.js';

type Bind = Dispatch['bind'];
type Params = NonNullable<Dispatch['params']>;
type Constants = NonNullable<Dispatch['constants']>;

/** Invocations per workgroup of the kernels that give one invocation to each element or row. */
export const WORKGROUP = 64;

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
 * The kernel of an op that works row by row: behind Dawn a subgroup per row where its size is fixed, else an invocation per row.
 *
 * @param op kernel file without its variant: `layerNorm.forward`
 * @param N rows; it joins `params`
 */
export function rowKernel(op: string, adapter: AdapterProfile, N: number, bind: Bind, params: Params): Dispatch {
  if (adapter.subgroupSize === 0 || variantOf(adapter) < 3) {
    return onePerInvocation(`${op}.1-row`, N, bind, { N, ...params });
  }
  return subgroupKernel(`${op}.3-subgroup`, adapter, N, bind, { N, ...params });
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
