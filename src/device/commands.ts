/**
 * The commands of a submit for the threads, as 32-bit words: the number of a command, then its operands. Addresses and
 * lengths are bytes in the device's memory.
 */
export const COMMANDS = {
  /** kernel, x, y, z, number of bindings, then address and length of each binding */
  dispatch: 1,
  /** kernel, address of x, y and z, number of bindings, then address and length of each binding */
  dispatchIndirect: 2,
  /** to, from, length */
  copy: 3,
  /** to, length: zeros */
  clear: 4,
  /** to: the time, in nanoseconds, as 64 bits */
  time: 5,
  /** to; receives the job's data */
  write: 6,
} as const;

/** The type of `COMMANDS`: threads receive the numbers with their setup. */
export type CommandCodes = typeof COMMANDS;

/** The unit of work that a queue passes to the threads. Jobs run one after another, in order. */
export interface Job {
  readonly id: number;
  readonly words: Uint32Array;
  /** for a `write` command */
  readonly data?: Uint8Array;
  /** address of the first thread's scratch memory, and its distance to that of the next */
  readonly scratch: number;
  readonly scratchStride: number;
}

/** A compiled kernel, with its number in commands. */
export interface LoadedKernel {
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly label: string;
}
