/**
 * What a submit asks of the threads, as 32-bit words: the number of a command, then its operands. Addresses and lengths are
 * bytes in the device's memory.
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
  /** to; the job's data lies there afterwards */
  write: 6,
} as const;

/** The type of `COMMANDS`: threads receive the numbers with their setup. */
export type CommandCodes = typeof COMMANDS;

/** What a queue hands to the threads at once. Jobs run one after the other, in order. */
export interface Job {
  readonly id: number;
  readonly words: Uint32Array;
  /** for a `write` command */
  readonly data?: Uint8Array;
  /** where scratch memory of the first thread lies, and how far that of the next is from it */
  readonly scratch: number;
  readonly scratchStride: number;
}

/** A compiled kernel, by the number that commands know it by. */
export interface LoadedKernel {
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly label: string;
}
