/** Node only: finds an adapter, through Dawn or on the CPU. A browser calls `requestDevice` of device.ts with its own adapter. */
import { existsSync } from 'node:fs';
import { DeviceError, InputError } from '../common/errors.js';
import {
  type AdapterDescription,
  type Device,
  type DeviceOptions,
  describeAdapter,
  requestDevice,
  type Settle,
} from './device.js';
import { hasVulkanLoader } from './vulkanLoader.js';

/** Where an adapter may come from: a hardware GPU, our own CPU device, a software driver of the system, one that was added. */
export type DeviceName = 'gpu' | 'cpu' | 'system' | 'bundled';

/** What `openDevice` can be told. */
export interface OpenOptions extends Pick<DeviceOptions, 'features'> {
  /** `auto` (default: a GPU, else the CPU device), `gpu`, `cpu`, or `system`, a software Vulkan driver (alias `lavapipe`) */
  readonly device?: string;
  /** threads of the CPU device; default: as many as this process may use */
  readonly threads?: number;
  /** true bounds-checks every access in shaders: tests; false (default) is about twice as fast on a CPU */
  readonly robust?: boolean;
  /** told in one line why `auto` takes the CPU device: which GPU was looked for, and what would help */
  readonly onFallback?: (line: string) => void;
}

/** One way to an adapter. `find` rejects with the reason when there is none. */
export interface Source {
  readonly name: DeviceName;
  readonly what: string;
  readonly find: (robust: boolean, threads?: number) => Promise<GPUAdapter>;
  /** false: taken only when it is named */
  readonly isAutomatic?: boolean;
}

const sources: Source[] = [
  { name: 'gpu', what: 'hardware GPU', find: findGpu },
  { name: 'cpu', what: 'CPU device', find: findCpu },
  { name: 'system', what: "the system's software Vulkan driver", find: findSystem, isAutomatic: false },
];

/** In the order in which `auto` tries them. */
export const SOURCES: readonly Source[] = sources;

/** Add a way to an adapter, by its name: tests and comparisons bring a driver along. */
export function addSource(source: Source): void {
  if (!sources.some(({ name }) => name === source.name)) sources.push(source);
}

const MAX_THREADS = 1024;

const ALIASES: Readonly<Record<string, string>> = { lavapipe: 'system' };

/**
 * Open the best device of this machine: a hardware GPU through Dawn, else our own CPU device.
 * `options.device`, then the variable BYTE_TO_LOSS_DEVICE, name one of them instead.
 *
 * @throws InputError when the name is unknown, or the number of threads is not one
 * @throws DeviceError when none opens: what was tried, why each failed, and the command that mends it
 */
export async function openDevice(options: OpenOptions = {}, sources: readonly Source[] = SOURCES): Promise<Device> {
  const { threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS)) {
    throw new InputError(`threads must be a whole number from 1 to ${MAX_THREADS}; got ${threads}`);
  }
  const failures: string[] = [];
  const reasons: string[] = [];
  const tried = chosenSources(options.device, sources);
  for (const source of tried) {
    try {
      const adapter = await source.find(options.robust ?? false, threads);
      // Dawn has to be polled; the CPU device sends a message.
      const waiting = source.name === 'cpu' ? {} : { settle: patiently };
      const device = await requestDevice(adapter, { ...options, ...waiting, freeMemory });
      opened.push(new WeakRef(device));
      if (reasons.length > 0) options.onFallback?.(`no GPU: ${reasons.join('; ')}. ${mend(['gpu'])}`);
      return device;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      reasons.push(reason);
      failures.push(`${source.name} (${source.what}): ${reason}`);
    }
  }
  const names = tried.map((source) => source.name);
  const lines = failures.map((failure) => `\n  ${failure}`).join('');
  throw new DeviceError(`no usable device; tried ${names.join(', ') || 'nothing'}:${lines}\n${mend(names)}`);
}

const opened: WeakRef<Device>[] = [];

/** Close every device that is open: what goes on with one meets an error, and a process that is to end can. */
export function closeDevices(): void {
  for (const device of opened) device.deref()?.close();
}

/** What a source has on this machine, or why it has nothing. */
export interface Listed {
  readonly source: Source;
  readonly found?: {
    readonly description: AdapterDescription;
    readonly features: readonly string[];
    readonly limits: GPUSupportedLimits;
  };
  readonly failure?: string;
}

/** Try every source, in the order of `auto`. */
export async function listDevices(sources: readonly Source[] = SOURCES): Promise<Listed[]> {
  const listed: Listed[] = [];
  for (const source of sources) {
    try {
      const { info, features, limits } = await source.find(false);
      const description = describeAdapter(info, features);
      listed.push({ source, found: { description, features: [...features].sort(), limits } });
    } catch (error) {
      listed.push({ source, failure: error instanceof Error ? error.message : String(error) });
    }
  }
  return listed;
}

/** The sources to try, in order, for a name given by option or environment. */
export function chosenSources(option: string | undefined, sources: readonly Source[] = SOURCES): readonly Source[] {
  const given = option ?? (process.env.BYTE_TO_LOSS_DEVICE || 'auto');
  const name = ALIASES[given] ?? given;
  if (name === 'auto') return sources.filter(({ isAutomatic = true }) => isAutomatic);
  const chosen = sources.filter((source) => source.name === name);
  if (chosen.length === 0 && !SOURCES.some((source) => source.name === name)) {
    const from = option === undefined ? 'BYTE_TO_LOSS_DEVICE' : 'device';
    const names = ['auto', ...SOURCES.map((source) => source.name), ...Object.keys(ALIASES)];
    throw new InputError(`${from} must be one of ${names.join(', ')}; got ${JSON.stringify(given)}`);
  }
  return chosen;
}

/** What usually gives this machine one of the sources that were tried. */
export function mend(tried: readonly DeviceName[]): string {
  if (tried.includes('gpu')) return gpuHint();
  if (process.platform === 'linux' && tried.includes('system')) {
    return 'To fix: apt-get install mesa-vulkan-drivers (Mesa 23 or newer; Debian 12 has it in bookworm-backports)';
  }
  return 'Leave out --device to take a GPU or the CPU device';
}

function gpuHint(): string {
  if (process.platform !== 'linux') return "To use a GPU: install or update the graphics card's driver";
  // The driver of an NVIDIA card is there, and its container was not given the part that has Vulkan.
  if (existsSync('/dev/nvidiactl') && !/all|graphics/.test(process.env.NVIDIA_DRIVER_CAPABILITIES ?? 'all')) {
    return 'To use the NVIDIA card: start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics';
  }
  if (!hasVulkanLoader()) return "To use a GPU: apt-get install libvulkan1, and the card's Vulkan driver";
  return "To use a GPU: install the card's Vulkan driver (in a container, let it see the card)";
}

/**
 * Wait for a promise of Dawn without burning a core.
 *
 * While one is pending, dawn.node asks the driver on every turn of the event loop, which never rests: which costs a software driver a third of
 * its speed on two cores. So each turn sleeps for a thirty-second of the time waited so far, at most a millisecond.
 */
export const patiently: Settle = async (promise) => {
  let pending = true;
  const settled = () => {
    pending = false;
  };
  promise.then(settled, settled);
  const start = performance.now();
  while (pending) {
    await new Promise((resolve) => setImmediate(resolve));
    const waited = performance.now() - start;
    if (pending && waited > 0.2) Atomics.wait(NEVER_NOTIFIED, 0, 0, Math.min(1, waited / 32));
  }
  return promise;
};

/** Within the limit of a container, where there is one. */
function freeMemory(): number {
  return process.availableMemory();
}

const NEVER_NOTIFIED = new Int32Array(new SharedArrayBuffer(4));

async function findCpu(robust: boolean, threads?: number): Promise<GPUAdapter> {
  const [{ createCpuAdapter }, { defineGlobals }, { nodeHost }, { wgslCompiler }] = await Promise.all([
    import('./cpu.js'),
    import('./globals.js'),
    import('./nodeHost.js'),
    import('./wgslCompiler.js'),
  ]);
  defineGlobals();
  return createCpuAdapter({ host: nodeHost, compiler: wgslCompiler, threads, isRobust: robust });
}

async function findGpu(robust: boolean): Promise<GPUAdapter> {
  const { best } = await systemAdapters(robust);
  if (isSoftware(best)) throw new DeviceError('Vulkan lists software drivers only');
  return best;
}

async function findSystem(robust: boolean): Promise<GPUAdapter> {
  const { best, instance } = await systemAdapters(robust);
  if (isSoftware(best)) return best;
  const adapter = await instance.requestAdapter({ forceFallbackAdapter: true });
  if (!adapter) throw new DeviceError('Vulkan lists no software driver');
  return adapter;
}

/** Asks for the best first: Dawn lists what there is only then, and until it has, `forceFallbackAdapter` finds nothing. */
async function systemAdapters(robust: boolean): Promise<{ best: GPUAdapter; instance: GPU }> {
  if (!hasVulkanLoader()) throw new DeviceError('no Vulkan loader (libvulkan.so.1) on this system');
  const instance = await dawn(robust, 'system');
  const best = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (!best) throw new DeviceError('no driver here that Dawn accepts');
  return { best, instance };
}

function isSoftware(adapter: GPUAdapter): boolean {
  return describeAdapter(adapter.info, adapter.features).kind === 'cpu';
}

/** No bounds checks, since kernels guard their writes; workgroup memory is not zeroed, since they write it before reading. */
export const FAST_TOGGLES = ['disable_robustness', 'disable_workgroup_init'] as const;

/** Dawn's instances, one for each set of drivers and toggles. Dawn hangs or crashes when one is collected, so they live on. */
const INSTANCES = Symbol.for('byte-to-loss.dawn');
type Global = typeof globalThis & { [INSTANCES]?: Map<string, GPU> };

/** Dawn's instance for a set of drivers. */
export async function dawn(robust: boolean, drivers: 'system' | 'bundled'): Promise<GPU> {
  const instances = (globalThis as Global)[INSTANCES] ?? new Map<string, GPU>();
  (globalThis as Global)[INSTANCES] = instances;
  const key = `${drivers} ${robust}`;
  let instance = instances.get(key);
  if (instance === undefined) {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    // f16 is hidden on NVIDIA without its toggle, and subgroup matrices on Vulkan without its memory model.
    const hidden = ['vulkan_enable_f16_on_nvidia', 'use_vulkan_memory_model'];
    const enabled = ['allow_unsafe_apis', ...hidden, ...(robust ? [] : FAST_TOGGLES)];
    // Quantised timestamps are multiples of 65,536 ns: too coarse for a kernel.
    instance = create([`enable-dawn-features=${enabled.join()}`, 'disable-dawn-features=timestamp_quantization']);
    instances.set(key, instance);
  }
  return instance;
}
