import { InputError } from '../common/errors.js';
import type { Device } from '../device/device.js';
import type { PlanBuffers } from './planBuffers.js';
import type { Storage } from './tensor.js';

/** Waits for the device and gives one array for each storage, of its type. Can be called once. */
export type Read = () => Promise<(Float32Array | Uint32Array)[]>;

/** Copies numbers for TypeScript into buffers that it can map. */
export class Staging {
  /** buffers that hold numbers nobody has asked for yet */
  readonly #unread = new Set<GPUBuffer>();
  /** buffers for later copies */
  #free: GPUBuffer[] = [];
  #destroyed = false;

  constructor(
    private readonly device: Device,
    private readonly buffers: PlanBuffers,
  ) {}

  /** Record copies of storages, behind what the encoder holds already. The caller submits them. */
  copy(encoder: GPUCommandEncoder, storages: readonly Storage[]): Read {
    const bytes = storages.reduce((sum, { length }) => sum + length * 4, 0);
    const staging =
      this.#take(bytes) ??
      this.device.gpu.createBuffer({ label: 'staging', size: Math.max(LEAST_SIZE, bytes), usage: MAP_READ | COPY_DST });
    let to = 0;
    for (const storage of storages) {
      if (storage.length === 0) continue;
      const { buffer, offset } = this.buffers.locate(storage);
      encoder.copyBufferToBuffer(buffer, offset, staging, to, storage.length * 4);
      to += storage.length * 4;
    }
    this.#unread.add(staging);
    return async () => {
      const copy = await this.#map(staging, bytes);
      let from = 0;
      return storages.map(({ dtype, length }) => {
        const numbers = new (dtype === 'f32' ? Float32Array : Uint32Array)(copy, from, length);
        from += length * 4;
        return numbers;
      });
    };
  }

  #take(bytes: number): GPUBuffer | undefined {
    const fits = this.#free.findIndex(({ size }) => size >= bytes);
    return fits < 0 ? undefined : this.#free.splice(fits, 1)[0];
  }

  async #map(staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    if (!this.#unread.delete(staging)) {
      throw new InputError('read: these numbers were read before, or the plan was freed');
    }
    try {
      await this.device.settle(staging.mapAsync(GPU_MAP_READ));
      const copy = staging.getMappedRange().slice(0, bytes);
      staging.unmap();
      return copy;
    } finally {
      if (this.#destroyed || staging.size > LARGEST_KEPT) staging.destroy();
      else this.#free.push(staging);
    }
  }

  /** Free the memory. Numbers that were not read are lost. */
  destroy(): void {
    this.#destroyed = true;
    for (const staging of [...this.#unread, ...this.#free]) staging.destroy();
    this.#unread.clear();
    this.#free = [];
  }
}

/** Bytes of a staging buffer: so many at least, that steps use the same ones; larger ones are not kept for long. */
const LEAST_SIZE = 256;
const LARGEST_KEPT = 2 ** 16;

/** GPUBufferUsage and GPUMapMode as numbers: Node has no such globals. */
const MAP_READ = 0x0001;
const COPY_DST = 0x0008;
const GPU_MAP_READ = 0x0001;
