import { integers, normals } from '../../src/common/random.js';
import { attention } from '../../src/engine/ops/attention.js';
import { embedding } from '../../src/engine/ops/embedding.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { layerNorm } from '../../src/engine/ops/layerNorm.js';
import { matmul } from '../../src/engine/ops/matmul.js';
import { rotary, rotaryTable } from '../../src/engine/ops/rotary.js';
import { softmax } from '../../src/engine/ops/softmax.js';
import { sum } from '../../src/engine/ops/sum.js';
import type { Program } from '../../src/engine/program.js';
import type { Tensor } from '../../src/engine/tensor.js';

/** Numbers for the inputs of a puzzle's op. */
export type Feeds = Map<Tensor, Float32Array | Uint32Array>;

/** A kernel of ours with a hole. The solution is the kernel itself. */
export interface Puzzle {
  readonly title: string;
  /** the file in shaders/ without `.wgsl` */
  readonly shader: string;
  readonly kernels: 'readable' | 'gpu';
  /** removed parts of the kernel: from the line that contains the first text to the one with the second */
  readonly holes: readonly (readonly [from: string, to: string])[];
  /** true hides the place of the hole */
  readonly isHidden?: boolean;
  readonly task: string;
  readonly hint: string;
  /** tolerance, in float32 roundings of the largest; default 64 */
  readonly roundings?: number;
  /** sizes to try */
  readonly sizes: readonly number[];
  /** Record the op that runs the kernel. */
  readonly record: (program: Program, n: number, feeds: Feeds) => void;
}

/** An input of normally distributed numbers. */
function input(program: Program, feeds: Feeds, name: string, shape: readonly number[], scale = 1): Tensor {
  const tensor = program.input(name, shape);
  feeds.set(
    tensor,
    normals(7, name, tensor.size).map((x) => x * scale),
  );
  return tensor;
}

/** Ten of them, easy to hard. */
export const PUZZLES: readonly Puzzle[] = [
  {
    title: 'Copy a row',
    shader: 'embedding.forward',
    kernels: 'readable',
    holes: [['let row = min(', 'y[i] = table']],
    task: 'Every invocation writes one number of `y`: y[n, w] = table[ids[n], w]. `i` is n · W + w. Find n and w from `i`, and copy the number.',
    hint: 'n is `i / params.W` and w is `i % params.W`. Row r of the table begins at `r * params.C`.',
    sizes: [3, 65],
    record(program, n, feeds) {
      const ids = program.input('ids', [n], 'u32');
      feeds.set(ids, integers(7, 'ids', n, 11));
      embedding(input(program, feeds, 'table', [11, 6]), ids);
    },
  },
  {
    title: 'An activation',
    shader: 'gelu.forward',
    kernels: 'readable',
    holes: [['let t = tanh(', 'y[i] = 0.5']],
    task: 'Write `y[i]` = x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))). Large x must not overflow.',
    hint: '√(2/π) is 0.7978845608. tanh of 10 is 1 in float32 already: clamp its argument to −10 … 10.',
    sizes: [5, 70],
    record: (program, n, feeds) => void gelu(input(program, feeds, 'u', [n], 3)),
  },
  {
    title: 'The guard',
    shader: 'softmax.forward',
    kernels: 'readable',
    holes: [['if (n >= params.N) { return; }', 'if (n >= params.N) { return; }']],
    isHidden: true,
    task: 'This kernel gives the right numbers on most devices, and still has a fault. Press Check, read what the checker found, and add the line that is missing.',
    hint: 'A workgroup always has 64 invocations. What does the last workgroup do where N is not a multiple of 64?',
    sizes: [5, 66],
    record: (program, n, feeds) => void softmax(input(program, feeds, 'x', [n, 4])),
  },
  {
    title: 'A dot product',
    shader: 'matmul',
    kernels: 'readable',
    holes: [['for (var k = 0u; k < params.K; k++) {', '  }']],
    task: 'Sum A[m, k] · B[k, n] over k in ascending order. `aAt` and `bAt` are where the first factors are, `aStep` and `bStep` how far it is to the next.',
    hint: 'A loop over k from 0 to `params.K`: add `a[aAt] * b[bAt]` to `sum`, then move both indices by their steps.',
    sizes: [3, 9],
    record: (program, n, feeds) => void matmul(input(program, feeds, 'a', [n, 7]), input(program, feeds, 'b', [7, 5])),
  },
  {
    title: 'Mean and variance',
    shader: 'layerNorm.forward',
    kernels: 'readable',
    holes: [['var total = 0.0;', 'let scale = 1.0']],
    task: 'Compute `center`, the mean of row n, and `scale` = 1 / √(variance + eps). The mean may be large compared with the spread.',
    hint: 'Two loops: the sum of the row, then the sum of (x − center)². The mean of squares minus the square of the mean would cancel.',
    roundings: 2048, // the mean itself is rounded to 100 · 2^-24
    sizes: [4, 33],
    record(program, n, feeds) {
      const x = program.input('x', [3, n]);
      feeds.set(
        x,
        normals(7, 'x', x.size).map((value) => 100 + value),
      );
      layerNorm(x, input(program, feeds, 'weight', [n]), input(program, feeds, 'bias', [n]));
    },
  },
  {
    title: 'A softmax that does not overflow',
    shader: 'softmax.forward',
    kernels: 'readable',
    holes: [['var largest = x[row];', 'y[row + c] = ']],
    task: 'Write exp(x[n, c]) / Σ exp(x[n, c]) for row n, whose first number is `x[row]`. Some of the numbers are in the hundreds.',
    hint: 'exp(100) is more than float32 holds. Dividing both by exp of the largest number of the row changes nothing but that.',
    sizes: [4, 31],
    record: (program, n, feeds) => void softmax(input(program, feeds, 'x', [3, n], 100)),
  },
  {
    title: 'A sum with a barrier',
    shader: 'sum',
    kernels: 'readable',
    holes: [['partial[lane] = sum;', '    y[at] = all']],
    task: 'Every lane has summed its share. Put the sums into `partial`, and let lane 0 add them in order of k and write `y[at] = all / params.divisor`. Open an `if` for it: its closing brace is below your lines.',
    hint: 'Lane 0 may only read `partial` when every lane has written its own: `workgroupBarrier()` holds all of them until then.',
    sizes: [5, 130],
    record: (program, n, feeds) => void sum(input(program, feeds, 'x', [3, n]), 1),
  },
  {
    title: 'Turn a pair',
    shader: 'rotary.forward',
    kernels: 'readable',
    holes: [['q[toQ] = ', 'k[toK + HALF] = ']],
    task: 'Turn the pairs of `q` and of `k` by the angle of their position: (u, w) becomes (u·cos − w·sin, w·cos + u·sin). `q0`, `q1` are a pair of `q`; the pair of `k` starts at `qkv[source + C]`.',
    hint: '`q[toQ]` and `q[toQ + HALF]` are the two numbers of the pair. The pair of `k` goes to `k[toK]` and `k[toK + HALF]`; read its pair before you write.',
    sizes: [3, 5],
    record(program, n, feeds) {
      const table = program.constant('table', [n, 4], rotaryTable(n, 4));
      const position = program.constant('position', [1], new Uint32Array(1));
      rotary(input(program, feeds, 'qkv', [1, n, 24]), table, position, 2);
    },
  },
  {
    title: 'Find the race',
    shader: 'gpu/matmul.tiled',
    kernels: 'gpu',
    holes: [
      ['workgroupBarrier(); // both tiles', 'workgroupBarrier(); // both tiles'],
      ['workgroupBarrier(); // all have', 'workgroupBarrier(); // all have'],
    ],
    isHidden: true,
    task: 'The tiled matrix product for GPUs, with a fault: lanes race for the tiles. Let the checker find it, step to it, and put right what is missing. It takes two lines.',
    hint: 'One wait is needed after a tile is staged and before it is read; another after it was read and before the next one replaces it.',
    sizes: [9],
    record: (program, n, feeds) =>
      void matmul(input(program, feeds, 'a', [n, 20]), input(program, feeds, 'b', [20, 6])),
  },
  {
    title: 'Attention in one pass',
    shader: 'attention.forward',
    kernels: 'readable',
    holes: [['let largest = max(maximum, score);', 'output[d] = output[d] * shrink']],
    task: '`score` is the product of the query and key j. Update `maximum`, `total` = Σ exp(score − maximum) and `output` = Σ exp(score − maximum) · v[j], where the maximum may grow from key to key.',
    hint: 'When the maximum grows by Δ, all that was summed before is too large by exp(Δ): multiply it by exp(old − new) first.',
    sizes: [3, 9],
    record(program, n, feeds) {
      const position = program.constant('position', [1], new Uint32Array(1));
      const [q, k, v] = ['q', 'k', 'v'].map((name) => input(program, feeds, name, [1, 2, n, 4], 3));
      attention(q!, k!, v!, position, 2);
    },
  },
];

/** Line numbers of a hole, counted from 0: the last one included. @throws Error when the text does not contain it */
function linesOf(lines: readonly string[], [from, to]: Puzzle['holes'][number]): [first: number, last: number] {
  const first = lines.findIndex((line) => line.includes(from));
  const last = first + lines.slice(first).findIndex((line) => line.includes(to));
  if (first < 0 || last < first) throw new Error(`no lines from ${JSON.stringify(from)} to ${JSON.stringify(to)}`);
  return [first, last];
}

/** The kernel with its holes, each marked by a comment unless they are to be found. @param text the kernel */
export function withHoles(
  { holes, isHidden }: Pick<Puzzle, 'holes' | 'isHidden'>,
  text: string,
  filling?: readonly string[],
): string {
  const lines = text.split('\n');
  for (const [i, hole] of [...holes.entries()].reverse()) {
    const [first, last] = linesOf(lines, hole);
    const indent = /^ */.exec(lines[first]!)![0];
    const marker = isHidden ? [] : [`${indent}// your lines`];
    lines.splice(first, last - first + 1, ...(filling === undefined ? marker : [filling[i]!]));
  }
  return lines.join('\n');
}

/** The initial text of a reader's own kernel: one with a race. */
export const OWN_KERNEL = `// A kernel of your own: x has 64 numbers, 0 to 63, y has room for 64. Only the checker judges it.
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

var<workgroup> tile: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) {
  tile[i] = x[i];
  y[i] = tile[63u - i];
}
`;
