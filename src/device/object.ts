import type { CpuDevice } from './cpuDevice.js';

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

  /** `[Buffer "logits"]` */
  toString(): string {
    return `[${this.isValid ? '' : 'Invalid '}${this.kind}${this.label ? ` "${this.label}"` : ' (unlabeled)'}]`;
  }
}
