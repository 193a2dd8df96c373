import type { Range } from './allocator.js';
import type { CpuDevice } from './cpuDevice.js';
import { ensure, UnsupportedError } from './errors.js';
import { DeviceObject } from './object.js';

/** Times of compute passes, 8 bytes each. */
export class CpuQuerySet extends DeviceObject {
  readonly type = 'timestamp';
  readonly count: number;
  range: Range | undefined;
  isDestroyed = false;

  constructor(device: CpuDevice, { label, count }: GPUQuerySetDescriptor) {
    super(device, 'QuerySet', label);
    this.count = count;
  }

  /** @throws Refusal, or UnsupportedError for queries of rendering */
  static check({ type, count }: GPUQuerySetDescriptor, features: ReadonlySet<string>): void {
    if (type !== 'timestamp') throw new UnsupportedError(`createQuerySet: type ${type}`);
    ensure(features.has('timestamp-query'), () => 'timestamp queries need the feature timestamp-query');
    ensure(count <= 4096, () => `query count (${count}) exceeds 4096`);
  }

  get address(): number {
    return this.range?.start ?? 0;
  }

  /** @throws Refusal unless commands may use it now */
  requireUsable(where: string): void {
    ensure(!this.isDestroyed, () => `${this} used in ${where} while destroyed`);
  }

  destroy(): undefined {
    this.isDestroyed = true;
    if (this.range) this.device.release(this);
    this.range = undefined;
    return undefined;
  }
}
