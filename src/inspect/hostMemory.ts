import { type Dispatch, packParams, readInterface } from '../engine/kernel.js';
import type { Storage } from '../engine/tensor.js';
import type { CheckedBinding } from '../wgsl/index.js';

/** Bytes of storages, and flags for written words. Unwritten words are NaN, so that their use is visible. */
export class HostMemory {
  readonly #storages = new Map<number, Words>();
  readonly #scratch = new Map<string, Words>();
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

  forgetScratch(): void {
    this.#scratch.clear();
  }

  /**
   * All bindings of a dispatch, including its parameters. `file`: the text of its shader, without the preceding lines.
   */
  bindings(dispatch: Dispatch, file: string): CheckedBinding[] {
    const { bindings, params } = readInterface(dispatch.shader, file);
    return bindings.map(({ binding, name, access }) => {
      if (access === 'uniform') {
        return { group: 0, binding, bytes: new Uint8Array(packParams(dispatch.shader, params, dispatch.params ?? {})) };
      }
      return { group: 0, binding, ...this.bound(dispatch.bind[name]!) };
    });
  }

  /** The bytes of a binding, and flags for its written words. */
  bound(bound: Dispatch['bind'][string]): Pick<CheckedBinding, 'bytes' | 'written'> {
    if ('scratch' in bound) {
      const words = this.#scratch.get(bound.scratch) ?? new Words(bound.length, false);
      this.#scratch.set(bound.scratch, words);
      return words.range(0, bound.length);
    }
    if (!('tensor' in bound)) return this.bound({ tensor: bound, offset: 0, length: bound.storage.length });
    const { words, from } = this.#locate(bound.tensor.storage);
    return words.range(from + bound.offset, bound.length);
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
