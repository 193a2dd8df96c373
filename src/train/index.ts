/**
 * Training: windows, the recorded step, checkpoints. See README.md for the reading order.
 *
 * @module
 */
export { type Checkpoint, readCheckpoint, readMoments, writeCheckpoint } from './checkpoint.js';
export type { CheckpointInfo } from './checkpointFormat.js';
export type { Skipped } from './data/skipped.js';
export type { NonFinite } from './nonFinite.js';
export { OPTIMISER } from './optimiser.js';
export { encodeSafetensors, parseSafetensors, readSafetensors } from './safetensors.js';
export type { Safetensors, StoredTensor, TensorData } from './safetensorsFormat.js';
export { learningRate, type Schedule } from './schedule.js';
export {
  type Moments,
  type SizedBatch,
  type StepResult,
  type SubmittedStep,
  Trainer,
  type TrainerOptions,
} from './trainer.js';
export { type Batch as WindowBatch, type Mix, mix, type Share } from './windows/mix.js';
export { openText, type TextDocument, type TextOptions, type TextSource } from './windows/text.js';
export {
  type Content,
  type Part,
  type Split,
  WINDOW_KINDS,
  type Window,
  type WindowKind,
  type WindowSize,
  type WindowSource,
} from './windows/window.js';
