import {
  attentionWeights,
  compileWindow,
  type Inspection,
  inspect,
  recordWindow,
  type Subject,
} from '../../src/cli/inspect/inspection.js';
import type { InspectWindow } from '../../src/cli/inspect/window.js';
import { InputError } from '../../src/common/errors.js';
import type { Device } from '../../src/device/device.js';
import type { KernelKind } from '../../src/engine/kernel.js';
import { hslFeatures } from '../../src/engine/ops/hslFeatures.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import type { Tensor } from '../../src/engine/tensor.js';
import { type CapturedDispatch, captureEntry } from '../../src/inspect/capture.js';
import type { DecoderConfig } from '../../src/model/config.js';
import { bitsOf } from '../../src/model/evaluator.js';
import { type ForwardPass, recordForward, toFeeds } from '../../src/model/forward.js';
import { channelCount } from '../../src/substrate/channels.js';
import { SUBGROUP_SIZES, type SubgroupSize } from '../../src/wgsl/index.js';

/** A decoder to inspect: its own numbers, or the plan of a trainer that changes them. */
export interface Model {
  readonly name: string;
  readonly config: DecoderConfig;
  /** true for the decoder that the page was written for */
  readonly trained?: boolean;
  /** true if it is untrained */
  readonly fresh?: boolean;
  /** bytes of its training windows */
  readonly most?: number;
  readonly parameters: () => Promise<ReadonlyMap<string, Float32Array>>;
  /** the plan whose parameters these are, while it trains */
  readonly shared?: Plan;
}

/** Ids of a text: the first `L` go into slots, the others are predicted. EOS may be the last. */
export interface Text {
  readonly ids: Uint32Array;
  readonly L: number;
}

/** Weights of one head. */
export interface AttentionMap {
  readonly layer: number;
  readonly head: number;
  /** [S, S], row-major; each row sums to 1 over the keys it may see */
  readonly weights: Float64Array;
}

/** The result of one forward pass over a text. */
export interface Snapshot extends Text {
  readonly model: Model;
  /** [ids, channels] of the whole text as one string, computed by the kernel */
  readonly channels: Float32Array;
  readonly channelCount: number;
  /** does the decoder's door read channels? */
  readonly readsChannels: boolean;
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

/** The window of a text: the first L ids go into slots. */
const windowOf = ({ ids, L }: Text): InspectWindow => ({
  prefix: Uint8Array.from(ids.subarray(0, L)),
  targets: ids.slice(L),
});

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
      const T = text.ids.length - text.L;
      const P = pass.size.P;
      const S = P + T + 1;
      const H = this.model.config.heads;
      const attention = heads.flatMap((_, layer) => {
        const [q, k, lse] = qkl.slice(3 * layer) as [Float32Array, Float32Array, Float32Array];
        return Array.from({ length: H }, (_, head) => {
          return { layer, head, weights: attentionWeights(q, k, lse, { H, S, P, head }) };
        });
      });
      const bits = Array.from(nats!.subarray(0, T), bitsOf);
      const columns = channelCount(this.model.config.includeBits);
      return {
        ...text,
        model: this.model,
        channels: channelValues!.subarray(0, text.ids.length * columns),
        channelCount: columns,
        readsChannels: pass.program.entries.filter(({ op }) => op.name === 'hslFeatures.forward').length > 1,
        bits,
        bitsPerByte: bits.reduce((sum, b) => sum + b, 0) / bits.length,
        logits: logits!.subarray(0, (T + 1) * 258),
        P,
        S,
        attention,
        milliseconds,
      };
    });
  }

  /** The training step of this text, its update aside: op by op, each compared with its float64 reference. */
  look(text: Text, progress: (done: number, of: number) => void): Promise<Inspection> {
    return this.#next(async () => inspect(this.device, await this.#subject(), windowOf(text), progress));
  }

  /**
   * The kernels of one op of that step, with the memory that each read, for the stepper.
   *
   * @param op its number in a look, or its name: the first of that name
   * @param kernels the kind of kernels; default that of the device
   */
  capture(text: Text, op: number | string, kernels?: KernelKind): Promise<CapturedDispatch[]> {
    return this.#next(async () => {
      const profile = kernels === undefined ? this.device : { ...this.device, kernels };
      const subject = await this.#subject();
      const window = windowOf(text);
      const placeIn = ({ entries }: Program) =>
        entries.findIndex((entry) => (typeof op === 'number' ? entry.index : entry.op.name) === op);
      // A step begins with its forward pass, which compiles in half the time.
      const forward = recordForward(new Program(), subject.config, { B: 1, L: text.L, T: window.targets.length });
      const pass = placeIn(forward.program) >= 0 ? forward : recordWindow(subject, window);
      const index = placeIn(pass.program);
      if (index < 0) throw new InputError(`The training step of this decoder has no ${op}.`);
      const plan = await compileWindow(pass, this.device, subject, window, profile);
      try {
        return await captureEntry(plan, index, this.subgroupSize);
      } finally {
        plan.free();
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

  async #subject(): Promise<Subject> {
    const { config, name, parameters } = this.model;
    return { config, parameters: await parameters(), origin: name };
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {}); // the caller receives the error; the next call starts again
    return result;
  }

  async #open({ ids, L }: Text): Promise<Recorded> {
    // One more than the text has, for the byte after it, and padded, so that typing seldom needs a new pass.
    const T = Math.ceil((ids.length - L + 1) / FILL) * FILL;
    const key = `${L} + ${T}`;
    if (this.#recorded?.key !== key) {
      this.#recorded?.plan.free();
      this.#recorded = undefined;
      this.#recorded = { key, ...(await this.#record(L, T)) };
    }
    return this.#recorded;
  }

  /** The forward pass alone, with the channels of the whole text, and each position's attention. */
  async #record(L: number, T: number): Promise<Recorded> {
    const { config, parameters, shared } = this.model;
    const program = new Program();
    const text = program.input('text', [1, L + T], 'u32');
    const { includeBits = false, momentumPhase = false } = config;
    const channels = program.scope('text', () => hslFeatures(text, { includeBits, momentumPhase }));
    const pass = recordForward(program, config, { B: 1, L, T }, { everyRow: true });
    const keep = [channels, pass.nats, pass.logits, ...attentionOf(pass).flatMap(({ q, k, lse }) => [q, k, lse])];
    const from = shared === undefined ? { parameters: await parameters() } : { shared };
    return { pass, text, channels, plan: await Plan.compile(program, this.device, { keep, ...from }) };
  }

  #write({ pass, plan, text }: Recorded, { ids, L }: Text): void {
    const { T } = pass.size;
    const filled = (some: Uint32Array, length: number) => {
      const all = new Uint32Array(length);
      all.set(some);
      return all;
    };
    plan.write(text, filled(ids, L + T));
    const batch = {
      prefix: ids.slice(0, L),
      targets: filled(ids.subarray(L), T),
      weights: new Float32Array(T).fill(1, 0, ids.length - L), // padding has no loss
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
