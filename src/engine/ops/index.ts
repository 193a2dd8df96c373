import type { OpRow } from '../registry.js';
import { adamWRow } from './adamW.js';
import { addLayerNormRow } from './addLayerNorm.js';
import { attentionRow } from './attention.js';
import { binaryRows } from './binary.js';
import { bmmRow } from './bmm.js';
import { concatRow } from './concat.js';
import { crossEntropyRow } from './crossEntropy.js';
import { dropoutRow } from './dropout.js';
import { fitRowsRow } from './fitRows.js';
import { gatherRowsRow } from './gatherRows.js';
import { geluRow } from './gelu.js';
import { gradientNormRow } from './gradientNorm.js';
import { hslFeaturesRow } from './hslFeatures.js';
import { joinRow } from './join.js';
import { layerNormRow } from './layerNorm.js';
import { linearRow } from './linear.js';
import { matmulRow } from './matmul.js';
import { rotaryRow } from './rotary.js';
import { sgdRow } from './sgd.js';
import { sliceRow } from './slice.js';
import { softmaxRow } from './softmax.js';
import { meanRow, sumRow } from './sum.js';
import { unaryRows } from './unary.js';

/**
 * Every op, in the order in which a byte passes through them. Contract tests, benchmarks and the README's table read
 * this list.
 */
export const registry: readonly OpRow[] = [
  hslFeaturesRow,
  gatherRowsRow,
  fitRowsRow,
  joinRow,
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
  gradientNormRow,
  adamWRow,
  sgdRow,
];
