import type { Dispatch } from './kernel.js';
import type { Entry, Program } from './program.js';
import type { Storage } from './tensor.js';

/** A buffer that several storages use, one after another. */
export interface SharedBuffer {
  /** bytes */
  size: number;
  readonly allocations: Allocation[];
}

/** A storage or scratch memory, and the entries during which it occupies its buffer. */
export interface Allocation {
  /** the id of its storage, or the `scratchKey` of scratch memory */
  readonly key: number | string;
  readonly label: string;
  readonly bytes: number;
  /** index of the entry that writes it first, and of the last that touches it */
  readonly from: number;
  readonly to: number;
}

/** The buffer of each short-lived storage and scratch memory. */
export interface MemoryPlan {
  readonly buffers: readonly SharedBuffer[];
  /** index of the buffer, by the key of the allocation */
  readonly bufferOf: ReadonlyMap<Allocation['key'], number>;
}

/** The key of scratch memory, which belongs to one entry. `scratchKey(3, 'partials') // '3 partials'` */
export function scratchKey(entry: number, scratch: string): string {
  return `${entry} ${scratch}`;
}

/**
 * Share buffers by liveness: a storage is alive from the entry that writes it to the last one that reads it, and two
 * storages whose lifetimes do not overlap may share one buffer. Entries are in order, so this is interval colouring:
 * each storage takes the smallest free buffer that holds it, else the largest free one grows, else a new one is added.
 *
 * @param kept storages that are read after the replay: never shared
 */
export function planMemory(
  program: Program,
  dispatches: ReadonlyMap<number, readonly Dispatch[]>,
  kept: (storage: Storage) => boolean,
): MemoryPlan {
  const allocations = allocationsOf(program.entries, dispatches, kept);
  allocations.sort((a, b) => a.from - b.from || b.bytes - a.bytes);
  const buffers: SharedBuffer[] = [];
  const bufferOf = new Map<Allocation['key'], number>();
  for (const allocation of allocations) {
    const free = buffers.map((_, i) => i).filter((i) => buffers[i]!.allocations.at(-1)!.to < allocation.from);
    free.sort((a, b) => buffers[a]!.size - buffers[b]!.size);
    const chosen = free.find((i) => buffers[i]!.size >= allocation.bytes) ?? free.at(-1) ?? buffers.length;
    buffers[chosen] ??= { size: 0, allocations: [] };
    const buffer = buffers[chosen];
    buffer.size = Math.max(buffer.size, allocation.bytes);
    buffer.allocations.push(allocation);
    bufferOf.set(allocation.key, chosen);
  }
  return { buffers, bufferOf };
}

/** Each activation and scratch memory, from the entry that touches it first to the last. */
function allocationsOf(
  entries: readonly Entry[],
  dispatches: ReadonlyMap<number, readonly Dispatch[]>,
  kept: (storage: Storage) => boolean,
): Allocation[] {
  const found = new Map<Allocation['key'], Allocation>();
  const touch = (key: Allocation['key'], label: string, length: number, from: number, to: number) => {
    found.set(key, { key, label, bytes: length * 4, from: found.get(key)?.from ?? from, to });
  };
  for (const { index, op, inputs, outputs } of entries) {
    for (const { storage } of [...inputs, ...outputs]) {
      if (storage.role !== 'activation') continue;
      touch(storage.id, storage.label, storage.length, index, kept(storage) ? Number.POSITIVE_INFINITY : index);
    }
    for (const binding of (dispatches.get(index) ?? []).flatMap(({ bind }) => Object.values(bind))) {
      if (!('scratch' in binding)) continue;
      const { scratch, length } = binding;
      touch(scratchKey(index, scratch), `${op.name} ${scratch}`, length, index, index);
    }
  }
  return [...found.values()];
}
