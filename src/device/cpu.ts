import type { Compiler } from './compiler.js';
import { CpuDevice } from './cpuDevice.js';
import { operationError } from './errors.js';
import type { Host } from './host.js';
import { cpuLimits, type Limits, requireLimits } from './limits.js';
import { DeviceMemory } from './memory.js';

/** The options of a CPU adapter. */
export interface CpuOptions {
  /** nodeHost or webHost() */
  readonly host: Host;
  readonly compiler: Compiler;
  /** default: all that this process may use; 1 if threads cannot share memory */
  readonly threads?: number | undefined;
  /** check every access of a kernel against the bounds of its binding. Default true */
  readonly isRobust?: boolean;
  /** maximum memory of all buffers, in bytes. Default 4 GiB, which is also the upper limit */
  readonly maximumBytes?: number;
  /** receives each compiled kernel in WebAssembly's text format, with its label, entry point and workgroup size before it */
  readonly onKernel?: (text: string) => void;
}

/** Lanes of a subgroup: those of a 128-bit register. */
const LANES = 4;

const FEATURES = ['subgroups', 'timestamp-query'];

/**
 * A WebGPU adapter for this machine's processor: WGSL is compiled to WebAssembly, and its workgroups run on threads.
 *
 * It has the compute part of WebGPU; calls for textures and rendering throw an UnsupportedError. Results do not depend on the
 * number of threads.
 *
 * @throws RangeError for a number of threads that is not a positive integer
 */
export function createCpuAdapter(options: CpuOptions): GPUAdapter {
  const { host, compiler, threads, isRobust = true, maximumBytes, onKernel } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 1024)) {
    throw new RangeError(`threads must be a whole number from 1 to 1024; got ${threads}`);
  }
  const isShared = host.spawn !== undefined;
  const count = isShared ? (threads ?? host.processors) : 1;
  const info = {
    vendor: 'byte-to-loss',
    architecture: 'wasm-simd128',
    device: '',
    description: `CPU device, ${count} ${count === 1 ? 'thread' : 'threads'}`,
    subgroupMinSize: LANES,
    subgroupMaxSize: LANES,
    isFallbackAdapter: false,
  } as GPUAdapterInfo;
  // A memory only reserves addresses, so none is created until the adapter opens a device.
  const memory = new DeviceMemory(isShared, maximumBytes);
  const limits = cpuLimits(memory.largestBuffer);
  const adapter = new CpuAdapter(info, limits, (descriptor) => {
    const features = [...(descriptor.requiredFeatures ?? [])];
    const unknown = features.find((feature) => !FEATURES.includes(feature));
    if (unknown !== undefined) throw new TypeError(`requiredFeatures: the CPU device has no ${unknown}`);
    const required = (descriptor.requiredLimits ?? {}) as Record<string, number | undefined>;
    return new CpuDevice({
      host,
      compiler,
      memory,
      threads: count,
      isRobust,
      onKernel,
      info,
      features,
      limits: limitsFor(limits, required),
      label: descriptor.label,
    });
  });
  return adapter as unknown as GPUAdapter;
}

function limitsFor(limits: Limits, required: Readonly<Record<string, number | undefined>>): Limits {
  try {
    return requireLimits(limits, required);
  } catch (error) {
    throw operationError((error as Error).message);
  }
}

class CpuAdapter {
  readonly features: ReadonlySet<string> = new Set(FEATURES);
  readonly limits: GPUSupportedLimits;
  readonly isFallbackAdapter = false;
  #isUsed = false;

  constructor(
    readonly info: GPUAdapterInfo,
    limits: Limits,
    private readonly open: (descriptor: GPUDeviceDescriptor) => CpuDevice,
  ) {
    this.limits = Object.freeze(limits) as unknown as GPUSupportedLimits;
  }

  /** An adapter opens one device. */
  async requestDevice(descriptor: GPUDeviceDescriptor = {}): Promise<CpuDevice> {
    if (this.#isUsed) throw operationError('this adapter has been used to create a device; request another one');
    const device = this.open(descriptor);
    this.#isUsed = true;
    return device;
  }
}
