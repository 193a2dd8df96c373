import type { CpuDevice } from './cpuDevice.js';

/** Whatever a device makes: it has a label, and may be invalid because its making was refused. */
export abstract class DeviceObject {
  label: string;
  /** false where an error was reported instead of making it */
  isValid = true;

  /** @param kind as error messages call it: `Buffer`, `BindGroup` */
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
