import { type Dispatch, packParams, readInterface, type Scratch } from '../engine/kernel.js';
import type { Storage } from '../engine/tensor.js';
import type { CheckedBinding } from '../wgsl/index.js';

/** Bytes of storages, and flags for written words. Unwritten words are NaN, so that their use is visible. */
export class HostMemory {
  readonly #storages = new Map<number, Words>();
  readonly #scratch = new WeakMap<Scratch, Words>();
  readonly #parameters: Words;
  readonly #gradients: Words;

  constructor(flatLength: number) {
    this.#parameters = new Words(flatLength, true);
    this.#gradients = new Words(flatLength, true);
  }

  write(storage: Storage, data: ArrayLike<number>): void {
    const { words, from } = this.#locate(storage);
    const view = storage.dtype === 'f32' ? words.f32 : words.u32;
    view.set(Array.from(data), from);
    words.written.fill(1, from, from + storage.length);
  }

  read(storage: Storage): Float32Array | Uint32Array {
    const { words, from } = this.#locate(storage);
    return (storage.dtype === 'f32' ? words.f32 : words.u32).subarray(from, from + storage.length);
  }

  /**
   * All bindings of a dispatch, including its parameters. `file`: the text of its shader, without the preceding lines.
   */
  bindings(dispatch: Dispatch, file: string): CheckedBinding[] {
    const declared = readInterface(dispatch.shader, file);
    return declared.bindings.map(({ binding, name, type }) => {
      if (type === 'uniform') {
        return { group: 0, binding, bytes: new Uint8Array(packParams(dispatch, declared)) };
      }
      return { group: 0, binding, ...this.bound(dispatch.bind[name]!) };
    });
  }

  /** The bytes of a binding, and flags for its written words. */
  bound(bound: Dispatch['bind'][string]): Pick<CheckedBinding, 'bytes' | 'written'> {
    const { storage, offset = 0, length = storage.length } = bound;
    if ('role' in storage) {
      const { words, from } = this.#locate(storage);
      return words.range(from + offset, length);
    }
    const words = this.#scratch.get(storage) ?? new Words(length, false);
    this.#scratch.set(storage, words);
    return words.range(offset, length);
  }

  #locate(storage: Storage): { words: Words; from: number } {
    const { id, role, length, flatOffset, data } = storage;
    if (flatOffset !== undefined) {
      return { words: role === 'gradient' ? this.#gradients : this.#parameters, from: flatOffset };
    }
    let words = this.#storages.get(id);
    if (!words) {
      words = new Words(length, role !== 'activation' && role !== 'input');
      this.#storages.set(id, words);
      if (data) this.write(storage, data);
    }
    return { words, from: 0 };
  }
}

const NAN_BITS = 0x7fc00000;

class Words {
  readonly f32: Float32Array;
  readonly u32: Uint32Array;
  readonly written: Uint8Array;

  constructor(length: number, isCleared: boolean) {
    // A binding must not be empty: an empty tensor binds 4 bytes that no kernel reads.
    this.f32 = new Float32Array(Math.max(1, length));
    this.u32 = new Uint32Array(this.f32.buffer);
    this.written = new Uint8Array(this.f32.length).fill(isCleared ? 1 : 0);
    if (!isCleared) this.u32.fill(NAN_BITS);
  }

  range(from: number, length: number): { bytes: Uint8Array; written: Uint8Array } {
    const to = from + Math.max(1, length);
    return {
      bytes: new Uint8Array(this.f32.buffer, from * 4, (to - from) * 4),
      written: this.written.subarray(from, to),
    };
  }
}
