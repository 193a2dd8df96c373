import { concat } from '../../engine/ops/concat.js';
import { embedding } from '../../engine/ops/embedding.js';
import type { Tensor } from '../../engine/tensor.js';
import { MASK, VOCABULARY } from '../../substrate/channels.js';
import type { DecoderConfig } from '../config.js';
import { DEVIATION, type DoorDefinition, type DoorParameter, packSlots } from './definition.js';

/** Columns of one byte of a slot: `⌊dim / K⌋`. */
function slotWidth({ dim, K }: DecoderConfig): number {
  return Math.floor(dim / K);
}

function table(name: string, width: number): DoorParameter {
  return { name: `${name}.weight`, shape: [VOCABULARY, width], init: DEVIATION };
}

/**
 * One table for slots and stream: a slot has the first ⌊dim/K⌋ columns of each of its bytes, a stream row all of them.
 */
export const bytes: DoorDefinition = {
  parameters: ({ dim }) => [table('embedding', dim)],
  columns: () => undefined,
  build(config, parameters) {
    const weight = parameters.get('door.embedding.weight')!;
    return {
      slots: (ids) => packSlots(embedding(weight, ids, slotWidth(config)), config.K),
      stream: (ids) => embedding(weight, ids),
    };
  },
};

/**
 * A table of ⌊dim/K⌋ columns for the bytes of slots, and one of dim columns for the stream.
 *
 * @see Yu et al. 2023, MegaByte, arXiv:2305.07185: patches are embeddings of dim/K columns side by side
 */
export const bytesUntied: DoorDefinition = {
  parameters: (config) => [table('slotBytes', slotWidth(config)), table('streamBytes', config.dim)],
  columns: () => undefined,
  build({ K }, parameters) {
    const look = (name: string, ids: Tensor) => embedding(parameters.get(`door.${name}.weight`)!, ids);
    return {
      slots: (ids) => packSlots(look('slotBytes', ids), K),
      stream: (ids) => look('streamBytes', ids),
    };
  },
};

/**
 * Like `bytesUntied`, but each byte's row is the sum of two embeddings: of the byte, and of the previous byte. So a
 * learned embedding has the context of HSL's context columns. MASK precedes the first byte.
 */
export const bytesPrevious: DoorDefinition = {
  parameters: (config) => [
    table('slotBytes', slotWidth(config)),
    table('slotPrevious', slotWidth(config)),
    table('streamBytes', config.dim),
    table('streamPrevious', config.dim),
  ],
  columns: () => undefined,
  build({ K }, parameters) {
    const both = (part: 'slot' | 'stream', ids: Tensor) => {
      const weight = (name: string) => parameters.get(`door.${part}${name}.weight`)!;
      return embedding(weight('Bytes'), ids).add(rowsBefore(weight('Previous'), ids));
    };
    return { slots: (ids) => packSlots(both('slot', ids), K), stream: (ids) => both('stream', ids) };
  },
};

/**
 * The table's row of the byte before each id: y[b, 0] = table[MASK], y[b, t] = table[ids[b, t − 1]].
 *
 * @param table [R, C], R above MASK   @param ids [B, L] u32, L at least 1
 * @returns [B, L, C]
 */
export function rowsBefore(table: Tensor, ids: Tensor): Tensor {
  const [B, L] = ids.shape as [number, number];
  const mask = table.program.constant('no byte before', [B, 1], new Uint32Array(B).fill(MASK));
  const first = embedding(table, mask); // [B, 1, C]
  return L === 1 ? first : concat([first, embedding(table, ids).slice(1, 0, L - 1)], 1);
}
