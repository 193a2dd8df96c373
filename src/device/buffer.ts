import type { Range } from './allocator.js';
import { GPUBufferUsage, GPUMapMode } from './constants.js';
import type { CpuDevice } from './cpuDevice.js';
import { abortError, ensure, operationError, Refusal } from './errors.js';
import { enforceRange } from './numbers.js';
import { DeviceObject } from './object.js';

const { MAP_READ, MAP_WRITE, COPY_SRC, COPY_DST } = GPUBufferUsage;
const ALL_USAGES = Object.values(GPUBufferUsage).reduce((all, usage) => all | usage, 0);

/** A part of a mapped buffer that the page holds: a copy, which `unmap` writes back. */
interface MappedPiece {
  readonly offset: number;
  readonly bytes: ArrayBuffer;
}

interface Mapping {
  readonly mode: 'read' | 'write';
  readonly offset: number;
  readonly size: number;
  readonly pieces: MappedPiece[];
}

interface PendingMap {
  reject(error: DOMException): void;
}

/** A range of the device's memory. */
export class CpuBuffer extends DeviceObject {
  readonly size: number;
  readonly usage: number;
  /** undefined if it was refused or destroyed */
  range: Range | undefined;
  isDestroyed = false;
  #mapping: Mapping | undefined;
  #pending: PendingMap | undefined;

  constructor(device: CpuDevice, descriptor: GPUBufferDescriptor) {
    super(device, 'Buffer', descriptor.label);
    this.size = descriptor.size;
    this.usage = descriptor.usage;
    if (descriptor.mappedAtCreation) {
      this.#mapping = { mode: 'write', offset: 0, size: this.size, pieces: [] };
    }
  }

  /** The rules for creating a buffer. @throws Refusal */
  static check({ size, usage, label }: GPUBufferDescriptor, limits: GPUSupportedLimits): void {
    const buffer = `[Buffer${label ? ` "${label}"` : ''}]`;
    ensure(
      size <= limits.maxBufferSize,
      () => `${buffer} size (${size}) exceeds maxBufferSize (${limits.maxBufferSize})`,
    );
    ensure(
      usage !== 0 && (usage & ~ALL_USAGES) === 0,
      () => `${buffer} usage (${usage}) is not a set of buffer usages`,
    );
    ensure(
      (usage & MAP_READ) === 0 || (usage & ~(MAP_READ | COPY_DST)) === 0,
      () => `${buffer} usage (${namesOf(usage)}) has MapRead together with something other than CopyDst`,
    );
    ensure(
      (usage & MAP_WRITE) === 0 || (usage & ~(MAP_WRITE | COPY_SRC)) === 0,
      () => `${buffer} usage (${namesOf(usage)}) has MapWrite together with something other than CopySrc`,
    );
  }

  get mapState(): GPUBufferMapState {
    return this.#mapping ? 'mapped' : this.#pending ? 'pending' : 'unmapped';
  }

  /** First byte in the device's memory. */
  get address(): number {
    return this.range?.start ?? 0;
  }

  /** @throws Refusal unless the buffer is valid and has this usage */
  requireUsage(usage: number): void {
    ensure(this.isValid, () => `${this} is invalid`);
    ensure(
      (this.usage & usage) !== 0,
      () => `${this} usage (${namesOf(this.usage)}) doesn't include BufferUsage::${namesOf(usage)}`,
    );
  }

  /** @throws Refusal unless `offset + size` bytes are within the buffer */
  requireBytes(offset: number, size: number): void {
    ensure(
      offset >= 0 && size >= 0 && offset + size <= this.size,
      () => `range (offset: ${offset}, size: ${size}) does not fit in ${this} size (${this.size})`,
    );
  }

  /** @throws Refusal unless commands may use it now */
  requireUsable(where: string): void {
    ensure(!this.isDestroyed, () => `${this} used in ${where} while destroyed`);
    ensure(this.mapState === 'unmapped', () => `${this} used in ${where} while mapped`);
  }

  async mapAsync(mode: number, from = 0, size?: number): Promise<undefined> {
    const offset = enforceRange('offset', from);
    const bytes = enforceRange('size', size ?? Math.max(0, this.size - offset));
    return this.#map(mode, offset, bytes);
  }

  #map(mode: number, offset: number, bytes: number): Promise<undefined> {
    if (this.device.isLost) return Promise.reject(abortError(`${this}: ${this.device.lossInWords}`));
    try {
      ensure(this.isValid, () => `${this} is invalid`);
      ensure(!this.isDestroyed, () => `${this} is destroyed`);
      ensure(this.mapState === 'unmapped', () => `${this} is already ${this.mapState}`);
      ensure(mode === GPUMapMode.READ || mode === GPUMapMode.WRITE, () => `map mode (${mode}) is not READ or WRITE`);
      this.requireUsage(mode === GPUMapMode.READ ? MAP_READ : MAP_WRITE);
      ensure(offset % 8 === 0, () => `offset (${offset}) must be a multiple of 8`);
      ensure(bytes % 4 === 0, () => `size (${bytes}) must be a multiple of 4`);
      this.requireBytes(offset, bytes);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.device.refuse(`${error.message}.\n - While calling ${this}.MapAsync`);
      return Promise.reject(operationError(error.message));
    }
    return new Promise((resolve, reject) => {
      const pending = {
        reject: (error: DOMException) => {
          if (this.#pending === pending) this.#pending = undefined;
          reject(error);
        },
      };
      this.#pending = pending;
      this.device.whileAlive(pending);
      const map = () => {
        this.device.forget(pending);
        if (this.#pending !== pending) return; // unmapped meanwhile
        this.#pending = undefined;
        const kind = mode === GPUMapMode.READ ? 'read' : 'write';
        this.#mapping = { mode: kind, offset, size: bytes, pieces: [] };
        resolve(undefined);
      };
      // Never within this call: the caller may still unmap.
      this.device.timeline.afterSubmitted(() => queueMicrotask(map));
    });
  }

  getMappedRange(from = 0, size?: number): ArrayBuffer {
    const offset = enforceRange('offset', from);
    const mapping = this.#mapping;
    if (mapping === undefined) throw operationError(`${this} is not mapped`);
    const bytes = enforceRange('size', size ?? Math.max(0, this.size - offset));
    if (offset % 8 !== 0) throw operationError(`${this}: offset (${offset}) must be a multiple of 8`);
    if (bytes % 4 !== 0) throw operationError(`${this}: size (${bytes}) must be a multiple of 4`);
    if (offset < mapping.offset || offset + bytes > mapping.offset + mapping.size) {
      throw operationError(`${this}: range (offset: ${offset}, size: ${bytes}) is not within the mapped range`);
    }
    const overlaps = mapping.pieces.some(
      (piece) => offset < piece.offset + piece.bytes.byteLength && piece.offset < offset + bytes,
    );
    if (overlaps)
      throw operationError(`${this}: range (offset: ${offset}, size: ${bytes}) overlaps one given out before`);
    const copy = new ArrayBuffer(bytes);
    if (this.range && !this.device.isLost)
      new Uint8Array(copy).set(this.device.memory.view(this.address + offset, bytes));
    mapping.pieces.push({ offset, bytes: copy });
    return copy;
  }

  unmap(): undefined {
    const [pending, mapping] = [this.#pending, this.#mapping];
    this.#mapping = undefined;
    if (pending !== undefined) {
      this.device.forget(pending);
      pending.reject(abortError(`${this} was unmapped before it was mapped`));
    }
    for (const { offset, bytes } of mapping?.pieces ?? []) {
      if (bytes.byteLength === 0) continue; // empty, or transferred to somebody else, and what was written with it
      if (mapping!.mode === 'write' && this.range && !this.device.isLost) {
        this.device.memory.view(this.address + offset, bytes.byteLength).set(new Uint8Array(bytes));
      }
      detach(bytes);
    }
    return undefined;
  }

  destroy(): undefined {
    if (this.isDestroyed) return undefined;
    this.unmap();
    this.isDestroyed = true;
    if (this.range) this.device.release(this);
    this.range = undefined;
    return undefined;
  }
}

/** namesOf(0x0084) // 'Storage|CopySrc' */
function namesOf(usage: number): string {
  const names = Object.entries(GPUBufferUsage).filter(([, bit]) => (usage & bit) !== 0);
  const words = names.map(([name]) => name.replace(/[A-Z]+_?/g, (part) => part[0] + part.slice(1).toLowerCase()));
  return words.map((name) => name.replace('_', '')).join('|');
}

/** A mapped range has length 0 once it was unmapped. */
function detach(bytes: ArrayBuffer): void {
  structuredClone(bytes, { transfer: [bytes] });
}
