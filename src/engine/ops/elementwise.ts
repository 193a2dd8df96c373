import { type Dispatch, foldWorkgroups } from '../kernel.js';

/** Invocations per workgroup of the kernels that give one invocation to each element or row. */
export const WORKGROUP = 64;

/** One dispatch of a kernel that gives one invocation to each of `count` elements or rows. */
export function onePerInvocation(
  shader: string,
  count: number,
  bind: Dispatch['bind'],
  params: NonNullable<Dispatch['params']>,
  constants: NonNullable<Dispatch['constants']> = {},
): Dispatch {
  const workgroups = foldWorkgroups(Math.ceil(count / WORKGROUP));
  return { shader, constants: { WORKGROUP, ...constants }, bind, params, workgroups };
}

/** One dispatch of a kernel that gives one workgroup of `lanes` invocations to each of `count` rows. */
export function onePerWorkgroup(
  shader: string,
  count: number,
  lanes: number,
  bind: Dispatch['bind'],
  params: NonNullable<Dispatch['params']>,
  more: Pick<Dispatch, 'constants' | 'extensions'> = {},
): Dispatch {
  const constants = { WORKGROUP: lanes, ...more.constants };
  return { shader, ...more, constants, bind, params, workgroups: foldWorkgroups(count) };
}
