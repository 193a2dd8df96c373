import type { OpRow } from '../registry.js';
import { adamWRow } from './adamW.js';
import { addLayerNormRow } from './addLayerNorm.js';
import { attentionRow } from './attention.js';
import { binaryRows } from './binary.js';
import { bmmRow } from './bmm.js';
import { concatRow } from './concat.js';
import { concatPadRow } from './concatPad.js';
import { crossEntropyRow } from './crossEntropy.js';
import { dropoutRow } from './dropout.js';
import { embeddingRow } from './embedding.js';
import { geluRow } from './gelu.js';
import { gradientNormRow } from './gradientNorm.js';
import { hslFeaturesRow } from './hslFeatures.js';
import { layerNormRow } from './layerNorm.js';
import { linearRow } from './linear.js';
import { markNonFiniteRow } from './markNonFinite.js';
import { matmulRow } from './matmul.js';
import { padOrCropRow } from './padOrCrop.js';
import { rotaryRow } from './rotary.js';
import { sgdRow } from './sgd.js';
import { sliceRow } from './slice.js';
import { softmaxRow } from './softmax.js';
import { meanRow, sumRow } from './sum.js';
import { unaryRows } from './unary.js';

/**
 * Every op that is called by name, about in the order in which a byte passes through them. `addInto`, `contiguous` and the views are
 * recorded by `Program` itself. Contract tests, benchmarks and the README's table read
 * this list.
 */
export const registry: readonly OpRow[] = [
  hslFeaturesRow,
  embeddingRow,
  padOrCropRow,
  concatPadRow,
  linearRow,
  matmulRow,
  bmmRow,
  ...binaryRows,
  ...unaryRows,
  softmaxRow,
  sumRow,
  meanRow,
  concatRow,
  sliceRow,
  dropoutRow,
  layerNormRow,
  addLayerNormRow,
  rotaryRow,
  attentionRow,
  geluRow,
  crossEntropyRow,
  markNonFiniteRow,
  gradientNormRow,
  adamWRow,
  sgdRow,
];
