import type { OptimiserOptions } from '../engine/optimiser.js';

/** The settings of training, those of the seed's experiment. */
export const OPTIMISER: Required<OptimiserOptions> = { beta1: 0.9, beta2: 0.95, eps: 1e-8, decay: 0.1, clip: 1 };
