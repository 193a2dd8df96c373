import type { Command } from 'commander';
import { type OpenOptions, openDevice } from '../engine/adapters.js';
import type { Device } from '../engine/device.js';
import { wholeNumber } from './arguments.js';

/** The device options of a command line. */
export interface DeviceFlags {
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
}

/** The two options of every command that opens a device. */
export function withDevice(command: Command): Command {
  return command
    .option('--device <name>', 'auto, gpu, cpu or system (default: BYTE_TO_LOSS_DEVICE, else auto)')
    .option('--threads <n>', 'threads of the CPU device (default: all that this process may use)', wholeNumber);
}

/** Opens the device. If a GPU was requested or preferred and none was found, prints one line on stderr. */
export function deviceOf({ device, threads }: DeviceFlags, more: OpenOptions = {}): Promise<Device> {
  return openDevice({
    ...(device !== undefined && { device }),
    ...(threads !== undefined && { threads }),
    onFallback: (line) => console.error(line),
    ...more,
  });
}
