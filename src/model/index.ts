/**
 * The model: doors, the decoder, scoring and generation. See README.md for the reading order.
 *
 * @module
 */
export { type DecoderPass, decoderBlocks, layer } from './blocks.js';
export { checkConfig, type DecoderConfig, DOOR_KINDS, type DoorKind, SIZES, type SizeName } from './config.js';
export { ControlEmbedding, type ControlOptions } from './controlEmbedding.js';
export { Decoder, type DecoderOptions } from './decoder.js';
export { type Door, type DoorBuilder, doorOf, throughDoor } from './door.js';
export { type EmbeddingOptions, HslEmbedding } from './embedding.js';
export { bitsOf, Evaluator } from './evaluator.js';
export { type Count, type ExactnessCheck, exactnessChecks, Fault } from './exactness.js';
export {
  type Batch,
  type BatchSize,
  type ForwardOptions,
  type ForwardPass,
  recordForward,
  toFeeds,
} from './forward.js';
export { type GenerateOptions, Generator, sample } from './generate.js';
export {
  countParameters,
  declareParameters,
  doorSpecs,
  initialParameters,
  type ParameterSpec,
  parameterSpecs,
} from './parameters.js';
export { type ZeroDoorOptions, ZeroInput } from './zeroInput.js';
