import type { Device } from '../engine/device.js';
import { InputError } from '../engine/errors.js';
import { Plan } from '../engine/plan.js';
import { Program } from '../engine/program.js';
import type { DecoderConfig } from '../model/config.js';
import { type Batch, type ForwardPass, feedsOf, recordForward } from '../model/forward.js';
import { OPTIMISER, type Optimiser, type OptimiserOptions, recordOptimiser, stepScalars } from './optimiser.js';
import type { WindowSize } from './windows/window.js';

export interface TrainerOptions {
  readonly config: DecoderConfig;
  /** windows per batch */
  readonly batch: number;
  /** sizes of window the run has: one for most runs, several where kinds differ */
  readonly sizes: readonly WindowSize[];
  /** what the parameters start from, by name */
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly optimiser?: OptimiserOptions;
  /** which parameters weight decay falls on */
  readonly decay?: 'matrices' | 'all';
}

/** A batch that says which size its windows are. */
export type SizedBatch = Batch & { readonly size: WindowSize };

function keyOf({ prefix, stream }: WindowSize): string {
  return `${prefix} + ${stream}`;
}

/** What one step tells: the loss before it, and the length of its gradient before clipping. */
export interface StepResult {
  /** weighted mean nats per predicted byte */
  readonly nats: number;
  readonly gradientNorm: number;
}

/** The optimiser's memory, by parameter name. */
export interface Moments {
  readonly m: ReadonlyMap<string, Float32Array>;
  readonly v: ReadonlyMap<string, Float32Array>;
}

/** The recorded step for one size of window. */
interface Recorded {
  readonly plan: Plan;
  readonly pass: ForwardPass;
  readonly optimiser: Optimiser;
}

/**
 * Training as a program recorded once and replayed: forward, backward, clip and AdamW are its entries; a step writes a
 * batch and four scalars, replays, and reads two numbers. Windows of another size have a program of their own over the
 * same parameters and moments.
 */
export class Trainer {
  /** updates done so far */
  step = 0;

  private constructor(
    readonly options: TrainerOptions,
    private readonly recorded: ReadonlyMap<string, Recorded>,
  ) {}

  static async create(device: Device, options: TrainerOptions): Promise<Trainer> {
    const recorded = new Map<string, Recorded>();
    let first: Plan | undefined;
    for (const { prefix: L, stream: T } of options.sizes) {
      const program = new Program();
      const pass = recordForward(program, options.config, { B: options.batch, L, T }, options.decay);
      program.backward(pass.loss);
      const optimiser = recordOptimiser(program, options.optimiser);
      const plan = await Plan.compile(program, device, {
        keep: [pass.loss, optimiser.clip],
        ...(first ? { shared: first } : { parameters: options.parameters }),
      });
      first ??= plan;
      recorded.set(keyOf({ prefix: L, stream: T }), { plan, pass, optimiser });
    }
    return new Trainer(options, recorded);
  }

  /** The plan that owns the parameters; evaluators share it. */
  get plan(): Plan {
    return this.#first.plan;
  }

  /**
   * One update from one batch, or from several added up: gradient accumulation, by replaying without the update entries.
   *
   * @param batches of one size of window
   * @returns means over the batches
   */
  async update(batches: readonly SizedBatch[], learningRate: number): Promise<StepResult> {
    const { plan, pass, optimiser } = this.#recordedFor(batches);
    const scalars = stepScalars(this.step + 1, learningRate, this.options.optimiser ?? OPTIMISER, batches.length);
    plan.write(optimiser.step, scalars);
    let nats = 0;
    let gradientNorm = 0;
    for (const [i, batch] of batches.entries()) {
      for (const [tensor, data] of feedsOf(pass, batch)) plan.write(tensor, data);
      const last = i === batches.length - 1;
      const read = last ? [pass.loss, optimiser.clip] : [pass.loss];
      const [loss, clip] = await plan.replayAndRead(read, { update: last, accumulate: i > 0 });
      nats += loss![0]! / batches.length;
      if (clip !== undefined) gradientNorm = clip[0]!;
    }
    this.step++;
    return { nats, gradientNorm };
  }

  #recordedFor(batches: readonly SizedBatch[]): Recorded {
    const key = keyOf(batches[0]!.size);
    const recorded = this.recorded.get(key);
    if (recorded === undefined || batches.some(({ size }) => keyOf(size) !== key)) {
      throw new InputError(`update: windows of ${key} bytes; this trainer was made for ${[...this.recorded.keys()]}`);
    }
    return recorded;
  }

  get #first(): Recorded {
    return this.recorded.values().next().value!;
  }

  /** Every parameter's numbers now, by name. */
  async parameters(): Promise<Map<string, Float32Array>> {
    return this.#split(await this.plan.read(this.#flat));
  }

  /** The optimiser's moments now. */
  async moments(): Promise<Moments> {
    const { m, v } = this.#first.optimiser;
    return { m: this.#split(await this.plan.read(m)), v: this.#split(await this.plan.read(v)) };
  }

  /** Go on from a checkpoint: parameters, moments and the count of updates. */
  restore(parameters: ReadonlyMap<string, Float32Array>, moments: Moments, step: number): void {
    this.plan.write(this.#flat, this.#join(parameters));
    this.plan.write(this.#first.optimiser.m, this.#join(moments.m));
    this.plan.write(this.#first.optimiser.v, this.#join(moments.v));
    this.step = step;
  }

  free(): void {
    for (const { plan } of [...this.recorded.values()].reverse()) plan.free();
  }

  /** All parameters as one tensor: the one AdamW updates. */
  get #flat() {
    const adamW = this.#first.pass.program.entries.at(-1)!;
    return adamW.outputs[0]!;
  }

  #split(flat: Float32Array): Map<string, Float32Array> {
    return new Map(
      this.#first.pass.program.parameters.map(({ name, offset, tensor }) => [
        name,
        flat.slice(offset, offset + tensor.size),
      ]),
    );
  }

  #join(parts: ReadonlyMap<string, Float32Array>): Float32Array {
    const flat = new Float32Array(this.#first.pass.program.flatLength);
    for (const { name, offset } of this.#first.pass.program.parameters) flat.set(parts.get(name)!, offset);
    return flat;
  }
}
