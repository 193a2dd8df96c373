/**
 * The shading language: reads, interprets, checks and compiles WGSL compute kernels. All exports for other folders are
 * here, so that the folder could be a package of its own.
 *
 *     const module = parseModule(text);
 *     run(module, 'main', { bindings, workgroups: [1, 1, 1] });                        // interpreted
 // interpreted, and races reported
 *     const findings = check(module, 'main', { bindings, workgroups: [1, 1, 1] });
 *     const { bytes } = compileKernel(module, 'main', { sharedMemory: false, robust: true, maximumPages: 16 });
 */
import { analyse, type ParseOptions } from './analyse.js';
import { parse } from './parse.js';
import type { Module } from './tree.js';

export type { ParseOptions } from './analyse.js';
export {
  type Access,
  type CheckedBinding,
  type CheckOptions,
  check,
  type Finding,
  findingText,
  type Invocation,
} from './check.js';
export { type CompiledBinding, type CompiledKernel, type CompileOptions, compileKernel, GANG } from './compile.js';
export { quote, WgslError } from './errors.js';
export { type BindingMemory, Dispatch, type RunOptions, run, SUBGROUP_SIZES, type SubgroupSize } from './interpret.js';
export type { Frame, Lane, Observer, Stop, Three, Use } from './lane.js';
export { alignOf, sizeOf, strideOf } from './layout.js';
export { Memory, pathTo, type Reference, type Value, valueText } from './memory.js';
export { type LaneState, READ, Stepper, type StepperOptions, type Touch, WRITTEN } from './stepper.js';
export type * from './tree.js';
export { typeName } from './types.js';

/**
 * Read a WGSL compute module.
 *
 * @param text the whole module
 * @returns the typed tree: names resolved, types known, constants and overrides folded
 * @throws WgslError at the first rule that is broken: the rule, line and column, and the line with a caret
 * @see https://www.w3.org/TR/WGSL/
 */
export function parseModule(text: string, options: ParseOptions = {}): Module {
  return analyse(parse(text, options.extensions), text, options);
}
