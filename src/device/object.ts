import type { CpuDevice } from './cpuDevice.js';
import { ensure } from './errors.js';

/** An object of a device: it has a label, and is invalid if its creation was refused. */
export abstract class DeviceObject {
  label: string;
  /** false if an error was reported in place of creating it */
  isValid = true;

  /** @param kind its name in error messages: `Buffer`, `BindGroup` */
  constructor(
    readonly device: CpuDevice,
    readonly kind: string,
    label: string | undefined,
  ) {
    this.label = label ?? '';
  }

  /** @throws Refusal unless it is valid, and an object of this device */
  requireOf(device: CpuDevice): void {
    ensure(this.isValid, () => `${this} is invalid`);
    ensure(
      this.device === device,
      () => `${this} is associated with ${this.device}, and cannot be used with ${device}`,
    );
  }

  /** `[Buffer "logits"]` */
  toString(): string {
    return `[${this.isValid ? '' : 'Invalid '}${this.kind}${this.label ? ` "${this.label}"` : ' (unlabeled)'}]`;
  }
}
