/**
 * Vector constants as locals that are read from memory once for each workgroup.
 *
 * V8 makes a constant again wherever it is used, with three instructions of which two compete for one port of x86
 * processors: 28 % of the time of `gelu.forward`. It has to keep a value that was loaded from memory, in a register or on
 * the stack.
 */
import { SCRATCH } from './parameters.js';
import type { FunctionBody } from './wasm.js';

/** Bytes of a constant. */
const SIZE = 16;

/** The constants of a function, and where they are in scratch memory. */
export class ConstantPool {
  readonly #places = new Map<string, { readonly words: readonly number[]; readonly local: number }>();

  /**
   * Replaces the constants of a function by locals.
   *
   * @param offset of the pool in scratch memory, in bytes, a multiple of 16
   */
  constructor(
    body: FunctionBody,
    private readonly offset: number,
  ) {
    body.replace(([name, ...words]) => {
      // All zeros or all ones are one instruction anyway.
      if (
        name !== 'v128.const' ||
        words.every((word) => (word | 0) === 0) ||
        words.every((word) => (word | 0) === -1)
      ) {
        return undefined;
      }
      const key = words.map((word) => word | 0).join();
      const place = this.#places.get(key) ?? { words, local: body.local('v128') };
      this.#places.set(key, place);
      return ['local.get', place.local];
    });
    body.prepend(() => {
      for (const [i, { local }] of [...this.#places.values()].entries()) {
        body.get(SCRATCH);
        body.emit('v128.load', offset + SIZE * i);
        body.emit('local.set', local);
      }
    });
  }

  /** bytes of scratch memory */
  get bytes(): number {
    return SIZE * this.#places.size;
  }

  /** Stores the constants. @param scratch the local with the address of scratch memory */
  store(body: FunctionBody, scratch: number): void {
    for (const [i, { words }] of [...this.#places.values()].entries()) {
      body.get(scratch);
      body.emit('v128.const', ...words);
      body.emit('v128.store', this.offset + SIZE * i);
    }
  }
}
