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
  const allocations = [...activationsOf(program.entries, kept), ...scratchOf(program.entries, dispatches)];
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

function activationsOf(entries: readonly Entry[], kept: (storage: Storage) => boolean): Allocation[] {
  const first = new Map<Storage, number>();
  const last = new Map<Storage, number>();
  for (const entry of entries) {
    for (const { storage } of [...entry.inputs, ...entry.outputs]) {
      if (storage.role !== 'activation') continue;
      if (!first.has(storage)) first.set(storage, entry.index);
      last.set(storage, entry.index);
    }
  }
  return [...first].map(([storage, from]) => ({
    key: storage.id,
    label: storage.label,
    bytes: storage.length * 4,
    from,
    to: kept(storage) ? Number.POSITIVE_INFINITY : last.get(storage)!,
  }));
}

function scratchOf(entries: readonly Entry[], dispatches: ReadonlyMap<number, readonly Dispatch[]>): Allocation[] {
  return entries.flatMap((entry) => {
    const lengths = new Map<string, number>();
    for (const dispatch of dispatches.get(entry.index) ?? []) {
      for (const binding of Object.values(dispatch.bind)) {
        if ('scratch' in binding) lengths.set(binding.scratch, binding.length);
      }
    }
    return [...lengths].map(([scratch, length]) => ({
      key: scratchKey(entry.index, scratch),
      label: `${entry.op.name} ${scratch}`,
      bytes: length * 4,
      from: entry.index,
      to: entry.index,
    }));
  });
}
