/** Training: windows, the recorded step, checkpoints. See README.md for the reading order. */

export { type Checkpoint, readCheckpoint, readMoments, writeCheckpoint } from './checkpoint.js';
export { OPTIMISER, type OptimiserOptions } from './optimiser.js';
export { encodeSafetensors, parseSafetensors, readSafetensors } from './safetensors.js';
export { learningRate, type Schedule } from './schedule.js';
export { type SizedBatch, type StepResult, Trainer, type TrainerOptions } from './trainer.js';
export { type Mix, mix } from './windows/mix.js';
export { openText } from './windows/text.js';
export type { Window, WindowSize, WindowSource } from './windows/window.js';
