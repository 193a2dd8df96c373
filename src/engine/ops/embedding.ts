import { ShapeError } from '../../common/errors.js';
import { lastOf } from '../../common/shape.js';
import { onePerInvocation } from '../kernel.js';
import { kernelsFor } from '../kernelTable.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';

/**
 * Look rows of a table up: `y[n, w] = table[ids[n], w]`, an embedding.
 *
 * @param table [R, C]   @param ids [...] u32, below R   @param width number of leading columns to take; default all C
 * @returns [..., width], a new tensor
 * @throws ShapeError when table is not a matrix, ids are not u32, or width is no whole number up to C
 */
export function embedding(table: Tensor, ids: Tensor, width = lastOf(table.shape)): Tensor {
  return table.program.record(embeddingForward, [table, ids], { width })[0]!;
}

function embeddingReference(table: Value, ids: Value, W: number): Float64Array {
  const C = lastOf(table.shape);
  const y = new Float64Array(ids.data.length * W);
  ids.data.forEach((id, n) => {
    for (let w = 0; w < W; w++) y[n * W + w] = table.data[id * C + w]!;
  });
  return y;
}

const embeddingForward: Op<{ width: number }> = {
  name: 'embedding.forward',
  formula: 'y[n,w] = table[ids[n], w]',
  inputs: ['table', { name: 'ids', dtype: 'u32', idLimit: ([table]) => table!.shape[0]! }],
  outputs: ['y'],
  shape([table, ids], { width }) {
    if (table!.shape.length !== 2 || !Number.isInteger(width) || width < 0 || width > lastOf(table!.shape)) {
      const rule = `table must be [R, C] with C of at least width (${width}), a whole number`;
      throw new ShapeError('embedding', rule, { table: table!, ids: ids! });
    }
    return [{ shape: [...ids!.shape, width] }];
  },
  reference: ([table, ids], { width }) => [embeddingReference(table!, ids!, width)],
  dispatches({ tensors, attributes: { width: W } }) {
    const [R, C] = tensors.table!.shape as [number, number];
    const N = tensors.ids!.size;
    return [onePerInvocation('embedding.forward', N * W, tensors, { N, R, C, W })];
  },
  backward({ inputs: [table, ids], attributes, gradients: [dY], accumulator }) {
    if (!table!.requiresGradient) return;
    const { program } = table!;
    program.record(embeddingBackward, [ids!, dY!], { ...attributes, R: table!.shape[0]!, C: lastOf(table!.shape) }, [
      accumulator(table!),
    ]);
  },
};

/** y copies rows of the table, so dTable adds every row of dY to its row of the table. */
function embeddingBackwardReference(ids: Value, dY: Value, R: number, C: number, W: number): Float64Array {
  const dTable = new Float64Array(R * C);
  ids.data.forEach((id, n) => {
    for (let w = 0; w < W; w++) dTable[id * C + w]! += dY.data[n * W + w]!;
  });
  return dTable;
}

const embeddingBackward: Op<{ width: number; R: number; C: number }> = {
  name: 'embedding.backward',
  formula: 'dTable[r] += Σ_{n: ids[n] = r} dY[n]',
  inputs: [{ name: 'ids', dtype: 'u32', idLimit: (_, { R }) => R }, 'dY'],
  outputs: ['dTable'],
  existing: { dTable: 'accumulates' },
  shape: (_, { R, C }) => [{ shape: [R, C] }],
  reference: ([ids, dY], { R, C, width }) => [embeddingBackwardReference(ids!, dY!, R, C, width)],
  dispatches({ adapter, tensors, attributes: { R, C, width: W } }) {
    const sizes = { N: tensors.ids!.size, R, C, W };
    return kernelsFor('embedding.backward', adapter, tensors, sizes);
  },
};

export const embeddingRow: OpRow = {
  name: 'embedding',
  passes: ['embedding.forward', 'embedding.backward'],
  samples: [
    {
      name: 'ids = n',
      inputs: () => ({ table: [11, 24] }),
      ids: (n) => ({ ids: { shape: [2, n], idLimit: 11 } }),
      call: (x) => [embedding(x.table!, x.ids!)],
    },
    {
      name: 'the first 5 of n + 4 columns',
      inputs: (n) => ({ table: [6, n + 4] }),
      ids: () => ({ ids: { shape: [9], idLimit: 6 } }),
      call: (x) => [embedding(x.table!, x.ids!, 5)],
    },
  ],
};
