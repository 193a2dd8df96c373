import { InputError } from '../common/errors.js';
import { adamW } from './ops/adamW.js';
import { gradientNorm } from './ops/gradientNorm.js';
import { markNonFinite } from './ops/markNonFinite.js';
import { sgd } from './ops/sgd.js';
import { PARAMETER_ALIGNMENT, type Program } from './program.js';
import type { Feed } from './runner.js';
import type { Tensor } from './tensor.js';

/**
 * An optimiser over all parameters of a program: created from a loss, it records gradients and update, and then steps.
 *
 *     const optimiser = new AdamW(loss, { lr: 1e-3 });
 *     for (let step = 0; step < 100; step++) console.log(await optimiser.step({ x, y }));
 */
abstract class Optimiser {
  /** steps done */
  steps = 0;

  /** @param lr learning rate; may be changed between steps */
  constructor(
    readonly loss: Tensor,
    public lr: number,
  ) {
    const { program } = loss;
    if (program.entries.some(({ phase }) => phase === 'update')) {
      throw new InputError('this program has an optimiser already; a second one would update its parameters twice');
    }
    if (loss.grad === undefined) loss.backward();
    program.runner.keep(loss);
  }

  /**
   * Run the program once, gradients and update included.
   *
   * @param feed numbers for the program's inputs, by their labels
   * @returns the loss before the update
   * @throws InputError when an input is missing
   */
  step(feed: Feed = {}): Promise<number> {
    const t = ++this.steps;
    return this.loss.program.runner.step(t, this.loss, feed, this.scalars(t));
  }

  /** The numbers that change from step to step. */
  protected abstract scalars(t: number): ReadonlyMap<Tensor, Float32Array>;
}

/**
 * Stochastic gradient descent, with the names and defaults of `torch.optim.SGD`. See `sgd` for the formula.
 *
 * @throws ShapeError, InputError when the loss is not one number or has no gradient; InputError when the program has no device
 *   or has an optimiser already
 */
export class SGD extends Optimiser {
  readonly #lr: Tensor;

  constructor(loss: Tensor, { lr = 1e-3, momentum = 0 }: { readonly lr?: number; readonly momentum?: number } = {}) {
    super(loss, lr);
    const { program } = loss;
    program.phase = 'update';
    this.#lr = program.input('learning rate', [1]);
    const v = program.state('velocity', [program.flatLength]);
    program.scope('optimiser', () => sgd(program.flat('gradient'), this.#lr, program.flat('parameter'), v, momentum));
    program.phase = 'replay';
  }

  protected override scalars(): ReadonlyMap<Tensor, Float32Array> {
    return new Map([[this.#lr, Float32Array.of(checkRate(this.lr))]]);
  }
}

/**
 * AdamW with the defaults of `torch.optim.AdamW`. See `adamW` for the formula.
 *
 * @throws ShapeError, InputError as `SGD` does, and InputError for an invalid option
 */
export class AdamW extends Optimiser {
  readonly #options: OptimiserOptions;
  readonly #recorded: RecordedAdamW;

  constructor(loss: Tensor, { lr = 1e-3, ...options }: Partial<OptimiserOptions> & { readonly lr?: number } = {}) {
    super(loss, lr);
    this.#options = { beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.01, ...options };
    this.#recorded = recordAdamW(loss.program, loss, this.#options);
  }

  protected override scalars(t: number): ReadonlyMap<Tensor, Float32Array> {
    const { scalars, failed } = this.#recorded;
    return new Map([
      [scalars, stepScalars(t, this.lr, this.#options)],
      [failed, Float32Array.of(0)],
    ]);
  }
}

/** Constants of AdamW, and the norm to which gradients are clipped. */
export interface OptimiserOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** weight decay per unit of learning rate */
  readonly decay: number;
  /** a larger gradient norm is scaled down to this; default: no clipping */
  readonly clip?: number;
}

/** @throws InputError naming an invalid option */
export function checkOptimiser(options: OptimiserOptions): void {
  const within = (name: keyof OptimiserOptions, ok: boolean, range: string) => {
    if (!ok) throw new InputError(`optimiser: ${name} must be ${range}; got ${options[name]}`);
  };
  const { beta1, beta2, eps, decay, clip } = options;
  within('beta1', beta1 >= 0 && beta1 < 1, 'at least 0 and less than 1');
  within('beta2', beta2 >= 0 && beta2 < 1, 'at least 0 and less than 1');
  within('eps', eps > 0 && eps < Infinity, 'finite and more than 0');
  within('decay', decay >= 0 && decay < Infinity, 'finite and at least 0');
  within('clip', clip === undefined || (clip > 0 && clip < Infinity), 'finite and more than 0');
}

/** The inputs and the state of AdamW. */
export interface RecordedAdamW {
  /** [4] f32, written before each update: see `stepScalars` */
  readonly scalars: Tensor;
  /** [2]: norm of all gradients, and the factor that clips it, 0 if the update was skipped; [0, 1] without clipping */
  readonly clip: Tensor;
  /**
   * [1]: not 0 after a step whose loss or norm was not finite. Until 0 is written, no step changes anything. Always 0
   * without clipping
   */
  readonly failed: Tensor;
  /** first and second moments [flatLength] */
  readonly m: Tensor;
  readonly v: Tensor;
}

/**
 * Record clip and AdamW over all parameters as `update` entries, and with clipping, before them, `markNonFinite` as an entry of every
 * micro-batch. Call it after the backward pass.
 *
 * @param loss [1]: if it is not finite and gradients are clipped, no parameter and no moment changes until `failed` is
 * written again
 * @throws InputError naming an invalid option
 */
export function recordAdamW(program: Program, loss: Tensor, options: OptimiserOptions): RecordedAdamW {
  checkOptimiser(options);
  const failed = program.state('failed', [1]);
  // Every micro-batch has a loss, so this is recorded before the `update` entries.
  if (options.clip !== undefined) program.scope('optimiser', () => markNonFinite(loss, failed));
  program.phase = 'update';
  const n = program.flatLength;
  const scalars = program.input('scalars', [4]);
  const m = program.state('first moments', [n]);
  const v = program.state('second moments', [n]);
  // 1 where a block of 64 floats belongs to a parameter that decays
  const decays = new Float32Array(n / PARAMETER_ALIGNMENT);
  for (const { tensor, decay } of program.parameters) {
    const first = tensor.storage.flatOffset! / PARAMETER_ALIGNMENT;
    if (decay) decays.fill(1, first, first + Math.ceil(tensor.size / PARAMETER_ALIGNMENT));
  }
  const gradients = program.flat('gradient');
  const parameters = program.flat('parameter');
  const norm = (maxNorm: number) => program.scope('optimiser', () => gradientNorm(gradients, scalars, failed, maxNorm));
  const clip = options.clip === undefined ? program.constant('clip', [0, 1]) : norm(options.clip);
  const mask = program.constant('decays', [decays.length], decays);
  const { beta1, beta2, eps, decay } = options;
  program.scope('optimiser', () =>
    adamW(gradients, mask, clip, scalars, { parameters, m, v }, { beta1, beta2, eps, decay }),
  );
  program.phase = 'replay';
  return { scalars, clip, failed, m, v };
}

/**
 * The numbers of one update, for the input `scalars`.
 *
 * @param t 1 for the first update   @param microBatches number of replays whose gradients were summed
 * @throws InputError when the learning rate, as float32, is not finite or less than 0: AdamW would destroy every parameter
 */
export function stepScalars(
  t: number,
  lr: number,
  options: Pick<OptimiserOptions, 'beta1' | 'beta2'>,
  microBatches = 1,
): Float32Array {
  return Float32Array.of(checkRate(lr), 1 - options.beta1 ** t, 1 - options.beta2 ** t, 1 / microBatches);
}

function checkRate(lr: number): number {
  if (lr >= 0 && Math.fround(lr) < Infinity) return lr;
  throw new InputError(`the learning rate must be a finite number of at least 0; got ${lr}`);
}
