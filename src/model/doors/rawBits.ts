import { concat } from '../../engine/ops/concat.js';
import { embedding } from '../../engine/ops/embedding.js';
import type { Program } from '../../engine/program.js';
import type { Tensor } from '../../engine/tensor.js';
import { bitOf, VOCABULARY } from '../../substrate/channels.js';
import { type DoorDefinition, sideBySide } from './definition.js';
import { rowsBefore } from './embeddings.js';

/** Number of bits of a byte. */
const BITS = 8;

/** Eight raw bits a byte, 0 or 1, the most significant first; MASK and EOS have zeros. Without HSL. */
export const bits: DoorDefinition = {
  parameters: () => [],
  columns: () => BITS,
  build: (config) => sideBySide(config, (ids) => embedding(bitTable(ids.program), ids)),
};

/** The eight bits of the byte, then the eight of the previous byte, in the same row: HSL's context without HSL. */
export const bitsWithContext: DoorDefinition = {
  parameters: () => [],
  columns: () => 2 * BITS,
  build: (config) =>
    sideBySide(config, (ids) => {
      const table = bitTable(ids.program);
      return concat([embedding(table, ids), rowsBefore(table, ids)], -1); // [B, L, 16]
    }),
};

/** [258, 8]: row v has the bits of byte v. */
function bitTable(program: Program): Tensor {
  const table = Float32Array.from({ length: VOCABULARY * BITS }, (_, i) => {
    const v = Math.floor(i / BITS);
    return v > 255 ? 0 : bitOf(v, i % BITS);
  });
  return program.constant('raw bits', [VOCABULARY, BITS], table);
}
