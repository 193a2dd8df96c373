import { DeviceError, type DeviceFault } from '../common/errors.js';

/** The host's function for awaiting a promise of the device; `pollWithBackoff` in adapters.ts is Node's. */
export type Settle = <T>(promise: Promise<T>) => Promise<T>;

/** Options of `requestDevice`. */
export interface DeviceOptions {
  /** `none` requests no optional feature, so that the kernels without one run; default `all` */
  readonly features?: 'all' | 'none';
  readonly settle?: Settle;
  /** free bytes of main memory now; used only for software drivers, whose buffers are in it */
  readonly freeMemory?: () => number;
}

/** Used when the adapter has them, never required. */
const OPTIONAL_FEATURES = [
  'subgroups',
  'subgroup-size-control',
  'shader-f16',
  'timestamp-query',
  'chromium-experimental-subgroup-matrix',
];

/**
 * The lanes of a subgroup where the adapter leaves the choice to the kernel: what NVIDIA has, and RDNA's and Intel's
 * faster one.
 */
const PREFERRED_SUBGROUP = 32;

/**
 * Limits raised from WebGPU's defaults to those of the adapter. Offset alignments stay at the default 256 bytes
 * everywhere, so that the memory layout is the same on every adapter.
 */
const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** A shape of matrices that an adapter multiplies in hardware, [M, K] by [K, N], as WebGPU reports it. */
export interface SubgroupMatrixConfig {
  /** of the inputs and of the sums: `f32`, `f16`, `u32`, `i32`, … */
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** The properties of an adapter that the engine uses. */
export interface AdapterDescription {
  /** for people: `SwiftShader driver 5.0.0` */
  readonly name: string;
  /** `cpu` is our own CPU device or a software driver */
  readonly kind: 'gpu' | 'cpu';
  /** `wasm` for our own CPU device, `swiftshader`, `lavapipe`, or the vendor: `nvidia`, `amd`, `apple` */
  readonly driver: string;
  /** lanes per subgroup; 0 where there are none, or their number is neither fixed nor to be chosen */
  readonly subgroupSize: number;
  /**
   * whether a kernel must ask for `subgroupSize`, since the adapter would choose: `[32, 64]` on RDNA, `[8, 32]` on
   * Intel
   */
  readonly subgroupSizeControl: boolean;
  /** `[smallest, largest]` subgroup the adapter may run; [0, 0] without subgroups */
  readonly subgroupRange: readonly [number, number];
  readonly f16: boolean;
  readonly timestamps: boolean;
  readonly subgroupMatrix: readonly SubgroupMatrixConfig[] | undefined;
}

/** Describe an adapter; `features` are those of the device if one is open. */
export function describeAdapter(info: GPUAdapterInfo, features: ReadonlySet<string>): AdapterDescription {
  const said = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  const software = /swiftshader|llvmpipe|lavapipe|basic render|warp|wasm/i.exec(said)?.[0].toLowerCase();
  const driver = software === 'llvmpipe' ? 'lavapipe' : (software ?? (info.vendor || 'unknown'));
  const kind = software !== undefined || info.isFallbackAdapter ? 'cpu' : 'gpu';
  const device = info.device.replace(/-+$/, '');
  const subgroupRange = features.has('subgroups')
    ? ([info.subgroupMinSize, info.subgroupMaxSize] as const)
    : ([0, 0] as const);
  const [smallest, largest] = subgroupRange;
  const subgroupSizeControl = smallest !== largest && features.has('subgroup-size-control');
  const chosen = subgroupSizeControl ? Math.min(largest, Math.max(smallest, PREFERRED_SUBGROUP)) : 0;
  const matrices = (info as { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> }).subgroupMatrixConfigs;
  return {
    name:
      software && info.description ? info.description : [device || driver, info.description].filter(Boolean).join(', '),
    kind,
    driver,
    subgroupRange,
    subgroupSize: smallest === largest ? smallest : chosen,
    subgroupSizeControl,
    f16: features.has('shader-f16'),
    timestamps: features.has('timestamp-query'),
    subgroupMatrix: features.has('chromium-experimental-subgroup-matrix') && matrices ? [...matrices] : undefined,
  };
}

/**
 * Open an adapter of any environment, including a browser's `navigator.gpu.requestAdapter()`, with every available
 * optional feature and the adapter's limits.
 *
 * @throws DeviceError when the adapter refuses
 */
export async function requestDevice(adapter: GPUAdapter, options: DeviceOptions = {}): Promise<Device> {
  const features = options.features === 'none' ? [] : OPTIONAL_FEATURES.filter((name) => adapter.features.has(name));
  const limits = RAISED_LIMITS.map((name) => [name, adapter.limits[name]] as const);
  let gpu: GPUDevice;
  try {
    gpu = await adapter.requestDevice({
      label: 'byte-to-loss',
      requiredFeatures: features as GPUFeatureName[],
      requiredLimits: Object.fromEntries(limits),
    });
  } catch (error) {
    throw new DeviceError(
      `${describeAdapter(adapter.info, adapter.features).name}: refused a device: ${messageOf(error)}`,
    );
  }
  return wrapDevice(gpu, adapter.info, options);
}

/** An already open `GPUDevice` as a `Device`. */
export function wrapDevice(
  gpu: GPUDevice,
  info: GPUAdapterInfo,
  options: Omit<DeviceOptions, 'features'> = {},
): Device {
  return new Device(gpu, info, options.settle ?? ((promise) => promise), options.freeMemory);
}

/**
 * An open device: its properties, a way to wait for it, and its errors as exceptions.
 *
 * WebGPU reports a failed call to a listener, long after the call returned. `Device` keeps the first such error and throws it
 * from the next `settle`, `wait` or `check`; the message contains Dawn's text, which names the labelled object.
 */
export class Device implements AdapterDescription {
  readonly name: string;
  readonly kind: 'gpu' | 'cpu';
  readonly driver: string;
  readonly subgroupSize: number;
  readonly subgroupSizeControl: boolean;
  readonly subgroupRange: readonly [number, number];
  readonly f16: boolean;
  readonly timestamps: boolean;
  readonly subgroupMatrix: readonly SubgroupMatrixConfig[] | undefined;
  readonly features: ReadonlySet<string>;
  readonly limits: GPUSupportedLimits;
  /** Resolves with the reason when the device is lost; stays pending when it was closed. */
  readonly lost: Promise<DeviceError>;

  /** Bytes that buffers may take now; infinite if unknown, as on a GPU. */
  readonly freeMemory: () => number;

  #closed = false;
  #lost: DeviceError | undefined;
  #failed: DeviceError | undefined;
  #settle: Settle;

  constructor(
    readonly gpu: GPUDevice,
    readonly info: GPUAdapterInfo,
    settle: Settle,
    freeMemory?: () => number,
  ) {
    this.features = new Set(gpu.features);
    this.limits = gpu.limits;
    this.#settle = settle;
    const description = describeAdapter(info, this.features);
    this.name = description.name;
    this.kind = description.kind;
    this.driver = description.driver;
    this.subgroupSize = description.subgroupSize;
    this.subgroupSizeControl = description.subgroupSizeControl;
    this.subgroupRange = description.subgroupRange;
    this.f16 = description.f16;
    this.timestamps = description.timestamps;
    this.subgroupMatrix = description.subgroupMatrix;
    const system = this.kind === 'cpu' && freeMemory !== undefined ? freeMemory : () => Number.POSITIVE_INFINITY;
    const { bytesWithin } = gpu as { bytesWithin?: (systemBytes: number) => number };
    this.freeMemory = () => bytesWithin?.call(gpu, system()) ?? system();

    gpu.onuncapturederror = (event) => {
      event.preventDefault?.();
      this.#failed ??= errorOf(event.error);
    };
    this.lost = new Promise((resolve) => {
      gpu.lost.then(({ reason, message }) => {
        if (this.#closed) return;
        this.#lost = new DeviceError(
          `device lost (${reason}): ${message || 'no reason given'}. Open it again to continue`,
          'lost',
        );
        resolve(this.#lost);
      });
    });
  }

  /**
   * Wait for a promise of this device (`mapAsync`, `createComputePipelineAsync`, …) without burning a core.
   *
   * @throws DeviceError when the device fails, is lost or is closed before
   */
  async settle<T>(promise: Promise<T>): Promise<T> {
    try {
      const value = await this.#settle(promise);
      this.check();
      return value;
    } catch (error) {
      // A lost device rejects all pending promises, and reports the loss a moment later: that is the error to show.
      await Promise.race([this.gpu.lost, new Promise((resolve) => setTimeout(resolve, 100))]);
      this.check();
      throw error instanceof DeviceError ? error : new DeviceError(messageOf(error), 'internal');
    }
  }

  /** Wait until everything submitted has run. @throws DeviceError as `settle` does */
  async wait(): Promise<void> {
    this.check();
    await this.settle(this.gpu.queue.onSubmittedWorkDone());
  }

  /** Throw the first error since the last check, if any. */
  check(): void {
    if (this.#closed) throw new DeviceError(`${this.name}: the device was closed`);
    if (this.#lost) throw this.#lost;
    const failed = this.#failed;
    this.#failed = undefined;
    if (failed) throw failed;
  }

  /**
   * Destroy the device and everything created from it. A second call has no effect.
   *
   * Dawn's Node binding keeps the listener as a root of the garbage collector, and the listener keeps this device. If
   * it were not removed, every device of a process would stay in memory, with the driver's threads and buffers.
   */
  close(): void {
    this.#closed = true;
    this.gpu.destroy();
    this.gpu.onuncapturederror = null;
  }
}

const FAULTS: Readonly<Record<string, readonly [DeviceFault, string]>> = {
  GPUOutOfMemoryError: ['memory', 'out of device memory'],
  GPUValidationError: ['invalid', 'invalid use of the device'],
  GPUInternalError: ['internal', 'the driver failed'],
};

/** Dawn's message names the labelled object of the call: `[Buffer "logits"]`. */
function errorOf(error: GPUError): DeviceError {
  const [fault, words] = FAULTS[error.constructor.name] ?? ['internal', error.constructor.name];
  // Lines of the form "    at function (file:line)" are Dawn's own source.
  const text = error.message.replace(/^\s+at .*$/gm, '').trim();
  const hint = fault === 'memory' ? '. Take a smaller --batch, shorter windows or a smaller model' : '';
  return new DeviceError(`${words}: ${text}${hint}`, fault, labelOf(text));
}

/** labelOf('[Buffer "logits"] is …') // 'logits' */
function labelOf(message: string): string | undefined {
  return /\[(?:Buffer|BindGroup|ComputePipeline|ShaderModule|BindGroupLayout) "([^"]+)"\]/.exec(message)?.[1];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
