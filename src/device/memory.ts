import { Allocator, type Range } from './allocator.js';

/** Bytes in a page of WebAssembly memory. */
export const PAGE = 65536;
const MAXIMUM_PAGES = 65536; // 4 GiB, the limit of 32-bit addresses

/** The first page holds the argument block of the dispatch that runs, at address 0; no buffer starts there. */
const FIRST_BUFFER = PAGE;
/** A vector load at the end of a buffer may read past it by this much. */
const TAIL = 256;
/** The memory grows by at least this: the system allocates no unused page. */
const GROWTH = 256 * PAGE;

/** One WebAssembly memory, and the ranges of its buffers. */
export class DeviceMemory {
  wasm: WebAssembly.Memory;
  readonly maximumPages: number;
  readonly #ranges = new Allocator(FIRST_BUFFER);
  /** bytes from here on have never been written, so they are zero */
  #untouched = FIRST_BUFFER;
  #pages = 1;

  /**
   * @param shared true if other threads use it
   * @param maximumBytes upper limit of its size
   */
  constructor(
    readonly shared: boolean,
    maximumBytes = MAXIMUM_PAGES * PAGE,
  ) {
    const wanted = Math.max(2, Math.min(MAXIMUM_PAGES, Math.floor(maximumBytes / PAGE)));
    [this.wasm, this.maximumPages] = reserve(shared, wanted);
  }

  /** Maximum bytes of one buffer. */
  get largestBuffer(): number {
    return this.maximumPages * PAGE - FIRST_BUFFER - TAIL;
  }

  /** Total bytes that buffers can still take. */
  get free(): number {
    return this.#ranges.free + (this.maximumPages - this.#pages) * PAGE - (this.#pages === 1 ? TAIL : 0);
  }

  /**
   * Bytes that buffers can still take while the system has `systemBytes` free: pages used before are already allocated.
   */
  within(systemBytes: number): number {
    return Math.min(this.free, systemBytes + this.#ranges.freeBelow(this.#untouched));
  }

  /** @returns zeroed bytes; undefined if they do not fit, and then nothing has changed */
  allocate(bytes: number): Range | undefined {
    let range = this.#ranges.take(bytes);
    if (range === undefined) {
      if (!this.#grow(this.#ranges.missing(bytes))) return undefined;
      range = this.#ranges.take(bytes)!;
    }
    const end = range.start + range.size;
    const used = Math.min(end, this.#untouched) - range.start;
    if (used > 0) new Uint32Array(this.wasm.buffer, range.start, used / 4).fill(0); // four times as fast as bytes
    this.#untouched = Math.max(this.#untouched, end);
    return range;
  }

  /** Free a range, after all submitted work that uses it. */
  release(range: Range): void {
    this.#ranges.give(range);
  }

  /** A view of bytes; valid until the memory grows. */
  view(start: number, size: number): Uint8Array {
    return new Uint8Array(this.wasm.buffer, start, size);
  }

  /** Release the memory: it can be collected even if the device is still referenced. */
  close(): void {
    this.wasm = new WebAssembly.Memory({ initial: 0, maximum: 0 });
  }

  #grow(bytes: number): boolean {
    const needed = Math.ceil((bytes + (this.#pages === 1 ? TAIL : 0)) / PAGE);
    const left = this.maximumPages - this.#pages;
    if (needed > left) return false;
    const step = Math.min(left, Math.max(needed, GROWTH / PAGE));
    const grown = [step, needed].find((pages) => {
      try {
        this.wasm.grow(pages);
        return true;
      } catch {
        return false; // the system has no more address space or memory
      }
    });
    if (grown === undefined) return false;
    this.#pages += grown;
    this.#ranges.grow(this.#pages * PAGE - TAIL);
    return true;
  }
}

/**
 * Some browsers refuse a reservation of 4 GiB: then a smaller one is tried.
 *
 * @throws RangeError when the system grants none
 */
function reserve(shared: boolean, wanted: number): [WebAssembly.Memory, number] {
  for (let maximum = wanted; ; maximum = Math.floor(maximum / 2)) {
    try {
      return [new WebAssembly.Memory({ initial: 1, maximum, shared }), maximum];
    } catch (error) {
      if (maximum > 256) continue;
      const reason = (error as Error).message;
      throw new RangeError(
        `no memory for the CPU device: ${reason}. A limit of address space (ulimit -v) must be lifted`,
      );
    }
  }
}
