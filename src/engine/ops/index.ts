import type { OpRow } from '../registry.js';
import { adamWRow } from './adamW.js';
import { addRow } from './add.js';
import { addLayerNormRow } from './addLayerNorm.js';
import { attentionRow } from './attention.js';
import { crossEntropyRow } from './crossEntropy.js';
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
import { sliceRowsRow } from './sliceRows.js';

/** Every op, in the order a byte meets them. Contract tests, benchmarks and the README's table read this list. */
export const registry: readonly OpRow[] = [
  hslFeaturesRow,
  gatherRowsRow,
  fitRowsRow,
  joinRow,
  linearRow,
  matmulRow,
  addRow,
  layerNormRow,
  addLayerNormRow,
  rotaryRow,
  attentionRow,
  geluRow,
  sliceRowsRow,
  crossEntropyRow,
  gradientNormRow,
  adamWRow,
];
