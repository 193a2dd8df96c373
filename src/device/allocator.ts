/** A range of bytes. */
export interface Range {
  readonly start: number;
  readonly size: number;
}

/** Every range starts at a multiple of this: WebGPU's offset alignment, and more than a SIMD register needs. */
const ALIGNMENT = 256;

/**
 * Ranges of bytes in a space that may grow: first fit; adjacent free ranges are merged.
 *
 *     const ranges = new Allocator(0);
 *     ranges.grow(1024);
 *     ranges.take(300);   // { start: 0, size: 512 }
 *     ranges.take(600);   // undefined: 512 bytes are left
 */
export class Allocator {
  /** by start; no two of them touch */
  readonly #free: Range[] = [];
  #end: number;

  /** @param start first byte, a multiple of 256 */
  constructor(start: number) {
    this.#end = start;
  }

  /** Move the end of the space up to `end`. */
  grow(end: number): void {
    const added = { start: this.#end, size: end - this.#end };
    this.#end = end;
    this.give(added);
  }

  /** @returns at least `bytes` bytes, at the lowest address where they fit; undefined if they do not fit */
  take(bytes: number): Range | undefined {
    const size = aligned(bytes);
    const at = this.#free.findIndex((range) => range.size >= size);
    if (at < 0) return undefined;
    const { start, size: found } = this.#free[at]!;
    if (found === size) this.#free.splice(at, 1);
    else this.#free[at] = { start: start + size, size: found - size };
    return { start, size };
  }

  /** Bytes by which the space must grow for `take(bytes)` to succeed. */
  missing(bytes: number): number {
    const last = this.#free.at(-1);
    const atEnd = last !== undefined && last.start + last.size === this.#end ? last.size : 0;
    return aligned(bytes) - atEnd;
  }

  /** Free a range. */
  give({ start, size }: Range): void {
    if (size === 0) return;
    let at = this.#free.findIndex((range) => range.start > start);
    if (at < 0) at = this.#free.length;
    const before = this.#free[at - 1];
    const after = this.#free[at];
    const from = before !== undefined && before.start + before.size === start ? before : undefined;
    const to = after !== undefined && start + size === after.start ? after : undefined;
    const joined = { start: from?.start ?? start, size: (from?.size ?? 0) + size + (to?.size ?? 0) };
    this.#free.splice(from ? at - 1 : at, (from ? 1 : 0) + (to ? 1 : 0), joined);
  }

  /** Total of free bytes. */
  get free(): number {
    return this.freeBelow(Number.POSITIVE_INFINITY);
  }

  /** Bytes that are free before `end`. */
  freeBelow(end: number): number {
    return this.#free.reduce((sum, { start, size }) => sum + Math.max(0, Math.min(end - start, size)), 0);
  }
}

/** aligned(1) // 256 */
function aligned(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
}
