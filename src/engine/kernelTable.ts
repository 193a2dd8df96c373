import {
  type AdapterProfile,
  type Dispatch,
  foldWorkgroups,
  onePerInvocation,
  onePerWorkgroup,
  type Pass,
  subgroupExtensions,
} from './kernel.js';
import {
  CHUNK,
  gridFits,
  matrixUnitsOf,
  productByRegisters,
  productByTiles,
  productOfMatrixUnits,
  productOfPacked,
  productOneByOne,
  sumInChunks,
  sumOfParts,
} from './tiling.js';

/** One way to compute a pass. */
interface KernelRow {
  /** the kind of device it is for; `any` marks the readable kernel, which runs everywhere */
  readonly on: 'gpu' | 'cpu' | 'any';
  /** the files that may run: names in shaders/ without `.wgsl` */
  readonly shaders: readonly string[];
  /** true if adapter and sizes allow it; default: always */
  readonly when?: (pass: Pass) => boolean;
  /** the evidence for choosing it */
  readonly why: string;
  readonly dispatches: (pass: Pass) => Dispatch[];
}

const READABLE = 'the kernel to study; src/wgsl compiles it to vector code for the CPU device';
const NEIGHBOURS = 'neighbouring lanes read neighbouring numbers, as a GPU needs; not yet measured on a card';
const OCCUPANCY =
  'an invocation a column would leave a GPU empty; loads in a row are counted, not yet measured on a card';
const TOGETHER =
  'four keys or queries at a time: half the time of the readable kernel on the CPU device (bench/RECORD.md)';
const COMPILED = "by AMD's compiler no spill and no scratch memory (bench/RECORD.md); not yet measured on a card";

/**
 * The kernels of each pass: the only place that chooses. The first row for the device that allows the sizes is chosen;
 * the last row of each list runs everywhere. An op with one kernel for all devices names it itself and is not in this table.
 */
export const kernelTable: Readonly<Record<string, readonly KernelRow[]>> = {
  matmul: [
    {
      on: 'gpu',
      shaders: ['gpu/matmul.subgroupMatrix', 'gpu/matmul.finish'],
      when: ({ adapter, params }) =>
        adapter.precision === 'mixed' && matrixUnitsOf(adapter) !== undefined && gridFits(params, 32, 32),
      why: 'matrix units, for --precision mixed alone; tested with emulated ones, not yet run on a card',
      dispatches: productOfMatrixUnits,
    },
    {
      on: 'gpu',
      shaders: ['gpu/matmul.tiled', 'gpu/matmul.finish'],
      when: ({ params }) => gridFits(params, 64, 64),
      why: COMPILED,
      dispatches: productByTiles,
    },
    {
      on: 'cpu',
      shaders: ['cpu/matmul.packed'],
      when: ({ adapter, params, flags }) =>
        flags.transposeA === true && adapter.subgroupSize === 4 && gridFits(params, 64, 32),
      why: 'pieces of a transposed a are packed; 1.1 to 1.5 times as fast as in place on the CPU device (bench/RECORD.md)',
      dispatches: productOfPacked,
    },
    {
      on: 'cpu',
      shaders: ['cpu/matmul.register'],
      // It processes four rows at a time; a single row would waste three quarters.
      when: ({ adapter, params, flags }) =>
        !flags.transposeA && adapter.subgroupSize === 4 && params.M! > 1 && gridFits(params, 128, 8),
      why: 'sums in registers and a packed strip of b; measured on the CPU device (bench/RECORD.md)',
      dispatches: productByRegisters,
    },
    { on: 'any', shaders: ['matmul'], why: READABLE, dispatches: productOneByOne },
  ],
  sumRows: [
    {
      on: 'gpu',
      shaders: ['gpu/sumRows.split', 'gpu/matmul.finish'],
      when: ({ params }) => params.M! > CHUNK,
      why: OCCUPANCY,
      dispatches({ bind: { dY, dBias }, params: { M, N } }) {
        const { dispatches, rows, sums } = sumInChunks(dY!, M!, N!);
        return [...dispatches, sumOfParts(sums, dBias!, { M: 1, N: N!, Z: rows }, true)];
      },
    },
    invocationPer('N', 'sumRows'),
  ],
  'attention.forward': rowsOfHeads('attention.forward'),
  'attention.backwardQ': rowsOfHeads('attention.backwardQ'),
  'attention.backwardKV': rowsOfHeads('attention.backwardKV'),
  'layerNorm.forward': [subgroupPer('N', 'layerNorm.forward'), invocationPer('N', 'layerNorm.forward')],
  'layerNorm.backward': [subgroupPer('N', 'layerNorm.backward'), invocationPer('N', 'layerNorm.backward')],
  'layerNorm.backwardWeight': [
    {
      on: 'gpu',
      shaders: ['gpu/layerNorm.backwardWeight.split', 'gpu/sumRows.split', 'gpu/layerNorm.backwardWeight.finish'],
      why: OCCUPANCY,
      dispatches({ bind: { dWeight, dBias, ...inputs }, params }) {
        const [N, C] = [params.N!, params.C!];
        const chunks = Math.ceil(N / CHUNK);
        const partials = { storage: { label: 'partials', length: chunks * 2 * C } }; // [chunks, 2, C]
        const bind = { ...inputs, partials };
        const name = 'gpu/layerNorm.backwardWeight';
        const workgroups = Math.ceil(C / 64) * chunks;
        const split = onePerWorkgroup(`${name}.split`, workgroups, 64, bind, { N, C }, { ROWS: CHUNK });
        const { dispatches, rows, sums } = sumInChunks(partials, chunks, 2 * C);
        const outputs = { partials: sums, dWeight: dWeight!, dBias: dBias! };
        return [split, ...dispatches, onePerInvocation(`${name}.finish`, C, outputs, { chunks: rows, C })];
      },
    },
    invocationPer('C', 'layerNorm.backwardWeight'),
  ],
  'addLayerNorm.forward': [subgroupPer('N', 'addLayerNorm.forward'), invocationPer('N', 'addLayerNorm.forward')],
  'addLayerNorm.backward': [subgroupPer('N', 'addLayerNorm.backward'), invocationPer('N', 'addLayerNorm.backward')],
  'crossEntropy.forward': [subgroupPer('N', 'crossEntropy.forward'), invocationPer('N', 'crossEntropy.forward')],
  'embedding.backward': [
    subgroupPer('R', 'embedding.backward'),
    readable('embedding.backward', (name, { bind, params }) => onePerWorkgroup(name, params.R!, 64, bind, params)),
  ],
  'gradientNorm.finish': [
    {
      on: 'gpu',
      shaders: ['gpu/sumRows.split', 'gradientNorm.finish'],
      when: ({ params }) => params.M! > CHUNK,
      why: 'one workgroup would add up thousands of rows alone; loads in a row are counted, not yet measured on a card',
      dispatches({ bind: { partials, ...rest }, params }) {
        const { dispatches, rows, sums } = sumInChunks(partials!, params.M!, params.N!);
        return [...dispatches, gradientNormFinish({ partials: sums, ...rest }, { ...params, M: rows })];
      },
    },
    readable('gradientNorm.finish', (_, { bind, params }) => gradientNormFinish(bind, params)),
  ],
};

/**
 * The dispatches of a pass on an adapter.
 *
 * @param pass name of a list in the table; a pass with one kernel is not in it, and its op names the file
 * @param bind tensors by the names of the WGSL   @param params sizes and scalars, of which the table may use more than the kernel
 * @param flags of a matrix product: `transposeA`, `transposeB`, `add`, and `gradient` where `a` holds gradients
 */
export function kernelsFor(
  pass: string,
  adapter: AdapterProfile,
  bind: Dispatch['bind'],
  params: Pass['params'],
  flags: Pass['flags'] = {},
): Dispatch[] {
  const asked = { adapter, bind, params, flags };
  const kind = adapter.kernels ?? (adapter.driver === 'wasm' ? 'cpu' : 'gpu');
  const row = kernelTable[pass]!.find(({ on, when }) => (on === 'any' || on === kind) && (when?.(asked) ?? true));
  return row!.dispatches(asked);
}

/** The readable kernel of a pass. */
function readable(shader: string, dispatch: (shader: string, pass: Pass) => Dispatch): KernelRow {
  return { on: 'any', shaders: [shader], why: READABLE, dispatches: (pass) => [dispatch(shader, pass)] };
}

/** The same: one invocation for each of `params[size]` rows or columns. */
function invocationPer(size: string, shader: string): KernelRow {
  return readable(shader, (name, { bind, params }) => onePerInvocation(name, params[size]!, bind, params));
}

/** One subgroup for each of `params[size]` rows, if the adapter's subgroups have a known size. */
function subgroupPer(size: string, pass: string): KernelRow {
  const shader = `gpu/${pass}.subgroup`;
  return {
    on: 'gpu',
    shaders: [shader],
    when: ({ adapter }) => adapter.subgroupSize > 0,
    why: NEIGHBOURS,
    dispatches({ adapter, bind, params }) {
      const constants = { SUBGROUP: adapter.subgroupSize };
      const workgroups = foldWorkgroups(params[size]!);
      return [{ shader, constants, extensions: subgroupExtensions(adapter), bind, params, workgroups }];
    },
  };
}

/** Attention: 64 rows of one head to a workgroup, in tiles on a GPU, else an invocation a row. */
function rowsOfHeads(pass: string): KernelRow[] {
  const row = (on: KernelRow['on'], shader: string, why: string, constants: Dispatch['constants']): KernelRow => ({
    on,
    shaders: [shader],
    why,
    dispatches({ bind, params }) {
      const { B, H, S, D } = params;
      const workgroups = foldWorkgroups(B! * H! * Math.ceil(S! / 64));
      const extensions = on === 'cpu' ? (['subgroups'] as const) : [];
      return [{ shader, constants: { ...constants, HEAD_DIM: D! }, extensions, bind, params, workgroups }];
    },
  });
  const tiled = row('gpu', `gpu/${pass}.tiled`, COMPILED, {});
  const together = pass === 'attention.backwardKV' ? { QUERIES: 4 } : { KEYS: 4 };
  const cpu = row('cpu', `cpu/${pass}`, TOGETHER, { WORKGROUP: 64, ...together });
  return [
    { ...tiled, when: tilesFitHeads },
    { ...cpu, when: ({ adapter }) => adapter.subgroupSize === 4 },
    row('any', pass, READABLE, { WORKGROUP: 64 }),
  ];
}

/**
 * Rows are read as vec4s into private arrays: at most 128 wide, and less than 64 on software drivers, which take
 * minutes to compile more.
 */
function tilesFitHeads({ adapter, params }: Pass): boolean {
  const compiles = adapter.kind === 'gpu' || adapter.kernels !== undefined ? params.D! <= 128 : params.D! < 64;
  return params.D! % 4 === 0 && compiles;
}

/** One workgroup sums M rows of N sums. */
function gradientNormFinish(bind: Dispatch['bind'], { M, N, maxNorm }: Pass['params']): Dispatch {
  return onePerWorkgroup('gradientNorm.finish', 1, 64, bind, { count: M! * N!, maxNorm: maxNorm! });
}

/** Every kernel of a pass, with its kind of device: for the README and for tests. */
export function kernelsOf(pass: string): { on: KernelRow['on']; shader: string }[] {
  const rows = kernelTable[pass] ?? [{ on: 'any' as const, shaders: [pass] }];
  return rows.flatMap(({ on, shaders }) => shaders.map((shader) => ({ on, shader })));
}
