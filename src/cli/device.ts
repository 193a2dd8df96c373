import type { Command } from 'commander';
import { type OpenOptions, openDevice } from '../device/adapters.js';
import type { Device } from '../device/device.js';
import { observeAsAsked } from '../inspect/debug.js';
import { atLeast, wholeNumber } from './arguments.js';

/** The device options of a command line. */
export interface DeviceFlags {
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
}

/** The help text of `--device`, for every command that has it. */
export const DEVICE_HELP =
  "auto, gpu, gpu:N, a part of a GPU's name, cpu or system (default: BYTE_TO_LOSS_DEVICE, else auto)";

/** The two options of every command that opens a device. */
export function withDevice(command: Command): Command {
  return command
    .option('--device <name>', DEVICE_HELP)
    .option(
      '--threads <n>',
      'threads of the CPU device (default: BYTE_TO_LOSS_THREADS, else all that this process may use)',
      atLeast(1, wholeNumber),
    );
}

/** Opens the device. If a GPU was requested or preferred and none was found, prints one line on stderr. */
export async function deviceOf({ device, threads }: DeviceFlags, more: OpenOptions = {}): Promise<Device> {
  const opened = await openDevice({
    ...(device !== undefined && { device }),
    ...(threads !== undefined && { threads }),
    onFallback: (line) => console.error(line),
    ...more,
  });
  return observeAsAsked(opened);
}

/** Opens the device as `deviceOf` does, and closes it after the work. */
export async function onDevice<T>(flags: DeviceFlags, work: (device: Device) => T | Promise<T>): Promise<T> {
  const device = await deviceOf(flags);
  try {
    return await work(device);
  } finally {
    device.close();
  }
}
