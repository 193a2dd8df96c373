import { DeviceError } from '../common/errors.js';
import { createCpuAdapter } from './cpu.js';
import { type Device, requestDevice } from './device.js';
import { defineGlobals } from './globals.js';
import { webHost } from './webHost.js';
import { wgslCompiler } from './wgslCompiler.js';

/**
 * The browser's own WebGPU device.
 *
 * @throws DeviceError with text for the page: the missing part, and a fix
 */
export async function openDevice(): Promise<Device> {
  // Absent in browsers without WebGPU, and on pages that were not loaded from https, localhost or a file.
  const gpu = navigator.gpu as GPU | undefined;
  if (gpu === undefined) {
    throw new DeviceError(
      'This browser has no WebGPU. Current versions of Chrome, Edge, Safari and Firefox have it on most systems; on Linux, ' +
        'Chrome needs chrome://flags/#enable-unsafe-webgpu switched on.',
    );
  }
  const adapter = await gpu.requestAdapter();
  if (adapter === null) {
    throw new DeviceError(
      'This browser has WebGPU but found no adapter to run it on. Hardware acceleration may be switched off in its settings.',
    );
  }
  return requestDevice(adapter);
}

/**
 * The CPU device in a page, with or without WebGPU.
 *
 * @param threads default: one for each processor; 1 on a page that is not isolated from other origins, where the work
 * runs in slices on the page's own thread
 */
export function openCpuDevice({ threads }: { readonly threads?: number } = {}): Promise<Device> {
  defineGlobals();
  return requestDevice(createCpuAdapter({ host: webHost(), compiler: wgslCompiler, threads, isRobust: false }));
}
