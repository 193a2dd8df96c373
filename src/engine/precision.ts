import { DeviceError } from '../common/errors.js';
import type { Device } from '../device/device.js';
import type { AdapterProfile, Precision } from './kernel.js';
import { matrixUnitsOf } from './tiling.js';

/**
 * What kernels are chosen by at a precision: the device itself, or the device with leave to halve what matrix products
 * multiply. Sums, loss, parameters and everything else stay float32.
 *
 * @throws DeviceError when `mixed` is asked of a device without matrix units for it
 */
export function profileFor(device: Device, precision: Precision): AdapterProfile {
  if (precision === 'full') return device;
  if (!device.f16 || matrixUnitsOf(device) === undefined) {
    throw new DeviceError(
      `--precision mixed: ${device.name} has no subgroup matrices of f16 with f32 sums; take --precision full`,
    );
  }
  return { ...device, precision };
}
