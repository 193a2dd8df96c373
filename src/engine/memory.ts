import type { Dispatch, Scratch } from './kernel.js';
import type { Entry, Program } from './program.js';
import type { Storage, Tensor } from './tensor.js';

/** A buffer of `size` bytes that several storages use, one after another. */
export interface SharedBuffer {
  size: number;
  readonly allocations: Allocation[];
}

/** A storage or scratch memory, and the entries during which it occupies its buffer. */
export interface Allocation {
  readonly of: Storage | Scratch;
  readonly bytes: number;
  /** index of the entry that writes it first, and of the last that touches it */
  readonly from: number;
  readonly to: number;
}

/**
 * Share buffers by liveness: a storage is alive from the entry that writes it to the last one that reads it, and two
 * storages whose lifetimes do not overlap may share one buffer. Entries are in order, so this is interval colouring:
 * each storage takes the smallest free buffer that holds it, else the largest free one grows, else a new one is added.
 *
 * @param keep tensors that are read after the replay: their buffers are not used again. Default none
 */
export function planMemory(
  program: Program,
  dispatches: ReadonlyMap<Entry, readonly Dispatch[]>,
  keep: readonly Tensor[] | 'all' = [],
): SharedBuffer[] {
  const found = new Map<Storage | Scratch, Allocation>();
  const touch = (of: Storage | Scratch, index: number, to = index) =>
    found.set(of, { of, bytes: of.length * 4, from: found.get(of)?.from ?? index, to });
  for (const entry of program.entries) {
    for (const { storage } of [...entry.inputs, ...entry.outputs]) {
      const isKept = keep === 'all' || keep.some((tensor) => tensor.storage === storage);
      if (storage.role === 'activation') touch(storage, entry.index, isKept ? Number.POSITIVE_INFINITY : entry.index);
    }
    for (const { storage } of (dispatches.get(entry) ?? []).flatMap(({ bind }) => Object.values(bind))) {
      if (!('role' in storage)) touch(storage, entry.index);
    }
  }
  const buffers: SharedBuffer[] = [];
  for (const allocation of [...found.values()].sort((a, b) => a.from - b.from || b.bytes - a.bytes)) {
    const free = buffers.filter(({ allocations }) => allocations.at(-1)!.to < allocation.from);
    free.sort((a, b) => a.size - b.size);
    const taken = free.find(({ size }) => size >= allocation.bytes) ?? free.at(-1);
    const buffer = taken ?? { size: 0, allocations: [] };
    if (taken === undefined) buffers.push(buffer);
    buffer.size = Math.max(buffer.size, allocation.bytes);
    buffer.allocations.push(allocation);
  }
  return buffers;
}
