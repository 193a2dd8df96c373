import { InputError } from '../errors.js';
import {
  type AdapterProfile,
  type Extension,
  foldWorkgroups,
  MAX_WORKGROUPS,
  type SubgroupMatrixConfig,
} from '../kernel.js';

/**
 * How a and b lie in memory; y is always [M, N].
 *
 * - `nn` y = a[M, K] · b[K, N]
 * - `nt` y = a[M, K] · b[N, K]ᵀ
 * - `tn` y = a[K, M]ᵀ · b[K, N]
 */
export type MatmulForm = 'nn' | 'nt' | 'tn';

/** Tensors by the part they play: `partial` is scratch memory between two dispatches. */
export type MatmulRole = 'a' | 'b' | 'bias' | 'y' | 'partial';

/** One dispatch of a matrix product, complete but for the tensors. */
export interface MatmulChoice {
  readonly shader: string;
  readonly constants: Record<string, number>;
  readonly features: Extension[];
  readonly workgroups: [number, number, number];
  readonly params: Record<string, number>;
  /** which tensor goes to which variable of the shader */
  readonly bind: Record<string, MatmulRole>;
  /** float32 elements of `partial`, 0 when it is not bound */
  readonly scratch: number;
}

/** What a product ends with, and what chooses its kernel beside adapter and shape. */
export interface MatmulOptions {
  /** add bias[n] to every row */
  readonly bias?: boolean;
  /** add into y instead of overwriting it */
  readonly add?: boolean;
  /** a holds gradients, which mixed precision scales */
  readonly gradient?: boolean;
  /** the caller can bind scratch memory, so k may be split into two dispatches; only `tn` is */
  readonly split?: boolean;
  /** the shader to take, whatever suits the adapter: `matmul.1-naive` */
  readonly force?: string;
}

type Profile = Pick<
  AdapterProfile,
  'kind' | 'driver' | 'subgroupSize' | 'limits' | 'variant' | 'precision' | 'subgroupMatrix'
>;

interface Problem {
  readonly adapter: Profile;
  readonly form: MatmulForm;
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly options: MatmulOptions;
}

/** A numbered variant: whether the adapter can run it, whether it is the one to take there, and its dispatches. */
interface Variant {
  readonly shader: string;
  readonly runs: (problem: Problem) => boolean;
  readonly suits: (problem: Problem) => boolean;
  readonly dispatches: (problem: Problem) => MatmulChoice[];
}

const naive: Variant = {
  shader: 'matmul.1-naive',
  runs: () => true,
  suits: () => true,
  dispatches: (problem) => [product(problem, naive.shader, foldWorkgroups(Math.ceil((problem.M * problem.N) / 64)))],
};

/** For the CPU device: a strip of b is packed once for ROWS rows, and k is taken in pieces whose strip fits the fastest cache. */
const register: Variant = {
  shader: 'matmul.2-register',
  runs: (problem) => problem.adapter.subgroupSize === 4 && gridFits(problem, REGISTER_ROWS, 8),
  suits: ({ adapter, M }) => adapter.driver === 'wasm' && M > 1,
  dispatches: (problem) => {
    const constants = { ROWS: REGISTER_ROWS, DEPTH: 256 };
    return [product(problem, register.shader, gridOf(problem, REGISTER_ROWS, 8), constants)];
  },
};

const REGISTER_ROWS = 64;

/** For GPUs. Every tile size sums in the same order, so a row's bits do not depend on M. */
const tiled: Variant = {
  shader: 'matmul.3-tiled',
  runs: (problem) => gridFits(problem, 64, 64),
  suits: ({ adapter }) => adapter.driver !== 'wasm',
  dispatches: (problem) => {
    const { M, N, K } = problem;
    const layers = layersFor(problem);
    const { ROWS, COLUMNS } = tileFor(problem, layers);
    const [x, y] = gridOf(problem, ROWS, COLUMNS);
    const ALIGNED = Number([M, N, K].every((size) => size % 4 === 0));
    return inLayers(problem, layers, (part) => product(part, tiled.shader, [x, y, layers], { ALIGNED, ROWS, COLUMNS }));
  },
};

/**
 * Tiles of `matmul.3-tiled`, and their speed on a multiprocessor that has enough of them: the smaller ones load more for
 * each product. The speeds are estimates, not yet measured.
 */
const TILES = [
  { ROWS: 128, COLUMNS: 128, speed: 1 },
  { ROWS: 128, COLUMNS: 64, speed: 0.95 },
  { ROWS: 64, COLUMNS: 64, speed: 0.9 },
] as const;

/**
 * The tile whose waves end first: a multiprocessor takes tile after tile, and the last wave may leave most of them idle.
 *
 * tileFor({ M: 5120, N: 512 }) // 64 × 64: 640 tiles are 5 waves of them; 160 of 128 × 128 are 2 waves, of four times the work
 */
function tileFor(problem: Problem, layers: number): (typeof TILES)[number] {
  const time = ({ ROWS, COLUMNS, speed }: (typeof TILES)[number]) => {
    const [x, y] = gridOf(problem, ROWS, COLUMNS);
    return (Math.ceil((x * y * layers) / MULTIPROCESSORS) * ROWS * COLUMNS) / speed;
  };
  return TILES.reduce((best, tile) => (time(tile) < time(best) ? tile : best));
}

/** For GPUs with matrix units, where the run asks for mixed precision. Tested with emulated ones; not yet run on real ones. */
const subgroupMatrix: Variant = {
  shader: 'matmul.4-subgroupMatrix',
  runs: (problem) => mixedMatrix(problem.adapter) !== undefined && gridFits(problem, 32, 32),
  suits: ({ adapter }) => adapter.precision === 'mixed',
  dispatches: (problem) => {
    const { M, N, K } = mixedMatrix(problem.adapter)!;
    const layers = layersFor(problem);
    const BLOCKS = isLarge(problem, layers) ? 4 : 2;
    const [x, y] = gridOf(problem, 2 * BLOCKS * M, 2 * BLOCKS * N);
    const matrix = { MATRIX_M: M, MATRIX_N: N, MATRIX_K: K, SUBGROUP: problem.adapter.subgroupSize };
    // The tiles and four sums fit in the 16 KiB that every adapter has.
    const tile = { BLOCKS, DEPTH: BLOCKS === 4 ? 16 : 32, SCALE: problem.options.gradient ? GRADIENT_SCALE : 1 };
    const features: Extension[] = ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix'];
    return inLayers(problem, layers, (part) =>
      product(part, subgroupMatrix.shader, [x, y, layers], { ...matrix, ...tile }, features),
    );
  },
};

/** A mean loss over thousands of bytes has gradients of 1e-4 and less; this brings them where f16 is precise. */
const GRADIENT_SCALE = 4096;

/**
 * The matrices that mixed precision multiplies: f16 with float32 sums, 16 or 8 a side, the largest the adapter has.
 *
 * @returns undefined where it has none
 */
export function mixedMatrix(adapter: Pick<AdapterProfile, 'subgroupSize' | 'subgroupMatrix'>) {
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

/** Whether tiles of 128 × 128 leave no GPU idle: of `matmul.4-subgroupMatrix`. */
function isLarge(problem: Problem, layers: number): boolean {
  return layers > 1 || tilesOf(problem, 128) >= FILLS_A_GPU / 2;
}

/** A product whole, or in layers of k and their sum; bias and the old y belong to the last step. */
function inLayers(problem: Problem, layers: number, whole: (problem: Problem) => MatmulChoice): MatmulChoice[] {
  if (layers === 1) return [whole(problem)];
  const { M, N, options } = problem;
  const scratch = layers * M * N;
  const partial = whole({ ...problem, options: { gradient: options.gradient ?? false } });
  const finish: MatmulChoice = {
    shader: 'matmul.3-finish',
    constants: { ADD: Number(options.add ?? false) },
    features: [],
    workgroups: foldWorkgroups(Math.ceil((M * N) / 64)),
    params: { M, N, Z: layers },
    bind: { partial: 'partial', y: 'y' },
    scratch,
  };
  return [{ ...partial, bind: { ...partial.bind, y: 'partial' }, scratch }, finish];
}

/** Of a large GPU; WebGPU does not tell their number. */
const MULTIPROCESSORS = 128;

/** Workgroups that should keep a large GPU busy. An estimate, not yet measured. */
const FILLS_A_GPU = 2 * MULTIPROCESSORS;

/** Layers are no shorter than this, so that adding them up stays small beside the products. An estimate, not yet measured. */
const SHORTEST_LAYER = 256;

/**
 * Into how many layers k is split: as many as fill a GPU. Only for weight gradients (`tn`), whose sums are long and whose tiles are few;
 * the other forms stay in one piece, so that a row comes out the same in a batch of any size.
 */
function layersFor(problem: Problem): number {
  const { adapter, form, M, N, K, options } = problem;
  if (form !== 'tn' || !options.split || options.bias) return 1;
  const wanted = Math.floor(FILLS_A_GPU / tilesOf(problem, 128));
  const fitting = Math.floor(adapter.limits.maxStorageBufferBindingSize / (4 * M * N));
  return Math.max(1, Math.min(wanted, Math.floor(K / SHORTEST_LAYER), fitting));
}

/** The first that suits is taken. */
const VARIANTS: readonly Variant[] = [subgroupMatrix, tiled, register, naive];

/**
 * The dispatches of one matrix product on an adapter: one, or two where k is split.
 *
 * Every variant sums over k in ascending order, so they agree to the bit wherever a·b + c is not contracted into one rounding; and
 * a row of y has the same bits whatever M is. Only a split `tn` adds its layers in another order, and mixed precision rounds.
 *
 * @throws InputError when `force` names no variant or one that the adapter cannot run
 */
export function chooseMatmul(
  adapter: Profile,
  form: MatmulForm,
  M: number,
  N: number,
  K: number,
  options: MatmulOptions = {},
): MatmulChoice[] {
  const problem = { adapter, form, M, N, K, options };
  const { force } = options;
  const running = VARIANTS.filter((variant) => variant.runs(problem));
  if (force === undefined) {
    const numbered = running.find((variant) => variant.shader.startsWith(`matmul.${adapter.variant}-`));
    return (numbered ?? running.find((variant) => variant.suits(problem))!).dispatches(problem);
  }
  const forced = running.find((variant) => variant.shader === force);
  if (forced !== undefined) return forced.dispatches(problem);
  const known = VARIANTS.some((variant) => variant.shader === force);
  const why = known ? 'does not run on this adapter at this size' : 'is no variant of matmul';
  throw new InputError(`matmul: ${force} ${why}; take ${running.map((variant) => variant.shader).join(', ')}`);
}

/** A dispatch of a kernel with the common interface: a, b, bias, y and the flags. */
function product(
  { form, M, N, K, options }: Problem,
  shader: string,
  workgroups: [number, number, number],
  constants: Record<string, number> = {},
  features: Extension[] = [],
): MatmulChoice {
  const flags = {
    TRANSPOSE_A: Number(form === 'tn'),
    TRANSPOSE_B: Number(form === 'nt'),
    BIAS: Number(options.bias ?? false),
    ADD: Number(options.add ?? false),
  };
  // Without a bias, b stands in.
  const bind: Record<string, MatmulRole> = { a: 'a', b: 'b', bias: options.bias ? 'bias' : 'b', y: 'y' };
  return { shader, constants: { ...flags, ...constants }, features, workgroups, params: { M, N, K }, bind, scratch: 0 };
}

/** Workgroups of `rows × columns` outputs each. */
function gridOf({ M, N }: Problem, rows: number, columns: number): [number, number, number] {
  return [Math.ceil(N / columns), Math.ceil(M / rows), 1];
}

function gridFits(problem: Problem, rows: number, columns: number): boolean {
  return gridOf(problem, rows, columns).every((count) => count <= MAX_WORKGROUPS);
}

function tilesOf(problem: Problem, tile: number): number {
  const [x, y] = gridOf(problem, tile, tile);
  return x * y;
}
