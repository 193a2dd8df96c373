import type { OptimiserOptions } from '../engine/optimiser.js';

/** What training uses, as the seed's experiment did. */
export const OPTIMISER: Required<OptimiserOptions> = { beta1: 0.9, beta2: 0.95, eps: 1e-8, decay: 0.1, clip: 1 };
