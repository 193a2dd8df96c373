import { type OptimiserOptions, type RecordedAdamW, recordAdamW } from '../engine/optimiser.js';
import { Program } from '../engine/program.js';
import type { DecoderConfig } from '../model/config.js';
import { type ForwardOptions, type ForwardPass, recordForward } from '../model/forward.js';
import { OPTIMISER } from './optimiser.js';
import type { WindowSize } from './windows/window.js';

/** The options of a training step that its program depends on. */
export interface StepOptions extends ForwardOptions {
  readonly config: DecoderConfig;
  readonly optimiser?: Required<OptimiserOptions>;
}

/** A recorded training step. */
export interface RecordedStep {
  readonly program: Program;
  readonly pass: ForwardPass;
  readonly optimiser: RecordedAdamW;
}

/** Record a training step: forward, backward, clip and AdamW. `inspect` looks at this very program. */
export function recordStep(options: StepOptions, { prefix: L, stream: T }: WindowSize, B: number): RecordedStep {
  const program = new Program();
  const pass = recordForward(program, options.config, { B, L, T }, options);
  program.backward(pass.loss);
  const optimiser = recordAdamW(program, pass.loss, options.optimiser ?? OPTIMISER);
  return { program, pass, optimiser };
}
