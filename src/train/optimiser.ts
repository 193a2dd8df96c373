import { InputError } from '../engine/errors.js';
import { adamW } from '../engine/ops/adamW.js';
import { gradientNorm } from '../engine/ops/gradientNorm.js';
import { PARAMETER_ALIGNMENT, type Program } from '../engine/program.js';
import type { Tensor } from '../engine/tensor.js';

/** Constants of AdamW, and the length that gradients are clipped to. */
export interface OptimiserOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly decay: number;
  /** gradients longer than this are scaled down to it */
  readonly clip: number;
}

/** What training uses, as the seed's experiment did. */
export const OPTIMISER: OptimiserOptions = { beta1: 0.9, beta2: 0.95, eps: 1e-8, decay: 0.1, clip: 1 };

/** @throws InputError naming the option that AdamW cannot work with */
export function checkOptimiser(options: OptimiserOptions): void {
  const within = (name: keyof OptimiserOptions, ok: boolean, range: string) => {
    if (!ok) throw new InputError(`optimiser: ${name} must be ${range}; got ${options[name]}`);
  };
  const { beta1, beta2, eps, decay, clip } = options;
  within('beta1', beta1 >= 0 && beta1 < 1, 'at least 0 and less than 1');
  within('beta2', beta2 >= 0 && beta2 < 1, 'at least 0 and less than 1');
  within('eps', eps > 0 && eps < Infinity, 'finite and more than 0');
  within('decay', decay >= 0 && decay < Infinity, 'finite and at least 0');
  within('clip', clip > 0 && clip < Infinity, 'finite and more than 0');
}

/** What an optimiser step reads and keeps. */
export interface Optimiser {
  /** [4] f32, written before each update: see `stepScalars` */
  readonly step: Tensor;
  /** [2]: norm of all gradients, and the factor that clips it; 0 where the update was skipped */
  readonly clip: Tensor;
  /** first and second moments [flatLength] */
  readonly m: Tensor;
  readonly v: Tensor;
}

/**
 * Record clip and AdamW over all parameters as `update` entries. Call it after the backward pass.
 *
 * @param loss [1]: where it is not finite, no parameter and no moment changes
 * @throws InputError naming the option that AdamW cannot work with
 */
export function recordOptimiser(program: Program, loss: Tensor, options: OptimiserOptions = OPTIMISER): Optimiser {
  checkOptimiser(options);
  program.phase = 'update';
  const n = program.flatLength;
  const step = program.input('step', [4]);
  const m = program.state('first moments', [n]);
  const v = program.state('second moments', [n]);
  // 1 where a block of 64 floats belongs to a parameter that decays
  const decays = new Float32Array(n / PARAMETER_ALIGNMENT);
  for (const { offset, tensor, decay } of program.parameters) {
    const first = offset / PARAMETER_ALIGNMENT;
    if (decay) decays.fill(1, first, first + Math.ceil(tensor.size / PARAMETER_ALIGNMENT));
  }
  const gradients = program.flat('gradient');
  const parameters = program.flat('parameter');
  const clip = program.scope('optimiser', () => gradientNorm(gradients, step, loss, options.clip));
  const mask = program.constant('decays', [decays.length], decays);
  const { beta1, beta2, eps, decay } = options;
  program.scope('optimiser', () =>
    adamW(gradients, mask, clip, step, { parameters, m, v }, { beta1, beta2, eps, decay }),
  );
  program.phase = 'step';
  return { step, clip, m, v };
}

/**
 * The numbers of one update, for the `step` input.
 *
 * @param t 1 for the first update   @param microBatches how many replays the gradients were added up over
 * @throws InputError when the learning rate, as float32, is not finite or less than 0: AdamW would destroy every parameter
 */
export function stepScalars(
  t: number,
  lr: number,
  options: OptimiserOptions = OPTIMISER,
  microBatches = 1,
): Float32Array {
  if (!(lr >= 0 && Math.fround(lr) < Infinity)) {
    throw new InputError(`the learning rate must be a finite number of at least 0; got ${lr}`);
  }
  return Float32Array.of(lr, 1 - options.beta1 ** t, 1 - options.beta2 ** t, 1 / microBatches);
}
