/** The shading language: WGSL compute kernels read, typed, interpreted, checked and compiled. */
import { analyse, type ParseOptions } from './analyse.js';
import { parse } from './parse.js';
import type { Module } from './tree.js';

export type { ParseOptions } from './analyse.js';
export { WgslError } from './errors.js';
export { alignOf, sizeOf, strideOf } from './layout.js';
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
  return analyse(parse(text), text, options);
}
