import { GPUBufferUsage, GPUMapMode } from '../device/constants.js';
import type { Device } from '../device/device.js';

const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;

/** A query set holds at most 4096 queries: two for each pass. */
export const MAX_PASSES = 2048;

/** Start and end times of compute passes, on a device that has them. */
export class Timestamps {
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;

  private constructor(
    private readonly device: Device,
    readonly passes: number,
  ) {
    const { gpu } = device;
    const size = passes * 16; // two 64-bit times
    this.#queries = gpu.createQuerySet({ label: 'pass times', type: 'timestamp', count: passes * 2 });
    this.#resolved = gpu.createBuffer({ label: 'pass times', size, usage: QUERY_RESOLVE | COPY_SRC });
    this.#staging = gpu.createBuffer({ label: 'read pass times', size, usage: MAP_READ | COPY_DST });
  }

  /** @param passes at most MAX_PASSES   @returns undefined if the device has no timestamps */
  static of(device: Device, passes: number): Timestamps | undefined {
    return device.timestamps && passes > 0 ? new Timestamps(device, passes) : undefined;
  }

  /** The timestamp writes of the `i`-th pass. */
  pass(i: number): GPUComputePassTimestampWrites {
    return { querySet: this.#queries, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
  }

  /** Add the copy after the first `count` passes, in the same encoder. */
  resolve(encoder: GPUCommandEncoder, count: number): void {
    encoder.resolveQuerySet(this.#queries, 0, count * 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, count * 16);
  }

  /** Nanoseconds of each of the first `count` passes. */
  async read(count: number): Promise<number[]> {
    await this.device.settle(this.#staging.mapAsync(GPUMapMode.READ, 0, count * 16));
    const times = new BigUint64Array(this.#staging.getMappedRange(0, count * 16).slice(0));
    this.#staging.unmap();
    return Array.from({ length: count }, (_, i) => Number(times[2 * i + 1]! - times[2 * i]!));
  }

  destroy(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    this.#staging.destroy();
  }
}
