import type { Device } from '../../src/device/device.js';
import type { AdapterProfile, KernelKind } from '../../src/engine/kernel.js';
import { visibleKeys } from '../../src/engine/ops/attention.js';
import { hslFeatures } from '../../src/engine/ops/hslFeatures.js';
import { type CompileOptions, Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import type { Tensor } from '../../src/engine/tensor.js';
import { type CapturedDispatch, captureEntry } from '../../src/inspect/capture.js';
import { type Trace, trace } from '../../src/inspect/trace.js';
import { channelsOf, type DecoderConfig } from '../../src/model/config.js';
import { bitsOf } from '../../src/model/evaluator.js';
import { type ForwardPass, recordForward, toFeeds } from '../../src/model/forward.js';
import { SUBGROUP_SIZES, type SubgroupSize } from '../../src/wgsl/index.js';

/** A decoder to inspect: its own numbers, or the plan of a trainer that changes them. */
export interface Model {
  readonly name: string;
  readonly config: DecoderConfig;
  /** true for the page's own decoder */
  readonly trained?: boolean;
  /** true if it is untrained */
  readonly fresh?: boolean;
  readonly from: { readonly parameters: ReadonlyMap<string, Float32Array> } | { readonly shared: Plan };
}

/** Bytes: the first `L` go into slots, the others are predicted. */
export interface Text {
  readonly bytes: Uint8Array;
  readonly L: number;
}

/** Weights of one head: `at(i, j)` is the weight of position j for position i. */
export interface AttentionMap {
  readonly layer: number;
  readonly head: number;
  /** [S, S], row-major; each row sums to 1 over the keys it may see */
  readonly weights: Float32Array;
}

/** The result of one forward pass over a text. */
export interface Snapshot extends Text {
  readonly model: Model;
  /** [bytes, channels] of the whole text as one string, computed by the kernel */
  readonly channels: Float32Array;
  readonly channelCount: number;
  /** [T], loss of each predicted byte */
  readonly bits: readonly number[];
  readonly bitsPerByte: number;
  /** [T + 1, 258]: the last row is for the byte after the text */
  readonly logits: Float32Array;
  /** P slots and S = P + T + 1 positions: the last one has read the whole text */
  readonly P: number;
  readonly S: number;
  readonly attention: readonly AttentionMap[];
  readonly milliseconds: number;
}

/** Everything about every op of a pass, and the recorded pass it belongs to. */
export interface Look {
  readonly trace: Trace;
  readonly backward: boolean;
}

/** Sizes of a pass: L bytes in slots, T predicted. */
interface Size {
  readonly L: number;
  readonly T: number;
}

const sizeOf = ({ bytes, L }: Text): Size => ({ L, T: bytes.length - L });

/** Passes have a multiple of this many predicted bytes. */
const FILL = 32;

/** A recorded pass over texts of one length. */
interface Recorded {
  readonly pass: ForwardPass;
  readonly text: Tensor;
  readonly channels: Tensor;
  readonly plan: Plan;
}

/**
 * Runs texts through a decoder on the device. A pass is recorded for some lengths of text and kept until the text outgrows
 * it, so that typing only replays. Calls run one after another.
 */
export class Explorer {
  #recorded: (Recorded & { readonly key: string }) | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly device: Device,
    readonly model: Model,
  ) {}

  /** One forward pass. */
  run(text: Text): Promise<Snapshot> {
    return this.#next(async () => {
      const recorded = await this.#open(text);
      const { pass, plan, channels } = recorded;
      const heads = attentionOf(pass);
      const start = performance.now();
      this.#write(recorded, text);
      const read = [channels, pass.nats, pass.logits, ...heads.flatMap(({ q, k, lse }) => [q, k, lse])];
      const [channelValues, nats, logits, ...qkl] = await plan.replayAndRead(read);
      const milliseconds = performance.now() - start;
      const T = text.bytes.length - text.L;
      const S = pass.size.P + T + 1;
      const attention = heads.flatMap((_, layer) =>
        weightsOf(pass, S, layer, qkl[3 * layer]!, qkl[3 * layer + 1]!, qkl[3 * layer + 2]!),
      );
      const bits = Array.from(nats!.subarray(0, T), bitsOf);
      const channelCount = channelsOf(this.model.config);
      return {
        ...text,
        model: this.model,
        channels: channelValues!.subarray(0, text.bytes.length * channelCount),
        channelCount,
        bits,
        bitsPerByte: bits.reduce((sum, b) => sum + b, 0) / bits.length,
        logits: logits!.subarray(0, (T + 1) * 258),
        P: pass.size.P,
        S,
        attention,
        milliseconds,
      };
    });
  }

  /** The same pass op by op, each one compared with its float64 reference; with `backward` the gradients too. */
  look(text: Text, backward: boolean, progress: (done: number, of: number) => void): Promise<Look> {
    return this.#next(async () => {
      const recorded = await this.#record(sizeOf(text), { backward, keep: 'all' });
      try {
        this.#write(recorded, text);
        // The first run of a kernel compiles it: one run before, so that the times do not include compilation.
        recorded.plan.submit();
        await recorded.plan.finished();
        return { trace: await trace(recorded.plan, progress), backward };
      } finally {
        recorded.plan.free();
      }
    });
  }

  /**
   * The kernels of one op of a pass, with the memory that each read, for the stepper.
   *
   * @param op its number in a `Look` with the same `backward`, or its name: the first of that name
   * @param kernels the kind of kernels; default that of the device
   */
  capture(text: Text, backward: boolean, op: number | string, kernels?: KernelKind): Promise<CapturedDispatch[]> {
    return this.#next(async () => {
      const profile = kernels === undefined ? this.device : { ...profileOf(this.device), kernels };
      const recorded = await this.#record(sizeOf(text), { backward, keep: 'all', profile });
      try {
        this.#write(recorded, text);
        const { entries } = recorded.pass.program;
        const index = typeof op === 'number' ? op : entries.findIndex((entry) => entry.op.name === op);
        return await captureEntry(recorded.plan, index, this.subgroupSize);
      } finally {
        recorded.plan.free();
      }
    });
  }

  /** The device's own, if the interpreter supports it. */
  get subgroupSize(): SubgroupSize {
    return SUBGROUP_SIZES.find((size) => size === this.device.subgroupSize) ?? 32;
  }

  async free(): Promise<void> {
    await this.#next(async () => this.#recorded?.plan.free());
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {}); // the caller receives the error; the next call starts again
    return result;
  }

  async #open(text: Text): Promise<Recorded> {
    // One more than the text has, for the byte after it, and padded, so that typing seldom needs a new pass.
    const T = Math.ceil((text.bytes.length - text.L + 1) / FILL) * FILL;
    const key = `${text.L} + ${T}`;
    if (this.#recorded?.key !== key) {
      this.#recorded?.plan.free();
      this.#recorded = undefined;
      this.#recorded = { key, ...(await this.#record({ L: text.L, T }, { backward: false })) };
    }
    return this.#recorded;
  }

  async #record(
    { L, T }: Size,
    options: { backward: boolean; keep?: 'all'; profile?: AdapterProfile },
  ): Promise<Recorded> {
    const { config, from } = this.model;
    const program = new Program();
    const text = program.input('text', [1, L + T], 'u32');
    const { includeBits = false, momentumPhase = false } = config;
    const channels = program.scope('text', () => hslFeatures(text, { includeBits, momentumPhase }));
    const pass = recordForward(program, config, { B: 1, L, T }, { everyRow: true });
    if (options.backward) program.backward(pass.loss);
    const read = [channels, pass.nats, pass.logits, ...attentionOf(pass).flatMap(({ q, k, lse }) => [q, k, lse])];
    const { keep = read, profile = this.device } = options;
    const compile: CompileOptions = { keep, profile, ...from };
    return { pass, text, channels, plan: await Plan.compile(program, this.device, compile) };
  }

  #write({ pass, plan, text }: Recorded, { bytes, L }: Text): void {
    const { T } = pass.size;
    const filled = (ids: Uint8Array, length: number) => {
      const all = new Uint32Array(length);
      all.set(ids);
      return all;
    };
    plan.write(text, filled(bytes, L + T));
    const batch = {
      prefix: Uint32Array.from(bytes.subarray(0, L)),
      targets: filled(bytes.subarray(L), T),
      weights: new Float32Array(T).fill(1, 0, bytes.length - L), // padding has no loss
    };
    for (const [tensor, data] of toFeeds(pass, batch)) plan.write(tensor, data);
  }
}

/** Queries, keys and the logarithm of each row's sum, of every layer. */
function attentionOf({ program }: ForwardPass): { q: Tensor; k: Tensor; lse: Tensor }[] {
  return program.entries
    .filter(({ op }) => op.name === 'attention.forward')
    .map(({ inputs: [q, k], outputs: [, lse] }) => ({ q: q!, k: k!, lse: lse! }));
}

/** The kernel keeps no map, only lse: p[i, j] = exp(q[i]·k[j]/√D - lse[i]) for the keys j that i sees. */
function weightsOf(
  { size, program }: ForwardPass,
  S: number,
  layer: number,
  q: Float32Array,
  k: Float32Array,
  lse: Float32Array,
): AttentionMap[] {
  const entry = program.entries.filter(({ op }) => op.name === 'attention.forward')[layer]!;
  const [, H, rows, D] = entry.inputs[0]!.shape as [number, number, number, number]; // rows >= S
  return Array.from({ length: H }, (_, head) => {
    const weights = new Float32Array(S * S);
    for (let i = 0; i < S; i++) {
      const row = head * rows + i; // q[0, head, i]
      for (let j = 0; j < visibleKeys(i, size.P); j++) {
        let dot = 0;
        for (let d = 0; d < D; d++) dot += q[row * D + d]! * k[(head * rows + j) * D + d]!;
        weights[i * S + j] = Math.exp(dot / Math.sqrt(D) - lse[row]!);
      }
    }
    return { layer, head, weights };
  });
}

/** The properties for the choice of kernels, as a plain object. */
function profileOf({
  kind,
  driver,
  subgroupSize,
  f16,
  limits,
  precision,
  subgroupMatrix,
}: AdapterProfile): AdapterProfile {
  return { kind, driver, subgroupSize, f16, limits, ...(precision && { precision }), subgroupMatrix };
}
