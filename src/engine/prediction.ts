import { DeviceError } from '../common/errors.js';
import type { Device } from '../device/device.js';
import type { SharedBuffer } from './memory.js';
import type { Program } from './program.js';
import type { Storage } from './tensor.js';

/** Bytes of GPU memory of a plan, by kind. */
export interface PlanBytes {
  readonly total: number;
  /** parameters and gradients, and tensors changed in place (moments, caches) */
  readonly flat: number;
  readonly activations: number;
  /** size of the activations without sharing */
  readonly unshared: number;
  readonly fixed: number;
  /** the part of the total that is not borrowed from another plan */
  readonly fresh: number;
}

/** The allocations of a plan, and the error if they do not fit. */
export interface Prediction {
  readonly bytes: PlanBytes;
  /** the reason that it cannot be allocated; undefined if it can, as far as known */
  readonly memoryError: DeviceError | undefined;
}

/**
 * Count the allocations of a plan, and compare them with the adapter's limits and the free memory.
 *
 * @param shared the program whose parameters, and states of the same label, are borrowed
 */
export function predictMemory(
  program: Program,
  device: Device,
  memory: readonly SharedBuffer[],
  shared?: Program,
): Prediction {
  const bytes = bytesOf(program, memory, shared);
  return { bytes, memoryError: overLimit(program, device) ?? overFree(bytes, device) };
}

/** As `predictMemory`. @throws DeviceError when memory does not suffice */
export function checkMemory(...plan: Parameters<typeof predictMemory>): void {
  const { memoryError } = predictMemory(...plan);
  if (memoryError !== undefined) throw memoryError;
}

/** Bytes of a plan, by kind; the arguments are those of `predictMemory`. */
export function bytesOf(program: Program, memory: readonly SharedBuffer[], shared?: Program): PlanBytes {
  const flatBytes = program.flatLength * 4;
  const lengths = (...roles: Storage['role'][]) =>
    program.storages.reduce((sum, { role, length }) => sum + (roles.includes(role) ? length * 4 : 0), 0);
  const borrowedStates = program.storages
    .filter((storage) => shared?.storages.some((other) => isSameState(other, storage)))
    .reduce((sum, { length }) => sum + length * 4, 0);
  const hasGradients = program.storages.some(({ role }) => role === 'gradient');
  const flat = flatBytes * (hasGradients ? 2 : 1) + lengths('state');
  const fixed = lengths('input', 'constant', 'accumulator');
  const activations = memory.reduce((sum, { size }) => sum + size, 0);
  const unshared = memory.flatMap(({ allocations }) => allocations).reduce((sum, { bytes }) => sum + bytes, 0);
  const total = flat + activations + fixed;
  const fresh = total - borrowedStates - (shared === undefined ? 0 : flatBytes);
  return { total, flat, activations, unshared, fixed, fresh };
}

/** Do two programs mean the same state, so that their plans share its buffer? */
export const isSameState = (a: Storage, b: Storage) =>
  a.role === 'state' && b.role === 'state' && a.label === b.label && a.length === b.length;

/** `2.34 GiB`, `120 MiB` */
export function sizeInWords(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(2)} GiB` : `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

const MEMORY_HINT = 'Take a smaller --batch, shorter windows or a smaller model';

function overLimit(program: Program, { limits, name }: Device): DeviceError | undefined {
  const { maxBufferSize, maxStorageBufferBindingSize } = limits;
  for (const { op, inputs, outputs } of program.entries) {
    for (const { storage } of [...inputs, ...outputs]) {
      // gradientNorm and AdamW bind the flat buffers and the moments in ranges, so only their whole size is limited.
      const isFlat =
        storage.length === program.flatLength && (storage.flatOffset !== undefined || storage.role === 'state');
      const isBuffer = isFlat || maxBufferSize < maxStorageBufferBindingSize;
      const limit = isBuffer ? 'maxBufferSize' : 'maxStorageBufferBindingSize';
      const needed = storage.length * 4;
      if (needed > limits[limit]) {
        const sizes = `needs ${sizeInWords(needed)}, but ${name} allows ${sizeInWords(limits[limit])} (${limit})`;
        return new DeviceError(`${storage.label}: ${op.name} ${sizes}. ${MEMORY_HINT}`, 'memory', storage.label);
      }
    }
  }
  return undefined;
}

function overFree({ fresh }: PlanBytes, device: Device): DeviceError | undefined {
  const free = device.freeMemory();
  if (fresh <= free) return undefined;
  return new DeviceError(
    `this needs ${sizeInWords(fresh)}, but ${sizeInWords(free)} of memory are free. ${MEMORY_HINT}`,
    'memory',
  );
}
