import type { CpuBuffer } from './buffer.js';
import { COMMANDS } from './commands.js';
import { GPUBufferUsage } from './constants.js';
import type { CpuDevice } from './cpuDevice.js';
import type { CpuCommandBuffer } from './encoder.js';
import { ensure, operationError, UnsupportedError } from './errors.js';
import { enforceRange } from './numbers.js';
import { DeviceObject } from './object.js';

/** The one queue of a device: its work runs in the order of submission. */
export class CpuQueue extends DeviceObject {
  constructor(device: CpuDevice, label: string | undefined) {
    super(device, 'Queue', label);
  }

  writeBuffer(
    target: GPUBuffer,
    bufferOffset: number,
    data: GPUAllowSharedBufferSource,
    dataOffset = 0,
    size?: number,
  ): undefined {
    const buffer = target as unknown as CpuBuffer;
    const offset = enforceRange('bufferOffset', bufferOffset);
    const source = bytesOf(data, enforceRange('dataOffset', dataOffset), size && enforceRange('size', size));
    this.device.check(`calling ${this}.WriteBuffer(${buffer}, ${offset}, data, ${source.length})`, () => {
      buffer.requireOf(this.device);
      buffer.requireUsage(GPUBufferUsage.COPY_DST);
      ensure(offset % 4 === 0, () => `buffer offset (${offset}) is not a multiple of 4`);
      ensure(
        offset + source.length <= buffer.size,
        () =>
          `write range (bufferOffset: ${offset}, size: ${source.length}) does not fit in ${buffer} size (${buffer.size})`,
      );
      buffer.requireUsable('writeBuffer');
      if (source.length === 0 || this.device.isLost) return;
      const { memory, timeline } = this.device;
      const to = buffer.address + offset;
      // Work submitted before must not see it.
      if (timeline.isIdle) memory.view(to, source.length).set(source);
      else timeline.submit(Uint32Array.of(COMMANDS.write, to), false, Uint8Array.from(source));
    });
  }

  submit(buffers: Iterable<GPUCommandBuffer>): undefined {
    const all = [...buffers] as unknown as readonly CpuCommandBuffer[];
    this.device.check(`calling ${this}.Submit`, () => {
      for (const [at, commands] of all.entries()) {
        commands.requireOf(this.device);
        const isTwice = commands.isSubmitted || all.indexOf(commands) !== at;
        ensure(!isTwice, () => `${commands} was submitted before`);
        for (const used of commands.uses) used.requireUsable('submit');
      }
      const words = new Uint32Array(all.reduce((sum, commands) => sum + commands.words.length, 0));
      let at = 0;
      for (const commands of all) {
        commands.isSubmitted = true;
        words.set(commands.words, at);
        at += commands.words.length;
      }
      const isParallel = all.some((commands) => commands.isParallel);
      if (words.length > 0 && !this.device.isLost) this.device.timeline.submit(words, isParallel);
    });
  }

  onSubmittedWorkDone(): Promise<undefined> {
    const { device } = this;
    return new Promise((resolve) => {
      if (device.isLost) resolve(undefined);
      // Code that waits for a lost device learns of the loss from `lost`.
      const pending = { reject: () => resolve(undefined) };
      device.whileAlive(pending);
      device.timeline.afterSubmitted(() => {
        device.forget(pending);
        resolve(undefined);
      });
    });
  }

  writeTexture(): never {
    throw new UnsupportedError('writeTexture');
  }

  copyExternalImageToTexture(): never {
    throw new UnsupportedError('copyExternalImageToTexture');
  }
}

/** @param offset and `size` count elements of a typed array, bytes of any other source   @throws OperationError */
function bytesOf(data: GPUAllowSharedBufferSource, offset: number, size: number | undefined): Uint8Array {
  const isView = ArrayBuffer.isView(data);
  const element = isView ? ((data as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1) : 1;
  const whole = isView ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
  const start = offset * element;
  const end = size === undefined ? whole.length : start + size * element;
  if (start > whole.length || end > whole.length) {
    throw operationError(`writeBuffer: data has ${whole.length} bytes; asked for ${start} … ${end}`);
  }
  if ((end - start) % 4 !== 0) throw operationError(`writeBuffer: size (${end - start}) is not a multiple of 4`);
  return whole.subarray(start, end);
}
