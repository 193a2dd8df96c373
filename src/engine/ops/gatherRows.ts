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
 * @param table [R, C]   @param ids [...] u32, below R   @param width how many of the first columns to take; default all C
 * @returns [..., width], a new tensor
 * @throws ShapeError when table is not a matrix, ids are not u32, or width is no whole number up to C
 */
export function gatherRows(table: Tensor, ids: Tensor, width = lastOf(table.shape)): Tensor {
  return table.program.record(gatherRowsForward, [table, ids], { width })[0]!;
}

function gatherRowsReference(table: Value, ids: Value, W: number): Float64Array {
  const C = lastOf(table.shape);
  const y = new Float64Array(ids.data.length * W);
  ids.data.forEach((id, n) => {
    for (let w = 0; w < W; w++) y[n * W + w] = table.data[id * C + w]!;
  });
  return y;
}

const gatherRowsForward: Op<{ width: number }> = {
  name: 'gatherRows.forward',
  formula: 'y[n,w] = table[ids[n], w]',
  inputs: ['table', { u32: 'ids', below: ([table]) => table!.shape[0]! }],
  outputs: ['y'],
  shape([table, ids], { width }) {
    if (table!.shape.length !== 2 || !Number.isInteger(width) || width < 0 || width > lastOf(table!.shape)) {
      throw new ShapeError('gatherRows', `table must be [R, C] with C of at least width (${width}), a whole number`, {
        table: table!.shape,
        ids: ids!.shape,
      });
    }
    return [{ shape: [...ids!.shape, width] }];
  },
  reference: ([table, ids], { width }) => [gatherRowsReference(table!, ids!, width)],
  kernels({ inputs, outputs, attributes: { width: W } }) {
    const [R, C] = inputs.table!.shape as [number, number];
    const N = inputs.ids!.size;
    return [onePerInvocation('gatherRows.forward', N * W, { ...inputs, ...outputs }, { N, R, C, W })];
  },
  backward({ inputs: [table, ids], attributes, gradients: [dY], wants, into }) {
    if (!wants(table!)) return;
    const { program } = table!;
    program.record(gatherRowsBackward, [ids!, dY!], { ...attributes, R: table!.shape[0]!, C: lastOf(table!.shape) }, [
      into(table!),
    ]);
  },
};

/** y copies rows of the table, so dTable adds every row of dY where it came from. */
function gatherRowsBackwardReference(ids: Value, dY: Value, R: number, C: number, W: number): Float64Array {
  const dTable = new Float64Array(R * C);
  ids.data.forEach((id, n) => {
    for (let w = 0; w < W; w++) dTable[id * C + w]! += dY.data[n * W + w]!;
  });
  return dTable;
}

const gatherRowsBackward: Op<{ width: number; R: number; C: number }> = {
  name: 'gatherRows.backward',
  formula: 'dTable[r] += Σ_{n: ids[n] = r} dY[n]',
  inputs: [{ u32: 'ids', below: (_, { R }) => R }, 'dY'],
  outputs: [{ adds: 'dTable' }],
  shape: (_, { R, C }) => [{ shape: [R, C] }],
  reference: ([ids, dY], { R, C, width }) => [gatherRowsBackwardReference(ids!, dY!, R, C, width)],
  kernels({ adapter, inputs, outputs, attributes: { R, C, width: W } }) {
    const sizes = { N: inputs.ids!.size, R, C, W };
    return kernelsFor('gatherRows.backward', adapter, { ...inputs, ...outputs }, sizes);
  },
};

export const gatherRowsRow: OpRow = {
  name: 'gatherRows',
  shaders: ['gatherRows.forward', 'gatherRows.backward'],
  samples: [
    {
      name: 'ids = n',
      inputs: () => ({ table: [11, 24] }),
      ids: (n) => ({ ids: { shape: [2, n], below: 11 } }),
      call: (x) => [gatherRows(x.table!, x.ids!)],
    },
    {
      name: 'the first 5 of n + 4 columns',
      inputs: (n) => ({ table: [6, n + 4] }),
      ids: () => ({ ids: { shape: [9], below: 6 } }),
      call: (x) => [gatherRows(x.table!, x.ids!, 5)],
    },
  ],
};
