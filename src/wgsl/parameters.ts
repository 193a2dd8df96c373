/** Parameters of the functions of a kernel. */

import type { ValType } from './wasm.js';

/** The first parameters of every function of a kernel. */
export const PARAMETERS: readonly ValType[] = ['i32', 'i32', 'i32', 'i32', 'i32'];
/** Their numbers: the argument block, scratch memory, and x of the workgroup's id. */
export const [ARGS, SCRATCH, GROUP_X] = [0, 1, 2] as const;

/** Bytes of the argument block before the bindings: the grid. */
export const GRID_BYTES = 12;
