import type { Dispatch } from './kernel.js';
import type { Entry, Program } from './program.js';
import type { Storage } from './tensor.js';

/** A buffer that several storages use, one after another. */
export interface Slot {
  /** bytes */
  size: number;
  readonly allocations: Allocation[];
}

/** A storage or scratch memory, and the entries during which it occupies its slot. */
export interface Allocation {
  readonly label: string;
  /** id of its storage; undefined for scratch memory */
  readonly storage: number | undefined;
  /** index of the entry that writes it first, and of the last that touches it */
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

/** The slot of each short-lived storage. */
export interface MemoryPlan {
  readonly slots: readonly Slot[];
  /** slot number by storage id */
  readonly slotOf: ReadonlyMap<number, number>;
  /** slot number of each entry's scratch memories, by entry index and name */
  readonly scratchOf: ReadonlyMap<number, ReadonlyMap<string, number>>;
}

interface Lifetime {
  readonly key: { readonly storage: number } | { readonly entry: number; readonly scratch: string };
  readonly label: string;
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
 * @param kept storages that are read after the replay: never shared
 */
export function planMemory(
  program: Program,
  dispatches: ReadonlyMap<number, readonly Dispatch[]>,
  kept: (storage: Storage) => boolean,
): MemoryPlan {
  const lifetimes = [...lifetimesOf(program.entries, kept), ...scratchOfEntries(program.entries, dispatches)];
  lifetimes.sort((a, b) => a.from - b.from || b.bytes - a.bytes);
  const slots: Slot[] = [];
  const freeFrom: number[] = [];
  const slotOf = new Map<number, number>();
  const scratchOf = new Map<number, Map<string, number>>();
  for (const life of lifetimes) {
    const free = slots.map((_, i) => i).filter((i) => freeFrom[i]! < life.from);
    free.sort((a, b) => slots[a]!.size - slots[b]!.size);
    const chosen = free.find((i) => slots[i]!.size >= life.bytes) ?? free.at(-1) ?? slots.length;
    slots[chosen] ??= { size: 0, allocations: [] };
    const slot = slots[chosen];
    slot.size = Math.max(slot.size, life.bytes);
    const { label, from, to, bytes } = life;
    slot.allocations.push({ label, storage: 'storage' in life.key ? life.key.storage : undefined, from, to, bytes });
    freeFrom[chosen] = life.to;
    if ('storage' in life.key) {
      slotOf.set(life.key.storage, chosen);
    } else {
      const scratch = scratchOf.get(life.key.entry) ?? new Map<string, number>();
      scratchOf.set(life.key.entry, scratch.set(life.key.scratch, chosen));
    }
  }
  return { slots, slotOf, scratchOf };
}

function lifetimesOf(entries: readonly Entry[], kept: (storage: Storage) => boolean): Lifetime[] {
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
    key: { storage: storage.id },
    label: storage.label,
    bytes: storage.length * 4,
    from,
    to: kept(storage) ? Number.POSITIVE_INFINITY : last.get(storage)!,
  }));
}

function scratchOfEntries(entries: readonly Entry[], dispatches: ReadonlyMap<number, readonly Dispatch[]>): Lifetime[] {
  return entries.flatMap((entry) => {
    const lengths = new Map<string, number>();
    for (const dispatch of dispatches.get(entry.index) ?? []) {
      for (const binding of Object.values(dispatch.bind)) {
        if ('scratch' in binding) lengths.set(binding.scratch, binding.length);
      }
    }
    return [...lengths].map(([scratch, length]) => ({
      key: { entry: entry.index, scratch },
      label: `${entry.op.name} ${scratch}`,
      bytes: length * 4,
      from: entry.index,
      to: entry.index,
    }));
  });
}
