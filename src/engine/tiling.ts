import type { SubgroupMatrixConfig } from '../device/device.js';
import {
  type AdapterProfile,
  type Binding,
  type Dispatch,
  foldWorkgroups,
  MAX_WORKGROUPS,
  onePerWorkgroup,
  type Pass,
  subgroupExtensions,
} from './kernel.js';

/*
 * The division of matrix products and long sums into workgroups. Every product sums over k in ascending order, so all
 * agree to the bit unless a·b + c is contracted into one rounding, and a row of y has the same bits for every M. Only a
 * split product adds its parts in another order, and mixed precision rounds.
 */

/** y = A·B, one invocation for each number. */
export function productOneByOne(pass: Pass): Dispatch[] {
  const { M, N } = pass.params;
  return [product(pass, 'matmul', foldWorkgroups(Math.ceil((M! * N!) / 64)))];
}

/**
 * For the CPU device: a strip of b is packed once for ROWS rows, and k is processed in pieces whose strip fits the
 * fastest cache.
 */
export function productByRegisters(pass: Pass): Dispatch[] {
  return [product(pass, 'cpu/matmul.register', gridOf(pass.params, 128, 8), { ROWS: 128, DEPTH: 64 })];
}

/** The same for a transposed a, of which a piece is packed, too. */
export function productOfPacked(pass: Pass): Dispatch[] {
  const [x, y] = gridOf(pass.params, 64, 64);
  const COLUMNS = x * y < ENOUGH_FOR_THREADS ? 32 : 64;
  return [product(pass, 'cpu/matmul.packed', gridOf(pass.params, 64, COLUMNS), { ROWS: 64, COLUMNS, DEPTH: 32 })];
}

/** Workgroups below which a wide tile would leave threads of the CPU device without work. */
const ENOUGH_FOR_THREADS = 8;

/** For GPUs: tiles in workgroup memory. Every tile size sums in the same order. */
export function productByTiles(pass: Pass): Dispatch[] {
  const { M, N, K } = pass.params;
  const splits = splitsOf(pass);
  const { ROWS, COLUMNS } = tileFor(pass.params, splits);
  const [x, y] = gridOf(pass.params, ROWS, COLUMNS);
  const ALIGNED = Number([M!, N!, K!].every((size) => size % 4 === 0));
  return inSplits(pass, splits, (part) =>
    product(part, 'gpu/matmul.tiled', [x, y, splits], { ALIGNED, ROWS, COLUMNS }),
  );
}

/** For GPUs with matrix units. */
export function productOfMatrixUnits(pass: Pass): Dispatch[] {
  const { M, N, K } = matrixUnitsOf(pass.adapter)!;
  const splits = splitsOf(pass);
  // Tiles of 128 × 128, unless they would leave half of a GPU idle. AMD's compiler, whose subgroups have a size to be chosen, puts
  // more than 64 sums a lane into scratch memory.
  const { subgroupSize, subgroupSizeControl } = pass.adapter;
  const fits = !subgroupSizeControl || (4 * M * 4 * N) / subgroupSize <= 64;
  const BLOCKS = fits && (splits > 1 || tilesOf(pass.params) >= FILLS_A_GPU / 2) ? 4 : 2;
  const [x, y] = gridOf(pass.params, 2 * BLOCKS * M, 2 * BLOCKS * N);
  const matrix = { MATRIX_M: M, MATRIX_N: N, MATRIX_K: K, SUBGROUP: subgroupSize };
  // The tiles and four sums fit in the 16 KiB that every adapter has.
  const tile = { BLOCKS, DEPTH: BLOCKS === 4 ? 16 : 32, SCALE: pass.flags.gradient ? GRADIENT_SCALE : 1 };
  const units = 'chromium_experimental_subgroup_matrix';
  const extensions = ['f16', ...subgroupExtensions(pass.adapter), units] as const;
  return inSplits(pass, splits, (part) => ({
    ...product(part, 'gpu/matmul.subgroupMatrix', [x, y, splits], { ...matrix, ...tile }),
    extensions,
  }));
}

/**
 * A mean loss over thousands of bytes has gradients of 1e-4 and less; this scales them into the precise range of f16.
 */
const GRADIENT_SCALE = 4096;

/**
 * The matrices that mixed precision multiplies: f16 with float32 sums, 16 or 8 per side, the largest of the adapter.
 *
 * @returns undefined if it has none
 */
export function matrixUnitsOf(adapter: Pick<AdapterProfile, 'subgroupSize' | 'subgroupMatrix'>) {
  if (adapter.subgroupSize === 0) return undefined;
  const side = (size: number) => size === 8 || size === 16;
  return adapter.subgroupMatrix
    ?.filter((config) => config.componentType === 'f16' && config.resultComponentType === 'f32')
    .filter(({ M, N, K }) => side(M) && side(N) && side(K))
    .reduce<SubgroupMatrixConfig | undefined>((best, config) => {
      const { M, N, K } = config;
      return best === undefined || M * N * K > best.M * best.N * best.K ? config : best;
    }, undefined);
}

/** Do workgroups of `rows × columns` outputs cover y within the limit of a grid? */
export function gridFits(params: Pass['params'], rows: number, columns: number): boolean {
  return gridOf(params, rows, columns).every((count) => count <= MAX_WORKGROUPS);
}

function gridOf({ M, N }: Pass['params'], rows: number, columns: number): [number, number, number] {
  return [Math.ceil(N! / columns), Math.ceil(M! / rows), 1];
}

/** Number of 128 × 128 tiles that cover y. */
function tilesOf(params: Pass['params']): number {
  const [x, y] = gridOf(params, 128, 128);
  return x * y;
}

/** A dispatch with the interface that all products share: a, b, bias, y and the flags. */
function product(
  { bind, params, flags }: Pass,
  shader: string,
  workgroups: [number, number, number],
  more: Record<string, number> = {},
): Dispatch {
  const constants = {
    TRANSPOSE_A: Number(flags.transposeA ?? false),
    TRANSPOSE_B: Number(flags.transposeB ?? false),
    BIAS: Number(bind.bias !== undefined),
    ADD: Number(flags.add ?? false),
    ...more,
  };
  const { a, b, bias = b, y } = bind; // without a bias, b is bound in its place
  return { shader, constants, bind: { a: a!, b: b!, bias: bias!, y: y! }, params, workgroups };
}

/**
 * Tiles of `gpu/matmul.tiled`, and their speed on a multiprocessor that has enough of them: smaller ones load more for
 * each product. The speeds are estimates, not yet measured.
 */
const TILES = [
  { ROWS: 128, COLUMNS: 128, speed: 1 },
  { ROWS: 128, COLUMNS: 64, speed: 0.95 },
  { ROWS: 64, COLUMNS: 64, speed: 0.9 },
] as const;

/** Multiprocessors of a large GPU; WebGPU does not report their number. */
const MULTIPROCESSORS = 128;

/** Workgroups to keep a large GPU busy. An estimate, not yet measured. */
const FILLS_A_GPU = 2 * MULTIPROCESSORS;

/**
 * The tile whose waves end first: a multiprocessor takes tile after tile, and the last wave may leave most of them idle.
 *
 * tileFor({ M: 5120, N: 512 }) // 64 × 64: 640 tiles are 5 waves of them; 160 of 128 × 128 are 2 waves, with four times
 * the work each
 */
function tileFor(params: Pass['params'], splits: number): (typeof TILES)[number] {
  const time = ({ ROWS, COLUMNS, speed }: (typeof TILES)[number]) => {
    const [x, y] = gridOf(params, ROWS, COLUMNS);
    return (Math.ceil((x * y * splits) / MULTIPROCESSORS) * ROWS * COLUMNS) / speed;
  };
  return TILES.reduce((best, tile) => (time(tile) < time(best) ? tile : best));
}

/**
 * Minimum length of a part of k, so that summing the parts is cheap compared with the products. An estimate, not yet
 * measured.
 */
const SHORTEST_PART = 256;

/**
 * Number of parts of k: enough to fill a GPU. Only weight gradients (aᵀ·b) are split, since their sums are long and
 * their tiles few; other products stay whole, so that a row has the same result in a batch of any size.
 */
function splitsOf({ adapter, bind, params: { M, N, K }, flags }: Pass): number {
  if (!flags.transposeA || flags.transposeB || bind.bias !== undefined) return 1;
  const wanted = Math.floor(FILLS_A_GPU / tilesOf({ M: M!, N: N! }));
  const fitting = Math.floor(adapter.limits.maxStorageBufferBindingSize / (4 * M! * N!));
  return Math.max(1, Math.min(wanted, Math.floor(K! / SHORTEST_PART), fitting));
}

/** A whole product, or parts of k and their sum; the old y is added in the last step. */
function inSplits(pass: Pass, splits: number, whole: (pass: Pass) => Dispatch): Dispatch[] {
  if (splits === 1) return [whole(pass)];
  const { bind, params, flags } = pass;
  const [M, N] = [params.M!, params.N!];
  const partial = { storage: { label: 'parts of k', length: splits * M * N } }; // [splits, M, N]
  const finish = sumOfParts(partial, bind.y!, { M, N, Z: splits }, flags.add ?? false);
  return [whole({ ...pass, bind: { ...bind, y: partial }, flags: { ...flags, add: false } }), finish];
}

/** y [M, N] is the sum of Z parts [Z, M, N], or has it added. */
export function sumOfParts(
  partial: Binding,
  y: Binding,
  params: { readonly M: number; readonly N: number; readonly Z: number },
  add: boolean,
): Dispatch {
  const workgroups = foldWorkgroups(Math.ceil((params.M * params.N) / 64));
  return { shader: 'gpu/matmul.finish', constants: { ADD: Number(add) }, bind: { partial, y }, params, workgroups };
}

/** Rows that an invocation sums, one after another. */
export const CHUNK = 32;

/**
 * Sum the rows of x [M, N] in chunks of 32, the sums again in chunks of 32, and so on until at most 32 rows are left: no
 * invocation waits for more than 32 loads, one after the other.
 *
 * sumInChunks(x, 5120, N) // 160 rows, then 5, in two dispatches
 *
 * @returns the dispatches, and their last sums [rows, N]; none, and x itself, if M is 32 or less
 */
export function sumInChunks(
  x: Binding,
  M: number,
  N: number,
  level = 1,
): { dispatches: Dispatch[]; rows: number; sums: Binding } {
  if (M <= CHUNK) return { dispatches: [], rows: M, sums: x };
  const rows = Math.ceil(M / CHUNK);
  const partial = { storage: { label: `sums ${level}`, length: rows * N } };
  const workgroups = Math.ceil(N / 64) * rows;
  const dispatch = onePerWorkgroup('gpu/sumRows.split', workgroups, 64, { x, partial }, { M, N }, { ROWS: CHUNK });
  const rest = sumInChunks(partial, rows, N, level + 1);
  return { ...rest, dispatches: [dispatch, ...rest.dispatches] };
}
