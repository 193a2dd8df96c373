import { vi } from 'vitest';
import { main } from '../../src/cli/main.js';
import * as adapters from '../../src/device/adapters.js';
import type { Device } from '../../src/device/device.js';

const { openDevice } = adapters;
const devices = new Map<string, Promise<Device>>();

/** A device that the command lines of one test file share: a new one would compile every kernel again. */
function sharedDevice(options: adapters.OpenOptions = {}): Promise<Device> {
  const key = JSON.stringify(options);
  const device = devices.get(key) ?? openDevice(options).then((opened) => Object.assign(opened, { close() {} }));
  devices.set(key, device);
  return device;
}

/** Run one command line in this process; what it printed, and its exit code. */
export async function cli(...argv: string[]): Promise<{ code: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const text = (chunk: unknown) =>
    typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString('latin1');
  const toOut = (more: string) => {
    out += more;
  };
  const toError = (more: string) => {
    error += more;
  };
  const spies = [
    vi.spyOn(adapters, 'openDevice').mockImplementation(sharedDevice),
    vi.spyOn(console, 'log').mockImplementation((line) => toOut(`${line}\n`)),
    vi.spyOn(console, 'error').mockImplementation((line) => toError(`${line}\n`)),
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      toOut(text(chunk));
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      toError(text(chunk));
      return true;
    }),
  ];
  // Each test file has its own copy of the modules, and each copy would add listeners to the streams they all share.
  const listeners = [process.stdout, process.stderr].map((stream) => ({ stream, before: stream.listeners('error') }));
  try {
    const code = await main(argv);
    return { code, out, error };
  } finally {
    for (const { stream, before } of listeners) {
      for (const listener of stream.listeners('error')) {
        if (!before.includes(listener)) stream.off('error', listener as () => void);
      }
    }
    for (const spy of spies) spy.mockRestore();
    process.exitCode = 0;
  }
}
