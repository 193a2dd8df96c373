/** Node only: finds an adapter through Dawn. A browser calls `requestDevice` of device.ts with its own adapter. */
import {
  type AdapterDescription,
  type Device,
  type DeviceOptions,
  describeAdapter,
  requestDevice,
  type Settle,
} from './device.js';
import { DeviceError, InputError } from './errors.js';
import { BUNDLE, BUNDLE_VERSION, bundledDriver, hasVulkanLoader } from './softwareVulkan.js';

/** Where an adapter may come from: a hardware GPU, the software driver of the system, the bundled one. */
export type DeviceName = 'gpu' | 'system' | 'bundled';

/** What `openDevice` can be told. */
export interface OpenOptions extends Pick<DeviceOptions, 'features'> {
  /** `auto` (default), `gpu`, `system` (alias `lavapipe`) or `bundled` (alias `swiftshader`) */
  readonly device?: string;
  /** true bounds-checks every access in shaders: tests; false (default) is about twice as fast on software drivers */
  readonly robust?: boolean;
}

/** One way to an adapter. `find` rejects with the reason when there is none. */
export interface Source {
  readonly name: DeviceName;
  readonly what: string;
  readonly find: (robust: boolean) => Promise<GPUAdapter>;
}

/** In the order in which `auto` tries them. */
export const SOURCES: readonly Source[] = [
  { name: 'gpu', what: 'hardware GPU', find: findGpu },
  { name: 'system', what: "the system's software driver", find: findSystem },
  { name: 'bundled', what: 'bundled SwiftShader', find: findBundled },
];

const ALIASES: Readonly<Record<string, string>> = { lavapipe: 'system', swiftshader: 'bundled' };

/**
 * Open the best device of this machine: a hardware GPU, else the system's software Vulkan, else the bundled SwiftShader.
 * `options.device`, then the variable BYTE_TO_LOSS_DEVICE, name one of them instead.
 *
 * @throws InputError when the name is unknown
 * @throws DeviceError when none opens: what was tried, why each failed, and the command that mends it
 */
export async function openDevice(options: OpenOptions = {}, sources: readonly Source[] = SOURCES): Promise<Device> {
  const failures: string[] = [];
  const tried = chosenSources(options.device, sources);
  for (const source of tried) {
    try {
      const adapter = await source.find(options.robust ?? false);
      const device = await requestDevice(adapter, { ...options, settle: patiently, freeMemory });
      opened.push(new WeakRef(device));
      return device;
    } catch (error) {
      failures.push(`${source.name} (${source.what}): ${error instanceof Error ? error.message : error}`);
    }
  }
  const names = tried.map((source) => source.name);
  const lines = failures.map((failure) => `\n  ${failure}`).join('');
  throw new DeviceError(`no usable device; tried ${names.join(', ') || 'nothing'}:${lines}\n${mend(names, failures)}`);
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
  if (name === 'auto') return sources;
  const chosen = sources.filter((source) => source.name === name);
  if (chosen.length === 0 && !SOURCES.some((source) => source.name === name)) {
    const from = option === undefined ? 'BYTE_TO_LOSS_DEVICE' : 'device';
    const names = ['auto', ...SOURCES.map((source) => source.name), ...Object.keys(ALIASES)];
    throw new InputError(`${from} must be one of ${names.join(', ')}; got ${JSON.stringify(given)}`);
  }
  return chosen;
}

/**
 * The one command that gives this machine one of the sources that were tried.
 *
 * @param failures why each failed: what is installed already is not proposed
 */
export function mend(tried: readonly DeviceName[], failures: readonly string[]): string {
  if (process.platform === 'linux') {
    if (tried.includes('bundled') && process.arch === 'x64') {
      if (failures.some((failure) => failure.includes('not installed'))) {
        return `This mends it: npm install ${BUNDLE}@${BUNDLE_VERSION}`;
      }
      return 'The bundled driver is installed, and cannot be used for the reason given above';
    }
    if (tried.includes('system')) {
      return 'This mends it: apt-get install mesa-vulkan-drivers (Mesa 23 or newer; Debian 12 has it in bookworm-backports)';
    }
  }
  return "Install or update the graphics card's driver, or let the device be auto";
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

async function findBundled(robust: boolean): Promise<GPUAdapter> {
  const manifest = bundledDriver();
  const before = process.env.VK_DRIVER_FILES;
  // Vulkan reads the variable when the first adapter is asked for; it is put back so that child processes choose for themselves.
  process.env.VK_DRIVER_FILES = manifest;
  try {
    const adapter = await (await dawn(robust, 'bundled')).requestAdapter();
    if (!adapter) throw new DeviceError(`Dawn does not accept ${manifest}`);
    return adapter;
  } finally {
    if (before === undefined) delete process.env.VK_DRIVER_FILES;
    else process.env.VK_DRIVER_FILES = before;
  }
}

/** No bounds checks, since kernels guard their writes; workgroup memory is not zeroed, since they write it before reading. */
export const FAST_TOGGLES = ['disable_robustness', 'disable_workgroup_init'] as const;

/** Dawn's instances, one for each set of drivers and toggles. Dawn hangs or crashes when one is collected, so they live on. */
const INSTANCES = Symbol.for('byte-to-loss.dawn');
type Global = typeof globalThis & { [INSTANCES]?: Map<string, GPU> };

async function dawn(robust: boolean, drivers: 'system' | 'bundled'): Promise<GPU> {
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
