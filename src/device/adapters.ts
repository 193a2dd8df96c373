/**
 * Node only: finds an adapter, through Dawn or on the CPU. A browser calls `requestDevice` of device.ts with its own
 * adapter.
 */
import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { DeviceError, InputError, UsageError } from '../common/errors.js';
import {
  type AdapterDescription,
  type Device,
  type DeviceOptions,
  describeAdapter,
  requestDevice,
  type Settle,
} from './device.js';
import { hasVulkanLoader } from './vulkanLoader.js';

/** Source of an adapter: a hardware GPU, our own CPU device, a software driver of the system, or an added one. */
export type DeviceName = 'gpu' | 'cpu' | 'system' | 'bundled';

/** Options of `openDevice`. */
export interface OpenOptions extends Pick<DeviceOptions, 'features'> {
  /**
   * `auto` (default: a GPU, else the CPU device), `gpu`, `cpu`, or `system`, a software Vulkan driver (alias `lavapipe`).
   * With several GPUs, `gpu:1` selects the second one, and any other word the first whose name or vendor contains it.
   */
  readonly device?: string;
  /** threads of the CPU device; default: the variable BYTE_TO_LOSS_THREADS, else all that this process may use */
  readonly threads?: number;
  /** true checks the bounds of every access in shaders, as tests do; false (default) is about twice as fast on a CPU */
  readonly robust?: boolean;
  /** receives one line when `auto` selects the CPU device: the GPU that it looked for, and a fix */
  readonly onFallback?: (line: string) => void;
}

/** One source of adapters. */
export interface Source {
  readonly name: DeviceName;
  readonly what: string;
  /** The best adapter. @throws the reason when there is none */
  readonly find: (robust: boolean, threads?: number) => Promise<GPUAdapter>;
  /**
   * All adapters, if there may be several, in the order of their numbers. If one is there a second time, the card of
   * that number cannot be told from it. @throws as `find`
   */
  readonly findAll?: (robust: boolean) => Promise<readonly GPUAdapter[]>;
  /** false: selected only by name */
  readonly isAutomatic?: boolean;
}

/** The sources and the card that a device name selects. */
export interface Choice {
  /** to try in this order */
  readonly sources: readonly Source[];
  /** one of the GPUs: its number, or a part of its name */
  readonly card?: number | string;
}

const sources: Source[] = [
  { name: 'gpu', what: 'hardware GPU', find: findGpu, findAll: findGpus },
  { name: 'cpu', what: 'CPU device', find: findCpu },
  { name: 'system', what: "the system's software Vulkan driver", find: findSystem, isAutomatic: false },
];

/** In the order in which `auto` tries them. */
export const SOURCES: readonly Source[] = sources;

/** Add a source of adapters by name, for tests and comparisons with their own driver. */
export function addSource(source: Source): void {
  if (!sources.some(({ name }) => name === source.name)) sources.push(source);
}

const MAX_THREADS = 1024;

const ALIASES: Readonly<Record<string, string>> = { lavapipe: 'system' };

/**
 * Open the best device of this machine: a hardware GPU through Dawn, else our own CPU device.
 * `options.device`, then the variable BYTE_TO_LOSS_DEVICE, name one of them instead.
 *
 * @throws UsageError when no device has the name: the message lists the devices
 * @throws InputError when the number of threads is invalid
 * @throws DeviceError when none opens, with each attempt, the reason for its failure, and a command that fixes it
 */
export async function openDevice(options: OpenOptions = {}, sources: readonly Source[] = SOURCES): Promise<Device> {
  const threads = threadsGiven(options.threads);
  const failures: string[] = [];
  const reasons: string[] = [];
  const { sources: tried, card } = choiceOf(options.device, sources);
  for (const source of tried) {
    try {
      const robust = options.robust ?? false;
      const adapter =
        card === undefined
          ? await source.find(robust, threads)
          : cardOf({ sources: [source], card }, await listDevices([source], robust), options.device).found!.adapter;
      // Dawn has to be polled; the CPU device sends a message.
      const waiting = source.name === 'cpu' ? {} : { settle: pollWithBackoff };
      const device = await requestDevice(adapter, { ...options, ...waiting, freeMemory });
      opened.push(new WeakRef(device));
      if (reasons.length > 0) options.onFallback?.(`no GPU: ${reasons.join('; ')}. ${hint(['gpu'])}`);
      return device;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      reasons.push(reason);
      failures.push(`${source.name} (${source.what}): ${reason}`);
    }
  }
  const names = tried.map((source) => source.name);
  const lines = failures.map((failure) => `\n  ${failure}`).join('');
  throw new DeviceError(`no usable device; tried ${names.join(', ') || 'nothing'}:${lines}\n${hint(names)}`);
}

const opened: WeakRef<Device>[] = [];

/** Close every open device: work on them fails, so that the process can end. */
export function closeDevices(): void {
  for (const device of opened) device.deref()?.close();
}

/** An adapter of a source on this machine, or the reason that it has none. */
export interface Listed {
  readonly source: Source;
  /** its name for `--device`: `cpu`, `gpu:0` */
  readonly label: string;
  readonly found?: {
    readonly adapter: GPUAdapter;
    readonly description: AdapterDescription;
    readonly features: readonly string[];
    readonly limits: GPUSupportedLimits;
  };
  readonly failure?: string;
}

/** Every adapter of every source, in the order of `auto`. */
export async function listDevices(sources: readonly Source[] = SOURCES, robust = false): Promise<Listed[]> {
  const listed: Listed[] = [];
  for (const source of sources) {
    const { name, findAll } = source;
    try {
      const adapters = findAll === undefined ? [await source.find(robust)] : await findAll(robust);
      for (const [i, adapter] of adapters.entries()) {
        const { info, features, limits } = adapter;
        const description = describeAdapter(info, features);
        const label = findAll === undefined ? name : `${name}:${i}`;
        const twin = adapters.indexOf(adapter);
        if (twin < i) listed.push({ source, label, failure: notApart(twin, description) });
        else listed.push({ source, label, found: { adapter, description, features: [...features].sort(), limits } });
      }
    } catch (error) {
      listed.push({ source, label: name, failure: error instanceof Error ? error.message : String(error) });
    }
  }
  return listed;
}

/**
 * The sources to try, in order, for a name given by option or environment, and the adapter of a source that it selects.
 */
export function choiceOf(option: string | undefined, sources: readonly Source[] = SOURCES): Choice {
  const given = nameGiven(option);
  const name = ALIASES[given] ?? given;
  if (name === 'auto') return { sources: sources.filter(({ isAutomatic = true }) => isAutomatic) };
  if (SOURCES.some((source) => source.name === name))
    return { sources: sources.filter((source) => source.name === name) };
  const gpus = sources.filter((source) => source.name === 'gpu');
  const [, number] = /^gpu:(\d{1,3})$/.exec(given) ?? [];
  return { sources: gpus, card: number === undefined ? given : Number(number) };
}

/** Index of the adapter that a choice selects: from the first source that has one. Undefined if none fits. */
export function taken({ sources, card }: Choice, listed: readonly Listed[]): Listed | undefined {
  for (const source of sources) {
    const own = listed.filter((one) => one.source === source && one.found !== undefined);
    const descriptions = own.map(({ found }) => found!.description);
    const one =
      typeof card === 'number'
        ? own.find(({ label }) => label === `gpu:${card}`)
        : own[card === undefined ? 0 : indexOf(card, descriptions)];
    if (one !== undefined) return one;
  }
  return undefined;
}

/**
 * The GPU that a choice selects by its number or a part of its name.
 *
 * @param device the name given as an option, for the message
 * @throws UsageError when Dawn would open another; or when no GPU has the number or the name: one line that lists the GPUs
 */
export function cardOf(choice: Choice, listed: readonly Listed[], device: string | undefined): Listed {
  const one = taken(choice, listed);
  if (one !== undefined) return one;
  const gpus = listed.filter(({ source }) => source.name === 'gpu');
  const twin = gpus.find(({ label, failure }) => label === `gpu:${choice.card}` && failure !== undefined);
  if (twin !== undefined) throw new UsageError(`${twin.label}: ${twin.failure}`);
  const from = device === undefined ? 'BYTE_TO_LOSS_DEVICE' : 'device';
  const names = ['auto', ...SOURCES.map((source) => source.name), ...Object.keys(ALIASES)];
  const here = gpus.flatMap(({ label, found }) => (found ? [`${label} (${found.description.name})`] : []));
  const why = gpus[0]?.failure;
  throw new UsageError(
    `${from} must be one of ${names.join(', ')}, or gpu:N or a part of a GPU's name; ` +
      `got ${JSON.stringify(nameGiven(device))}. GPUs here: ${here.join(', ') || `none${why ? ` (${why})` : ''}`}`,
  );
}

function nameGiven(option: string | undefined): string {
  return option ?? (process.env.BYTE_TO_LOSS_DEVICE || 'auto');
}

function threadsGiven(option: number | undefined): number | undefined {
  const variable = process.env.BYTE_TO_LOSS_THREADS || undefined;
  const threads = option ?? (variable && Number(variable));
  if (threads === undefined) return undefined;
  if (Number.isInteger(threads) && +threads >= 1 && +threads <= MAX_THREADS) return +threads;
  const from = option === undefined ? 'BYTE_TO_LOSS_THREADS' : 'threads';
  throw new InputError(`${from} must be a whole number from 1 to ${MAX_THREADS}; got ${option ?? variable}`);
}

/** Index of the first GPU whose name or vendor contains the words; -1 if none does. */
function indexOf(card: string, descriptions: readonly AdapterDescription[]): number {
  const word = card.toLowerCase();
  return descriptions.findIndex(({ name, driver }) => `${name} ${driver}`.toLowerCase().includes(word));
}

/** The reason that a card cannot be opened, and a way to open it. @param twin number of the card that Dawn gives for it */
function notApart(twin: number, { name }: AdapterDescription): string {
  return (
    `Dawn selects a GPU by its name alone, and opens gpu:${twin} for the name of this one (${name}). ` +
    `To use it, hide gpu:${twin} from this process: in a container that has one card, such as \`docker run --gpus device=1\``
  );
}

/** A command that usually makes one of the tried sources available. */
export function hint(tried: readonly DeviceName[]): string {
  if (tried.includes('gpu')) return gpuHint();
  if (process.platform === 'linux' && tried.includes('system')) {
    return 'To fix: apt-get install mesa-vulkan-drivers (Mesa 23 or newer; Debian 12 has it in bookworm-backports)';
  }
  return 'To fix: omit --device to use a GPU or the CPU device';
}

/**
 * A command that usually makes a GPU available to Dawn.
 *
 * @param system the release of its kernel: Darwin 24 is macOS 15
 */
export function gpuHint(platform = process.platform, system = release()): string {
  if (platform === 'darwin') {
    const darwin = Number.parseInt(system, 10);
    const macOS = darwin >= 25 ? darwin + 1 : darwin - 9;
    if (macOS < 26)
      return `To use the GPU: update macOS ${macOS} to 26; the Metal build of Dawn is made for 26 and needs at least 15`;
    return 'To use the GPU: run Node outside a virtual machine or a sandbox, where Metal may have no device';
  }
  if (platform === 'win32') return "To use a GPU: install or update the graphics card's driver (Direct3D 12)";
  if (platform !== 'linux') return `To use a GPU: take Linux, Windows or macOS; Dawn is not built for ${platform}`;
  // The NVIDIA driver is present, but the container lacks its Vulkan part.
  if (existsSync('/dev/nvidiactl') && !/all|graphics/.test(process.env.NVIDIA_DRIVER_CAPABILITIES ?? 'all')) {
    return 'To use the NVIDIA card: start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics';
  }
  if (!hasVulkanLoader()) return "To use a GPU: apt-get install libvulkan1, and the card's Vulkan driver";
  return "To use a GPU: install the card's Vulkan driver (in a container, let it see the card)";
}

/**
 * Wait for a promise of Dawn without burning a core.
 *
 * While one is pending, dawn.node polls the driver on every turn of the event loop, without a pause. On two cores this
 * costs a software driver a third of its speed. So each turn sleeps for 1/32 of the time waited so far, at most a
 * millisecond.
 */
export const pollWithBackoff: Settle = async (promise) => {
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

/** Within the limit of a container, if any. */
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
  return createCpuAdapter({
    host: nodeHost,
    compiler: wgslCompiler,
    threads,
    isRobust: robust,
    // What a driver makes of WGSL stays inside of it; this device can show it.
    ...(/^[34]$/.test(process.env.DEBUG ?? '') && { onKernel: (text: string) => console.error(text) }),
  });
}

async function findGpu(robust: boolean): Promise<GPUAdapter> {
  const best = await bestAdapter(robust);
  if (isSoftware(best)) throw new DeviceError('Vulkan lists software drivers only');
  return best;
}

/** Every hardware GPU, in Dawn's order. */
async function findGpus(robust: boolean): Promise<GPUAdapter[]> {
  // Throws the reason if there is none.
  await findGpu(robust);
  return (await allAdapters(robust)).filter((adapter) => !isSoftware(adapter));
}

/**
 * Every adapter of the system. Dawn's Node binding returns one per request, the first whose name contains the flag
 * `adapter`; for an unknown name, its error lists all names. If several cards have one name, it returns the first, and
 * has no other way to choose.
 */
async function allAdapters(robust: boolean): Promise<GPUAdapter[]> {
  const nothing = await dawn(robust, 'system', 'no adapter is called this');
  const answer = await nothing.requestAdapter(BEST).then(
    () => '',
    (error) => String(error instanceof Error ? error.message : error),
  );
  const adapters: GPUAdapter[] = [];
  for (const name of namesIn(answer)) {
    const adapter = await (await dawn(robust, 'system', name)).requestAdapter(BEST);
    // A name that is, or is a part of, an earlier one finds that one again.
    const twin = adapters.find(({ info }) => info.device === adapter?.info.device);
    if (adapter !== null) adapters.push(twin ?? adapter);
  }
  return adapters;
}

/**
 * The names that Dawn lists, one for each card: `namesIn(" * backend: 'vulkan', name: 'NVIDIA H100'") // ['NVIDIA H100']`.
 * A card that several backends list counts once.
 */
export function namesIn(answer: string): string[] {
  const lines = [...answer.matchAll(/^ \* backend: '([^']*)', name: '(.*)'$/gm)];
  const backendOf = new Map(lines.reverse().map(([, backend, name]) => [name, backend]));
  return lines.reverse().flatMap(([, backend, name]) => (backendOf.get(name) === backend ? [name!] : []));
}

async function findSystem(robust: boolean): Promise<GPUAdapter> {
  const best = await bestAdapter(robust);
  if (isSoftware(best)) return best;
  const adapter = (await allAdapters(robust)).find(isSoftware);
  if (!adapter) throw new DeviceError('Vulkan lists no software driver');
  return adapter;
}

const BEST = { powerPreference: 'high-performance' } as const;

/** The adapter that Dawn ranks first. */
async function bestAdapter(robust: boolean): Promise<GPUAdapter> {
  if (!hasVulkanLoader()) throw new DeviceError('no Vulkan loader (libvulkan.so.1) on this system');
  const best = await (await dawn(robust, 'system')).requestAdapter(BEST);
  if (!best) throw new DeviceError('no driver here that Dawn accepts');
  return best;
}

function isSoftware(adapter: GPUAdapter): boolean {
  return describeAdapter(adapter.info, adapter.features).kind === 'cpu';
}

/**
 * No bounds checks, since kernels guard their writes; workgroup memory is not zeroed, since they write it before
 * reading.
 */
export const FAST_TOGGLES = ['disable_robustness', 'disable_workgroup_init'] as const;

/**
 * Dawn's instances, one for each set of drivers, toggles and adapters. Dawn hangs or crashes when one is collected, so
 * they are kept.
 */
const INSTANCES = Symbol.for('byte-to-loss.dawn');
type Global = typeof globalThis & { [INSTANCES]?: Map<string, GPU> };

/** Dawn's instance for a set of drivers and, if a name is given, for the adapters whose name contains it. */
export async function dawn(robust: boolean, drivers: 'system' | 'bundled', adapter?: string): Promise<GPU> {
  const instances = (globalThis as Global)[INSTANCES] ?? new Map<string, GPU>();
  (globalThis as Global)[INSTANCES] = instances;
  // Vulkan's loader reads the variable once for each instance.
  const key = [drivers, robust, adapter, process.env.VK_DRIVER_FILES].join(' ');
  let instance = instances.get(key);
  if (instance === undefined) {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    // f16 is hidden on NVIDIA without its toggle, and subgroup matrices on Vulkan without its memory model.
    const hidden = ['vulkan_enable_f16_on_nvidia', 'use_vulkan_memory_model'];
    const enabled = ['allow_unsafe_apis', ...hidden, ...(robust ? [] : FAST_TOGGLES)];
    // Quantised timestamps are multiples of 65,536 ns: too coarse for a kernel.
    const named = adapter === undefined ? [] : [`adapter=${adapter}`];
    instance = create([
      `enable-dawn-features=${enabled.join()}`,
      'disable-dawn-features=timestamp_quantization',
      ...named,
    ]);
    instances.set(key, instance);
  }
  return instance;
}
