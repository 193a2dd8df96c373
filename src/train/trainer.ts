import { checkWhole, DeviceError, InputError } from '../common/errors.js';
import type { Device } from '../device/device.js';
import type { Precision } from '../engine/kernel.js';
import { checkOptimiser, stepScalars } from '../engine/optimiser.js';
import { type Copied, Plan } from '../engine/plan.js';
import { checkMixed, profileFor } from '../engine/precision.js';
import type { Program } from '../engine/program.js';
import { type Batch, toFeeds } from '../model/forward.js';
import { checkComplete } from '../model/parameters.js';
import { withMemoryHint } from './memoryHint.js';
import { firstNonFinite, type NonFinite } from './nonFinite.js';
import { OPTIMISER } from './optimiser.js';
import { type RecordedStep, recordStep, type StepOptions } from './recordStep.js';
import type { WindowSize } from './windows/window.js';

/** The inputs of a trainer. */
export interface TrainerOptions extends StepOptions {
  /** precision of the step's matrix products; plans that share its parameters have their own. Default `full` */
  readonly precision?: Precision;
  /** windows per batch */
  readonly batch: number;
  /** batches per update: advice on memory keeps the number of windows per update. Default 1 */
  readonly accumulate?: number;
  /** sizes of window the run has: one for most runs, several where kinds differ */
  readonly sizes: readonly WindowSize[];
  /** initial values of the parameters, by name; called once their memory is known to fit */
  readonly parameters: ReadonlyMap<string, Float32Array> | (() => ReadonlyMap<string, Float32Array>);
}

/** A batch with the size of its windows. */
export type SizedBatch = Batch & { readonly size: WindowSize };

function keyOf({ prefix, stream }: WindowSize): string {
  return `${prefix} + ${stream}`;
}

/** The result of one step: the loss before it, and the norm of its gradient before clipping. */
export interface StepResult {
  /** weighted mean nats per predicted byte */
  readonly nats: number;
  readonly gradientNorm: number;
  /**
   * false if one of the two is infinite or not a number, or was in a step submitted before: then the device changed
   * nothing, and no step was counted
   */
  readonly finite: boolean;
}

/** A step that was submitted and may still run. */
export interface SubmittedStep {
  /**
   * Wait for the device, and read the result. Call it once for each step, in the order of submission.
   *
   * @throws DeviceError when something went wrong on the device
   */
  result(): Promise<StepResult>;
}

/** The optimiser's memory, by parameter name. */
export interface Moments {
  readonly m: ReadonlyMap<string, Float32Array>;
  readonly v: ReadonlyMap<string, Float32Array>;
}

/** The recorded step for one size of window, and its plan. */
type Recorded = Pick<RecordedStep, 'pass' | 'optimiser'> & { readonly plan: Plan };

/**
 * Training as a program recorded once and replayed: forward, backward, clip and AdamW are its entries; a step writes a
 * batch and four scalars, replays, and reads two numbers. Windows of another size have a program of their own over the
 * same parameters and moments.
 *
 * `update` waits for its result. `submit` does not, so that the device can begin the next step before this one's loss is
 * read. If a step then turns out not to be finite, the device has changed nothing in it and in the steps after it.
 */
export class Trainer {
  /** updates submitted so far; a step that was not finite takes itself and those after it back */
  step = 0;
  /** steps that were not finite so far */
  #failures = 0;

  private constructor(
    readonly options: TrainerOptions,
    private readonly recorded: ReadonlyMap<string, Recorded>,
  ) {}

  /**
   * Record and compile the step of each size.
   *
   * @throws InputError when the options cannot be used: no size, an empty batch, missing parameters
   * @throws DeviceError when memory does not suffice, before anything is allocated; the error names flags that would
   * fit
   */
  static async create(device: Device, options: TrainerOptions): Promise<Trainer> {
    checkOptions(options);
    const recorded = new Map<string, Recorded>();
    const profile = profileFor(device, options.precision ?? 'full');
    let first: Plan | undefined;
    try {
      for (const size of options.sizes) {
        const { program, pass, optimiser } = recordStep(options, size, options.batch);
        const common = { keep: [pass.loss, optimiser.clip], profile };
        const { memoryError } = Plan.predict(program, device, { ...common, ...(first && { shared: first }) });
        if (memoryError !== undefined) throw memoryError;
        if (options.precision === 'mixed') await checkMixed(device, profile);
        const from = first ? { shared: first } : { parameters: started(program, options.parameters) };
        const plan = await Plan.compile(program, device, { ...common, ...from });
        first ??= plan;
        recorded.set(keyOf(size), { plan, pass, optimiser });
      }
    } catch (error) {
      for (const { plan } of [...recorded.values()].reverse()) plan.free();
      throw error instanceof DeviceError && error.fault === 'memory' ? withMemoryHint(error, device, options) : error;
    }
    return new Trainer(options, recorded);
  }

  /** The plan that owns the parameters; evaluators share it. */
  get plan(): Plan {
    return this.#first.plan;
  }

  /**
   * One update from one batch, or from the sum of several: gradient accumulation, by replaying without the update
   * entries.
   *
   * @param batches one or more, of one size of window   @param learningRate finite, at least 0
   * @throws InputError when they are not; then nothing was changed
   * @returns means over the batches; if they are not finite, nothing was changed; call `skip` or `locateNonFinite` next
   */
  async update(batches: readonly SizedBatch[], learningRate: number): Promise<StepResult> {
    return (await this.submit(batches, learningRate)).result();
  }

  /**
   * `update` without waiting for the device. Call it again only after this promise has resolved.
   *
   * @throws InputError as `update` does
   */
  async submit(batches: readonly SizedBatch[], learningRate: number): Promise<SubmittedStep> {
    const recorded = this.#recordedFor(batches);
    const { plan, pass, optimiser } = recorded;
    const step = this.step;
    const failures = this.#failures;
    plan.write(optimiser.scalars, this.#scalars(learningRate, batches.length));
    const copies: Copied[] = [];
    try {
      for (const [i, batch] of batches.entries()) {
        for (const [tensor, data] of toFeeds(pass, batch)) plan.write(tensor, data);
        const last = i === batches.length - 1;
        const read = last ? [pass.loss, optimiser.clip] : [pass.loss];
        copies.push(await plan.replayAndCopy(read, { update: last, accumulate: i > 0 }));
      }
    } catch (error) {
      clearMark(recorded); // of a micro-batch whose loss nobody will read
      throw error;
    }
    this.step++;
    const result = async () => {
      let nats = 0;
      let gradientNorm = 0;
      for (const copy of copies) {
        const [loss, clip] = await copy.read();
        nats += loss![0]! / batches.length;
        if (clip !== undefined) gradientNorm = clip[0]!;
      }
      const isFirst = this.#failures === failures; // no step before this one failed meanwhile
      const finite = isFirst && Number.isFinite(nats) && Number.isFinite(gradientNorm);
      if (isFirst && !finite) {
        this.#failures++;
        this.step = step;
        clearMark(recorded); // after the submitted steps: the device writes it in their order
      }
      return { nats, gradientNorm, finite };
    };
    return { result };
  }

  /** Count a step whose update was skipped, so that the next one uses other windows. */
  skip(): void {
    this.step++;
  }

  /**
   * Replay a failed step, entry by entry, up to the first whose output is not finite. Nothing is changed.
   *
   * @returns undefined when everything is finite this time
   */
  async locateNonFinite(batches: readonly SizedBatch[], learningRate: number): Promise<NonFinite | undefined> {
    const recorded = this.#recordedFor(batches);
    try {
      return await firstNonFinite(recorded, batches, this.#scalars(learningRate, batches.length));
    } finally {
      clearMark(recorded);
    }
  }

  #scalars(learningRate: number, batches: number): Float32Array {
    return stepScalars(this.step + 1, learningRate, this.options.optimiser ?? OPTIMISER, batches);
  }

  #recordedFor(batches: readonly SizedBatch[]): Recorded {
    if (batches.length === 0) throw new InputError('update: needs at least one batch; got none');
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

  /**
   * Load a checkpoint: parameters, moments and the count of updates.
   *
   * @throws InputError when one of them lacks a parameter's numbers; then nothing was changed
   */
  restore(parameters: ReadonlyMap<string, Float32Array>, moments: Moments, step: number): void {
    checkWhole('step', step, 0);
    const flats = [this.#join('parameters', parameters), this.#join('m', moments.m), this.#join('v', moments.v)];
    const { m, v } = this.#first.optimiser;
    for (const [i, tensor] of [this.#flat, m, v].entries()) this.plan.write(tensor, flats[i]!);
    this.step = step;
  }

  /** Free all GPU memory. */
  free(): void {
    for (const { plan } of [...this.recorded.values()].reverse()) plan.free();
  }

  /** All parameters as one tensor, which AdamW updates. */
  get #flat() {
    const adamW = this.#first.pass.program.entries.at(-1)!;
    return adamW.outputs[0]!;
  }

  #split(flat: Float32Array): Map<string, Float32Array> {
    return new Map(
      this.#first.pass.program.parameters.map(({ name, tensor }) => {
        const offset = tensor.storage.flatOffset!;
        return [name, flat.slice(offset, offset + tensor.size)];
      }),
    );
  }

  #join(what: string, parts: ReadonlyMap<string, Float32Array>): Float32Array {
    const flat = new Float32Array(this.#first.pass.program.flatLength);
    for (const { name, tensor } of this.#first.pass.program.parameters) {
      const part = parts.get(name);
      if (part?.length !== tensor.size) {
        throw new InputError(
          `restore: ${what} must have ${tensor.size} numbers for ${name}; got ${part?.length ?? 'none'}`,
        );
      }
      flat.set(part, tensor.storage.flatOffset!);
    }
    return flat;
  }
}

/** Let steps change parameters again. */
function clearMark({ plan, optimiser: { failed } }: Recorded): void {
  plan.write(failed, Float32Array.of(0));
}

function checkOptions({ batch, accumulate = 1, sizes, optimiser = OPTIMISER }: TrainerOptions): void {
  checkWhole('batch', batch, 1);
  checkWhole('accumulate', accumulate, 1);
  checkOptimiser(optimiser);
  if (sizes.length === 0) throw new InputError('sizes: needs at least one size of window; got none');
  for (const { prefix, stream } of sizes) {
    checkWhole('prefix', prefix, 0);
    checkWhole('stream', stream, 1);
  }
  if (new Set(sizes.map(keyOf)).size < sizes.length) throw new InputError('sizes: each size of window once');
}

function started(program: Program, given: TrainerOptions['parameters']): ReadonlyMap<string, Float32Array> {
  const parameters = typeof given === 'function' ? given() : given;
  checkComplete(program, parameters);
  return parameters;
}
