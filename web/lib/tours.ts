/** One stop of a tour: the steps to it, and its text. */
export interface TourStop {
  readonly say: string;
  /** run until the chosen lane is at the line that contains this text, which one line of the kernel does */
  readonly to?: string;
  readonly move?: 'barrier' | 'end';
  /** the lane to show */
  readonly lane?: number;
}

/** Guided tours by kernel. */
export const TOURS: Readonly<Record<string, readonly TourStop[]>> = {
  matmul: [
    {
      to: 'let m = at / params.N',
      lane: 1,
      say: 'A lane is one invocation of the kernel. Each of the 64 lanes of this workgroup computes one number of `y`, and `at` says which. Neighbouring lanes have neighbouring numbers of a row of `y`.',
    },
    {
      to: 'var sum = 0.0',
      say: '`m` and `n` are the row and the column of `y`. `aAt` and `bAt` say where its first factors are, `aStep` and `bStep` how far it is to the next ones. This is a layer: its weights are stored as [N, K] and `TRANSPOSE_B` is 1, so both steps are 1 and the lane reads both along rows. With `b` stored as [K, N], b[k, n] and b[k + 1, n] are in different rows: `bStep` would be N, and the lane would walk down a column.',
    },
    {
      to: 'aAt += aStep;',
      say: 'Every lane has now read one number of `a` and one of `b`, marked in the pictures below. Lanes of one row of `y` read the same number of `a`. Each needs a number of `b` of its own.',
    },
    {
      to: 'sum += a[aAt] * b[bAt]',
      say: '`k` is 1: each lane is about to read the next factors. The products are added in ascending order of `k`, so the bits of the sum are always the same.',
    },
    { to: 'y[at] = sum', say: 'The sum is complete, and the lane is about to write it.' },
    {
      move: 'end',
      say: 'The workgroup has ended: 64 numbers of `y` are there. Every lane read all of its factors from storage, although its neighbours read many of the same ones. The tiled kernel loads them once for a whole tile.',
    },
  ],
  'gpu/matmul.tiled': [
    {
      to: 'stage(lane, fetched)',
      say: 'Each lane has fetched one 4 × 4 block of `a` or of `b` into variables of its own. No other lane can see those, so the next step copies them to workgroup memory: `aTile` and `bTile`.',
    },
    {
      move: 'barrier',
      say: 'Every lane has written its block and waits. Without this barrier a fast lane would read parts of the tiles that a slow lane has not written yet.',
    },
    {
      to: 'topLeft += outer(top, left)',
      say: 'Each lane has read four vectors that other lanes staged. They are enough for 64 products: numbers come from storage once, and are used many times from workgroup memory.',
    },
    {
      move: 'barrier',
      say: 'All wait again, before the next blocks replace the tiles. Without this barrier a fast lane would overwrite numbers that a slow lane has yet to read.',
    },
    { move: 'end', say: 'The workgroup has ended: its tile of `y` is there.' },
  ],
  'attention.forward': [
    {
      to: 'var query: array<f32, HEAD_DIM>',
      say: 'One lane per query: a position that looks at others. `limit` is the number of keys that it may see: all slots, and the stream up to itself.',
    },
    {
      to: 'let largest = max(maximum, score)',
      say: '`score` is the product of this query with key `j`. The marks below show which numbers of `k` were read: every lane reads the same key.',
    },
    {
      to: 'output[d] = output[d] * shrink',
      say: '`p` is exp(score − largest). The largest score so far is subtracted, so that exp gets at most 0 and cannot overflow. When a larger one comes, `shrink` scales down what was summed before.',
    },
    {
      to: 'var score = 0.0',
      say: 'The next key. `output` holds the sum of p · v so far, and `total` the sum of p.',
    },
    {
      move: 'end',
      say: '`output` divided by `total` is the attention of each query. `lse` is kept: the backward pass gets every p back from it.',
    },
  ],
  'layerNorm.forward': [
    { to: 'var total = 0.0', say: 'One lane per row of `x`. A lane past the last row has returned.' },
    {
      to: 'let center = ',
      say: '`total` is the sum of the row: the lane has read every number of it, one after another.',
    },
    {
      to: 'let scale = ',
      say: '`squares` is the sum of squared distances from the mean. It is computed in a second pass, since the mean of squares minus the square of the mean would cancel.',
    },
    { move: 'end', say: 'The third pass has written `y`. `mean` and `rstd` are kept for the backward pass.' },
  ],
  'hslFeatures.forward': [
    {
      to: 'let v = ids[n]',
      say: 'One lane per byte. It has found out that its id is a byte: MASK and EOS have no channels.',
    },
    {
      to: 'let starts = ',
      say: 'dxor is the Gray code of the byte, `v ^ (v >> 1)`. `previous` is the byte before; the first byte of a sequence departs from 0.',
    },
    {
      to: 'var numerator = ',
      say: 'd2xor is the Gray code XOR that of the byte before. The boundary channel is a mean over both, and `numerator` counts its ones.',
    },
    {
      to: 'let kept = ',
      say: 'Channel 0: its bits are looked up in a table of exact float32 values. No channel depends on a sine or a division of the device.',
    },
    {
      move: 'end',
      say: 'Each byte has its channels. They are written as bits of float32, so `y` is shown as whole numbers here.',
    },
  ],
};

/** Where each tour begins: an op, and the kind of its kernels. */
export const TOUR_STARTS = [
  { name: 'matrix product', op: 'linear.forward', kernels: 'readable' },
  { name: 'tiled product', op: 'linear.forward', kernels: 'gpu' },
  { name: 'attention', op: 'attention.forward', kernels: 'readable' },
  { name: 'LayerNorm', op: 'layerNorm.forward', kernels: 'readable' },
  { name: 'channels', op: 'hslFeatures.forward', kernels: 'readable' },
] as const;

/** The step that begins a tour; undefined if there is none of that name. */
export function tourNamed(name: string | null) {
  const start = TOUR_STARTS.find((each) => each.name === name);
  return start && { op: start.op, kernels: start.kernels, isTour: true };
}

/** The number of the line that contains a text, counted from 1. @throws Error unless exactly one line does */
export function lineWith(text: string, part: string): number {
  const lines = text.split('\n').flatMap((line, i) => (line.replace(/\/\/.*/, '').includes(part) ? [i + 1] : []));
  if (lines.length !== 1) throw new Error(`${lines.length} lines contain ${JSON.stringify(part)}, not one`);
  return lines[0]!;
}
