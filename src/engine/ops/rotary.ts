import { InputError, ShapeError } from '../../common/errors.js';
import { type Dispatch, onePerInvocation } from '../kernel.js';
import type { DispatchCall, Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';

/** Sizes of one call: `B` batch, `S` rows, `H` heads, `D` head width. */
interface RotarySizes extends Record<string, number> {
  B: number;
  S: number;
  H: number;
  D: number;
}

/** With caches: `capacity` is the number of rows of k and v. */
interface CacheSizes extends RotarySizes {
  capacity: number;
}

/**
 * The angles of rotary positions: row t holds the cosines of the D/2 angles `t * base^(-2d/D)`, then their sines.
 * Computed here and not in WGSL, whose cos may be off by 2e-4 on some drivers.
 *
 * @returns [positions, D]
 * @see Su et al. 2021, arXiv:2104.09864
 */
export function rotaryTable(positions: number, D: number, base = 10000): Float32Array {
  const half = D / 2;
  const table = new Float32Array(positions * D);
  for (let t = 0; t < positions; t++) {
    for (let d = 0; d < half; d++) {
      const angle = t * base ** (-(2 * d) / D);
      table[t * D + d] = Math.cos(angle);
      table[t * D + half + d] = Math.sin(angle);
    }
  }
  return table;
}

/**
 * Split packed queries, keys and values into heads, and rotate each pair `(d, d + D/2)` of q and k by the angle of its
 * position: `(a, b) → (a cos - b sin, b cos + a sin)`. Row s has the angles of `position + s`.
 *
 * @param qkv [B, S, 3C], q, k and v concatenated, heads split inside each
 * @param table [positions, D] from `rotaryTable`   @param position [1] u32: position of row 0, for every sequence
 * @param caches k and v caches [B, H, capacity, D] whose rows position .. position+S-1 are written in place (generation)
 * @returns q [B, H, S, D]; k and v [B, H, S, D], whose rows are those of qkv, or the caches
 * @throws ShapeError when 3C does not split into heads of even width, or table or caches are too small
 * @see Su et al. 2021, arXiv:2104.09864, in the rotate_half layout
 */
export function rotary(
  qkv: Tensor,
  table: Tensor,
  position: Tensor,
  heads: number,
  caches?: { readonly k: Tensor; readonly v: Tensor },
): { q: Tensor; k: Tensor; v: Tensor } {
  const { program } = qkv;
  const inputs = [qkv, table, position];
  const sizes = rotarySizes(qkv, table, heads);
  if (caches === undefined) {
    const [q, k, v] = program.record(rotaryForward, inputs, sizes);
    return { q: q!, k: k!, v: v! };
  }
  const capacity = caches.k.shape[2] ?? 0;
  if (capacity < sizes.S) {
    throw new ShapeError('rotary', 'caches must be [B, H, capacity, D] with room for S rows', {
      qkv: qkv.shape,
      k: caches.k.shape,
      v: caches.v.shape,
    });
  }
  const [q, k, v] = program.record(rotaryIntoCache, inputs, { ...sizes, capacity }, [caches.k, caches.v]);
  return { q: q!, k: k!, v: v! };
}

function rotarySizes(qkv: Tensor, table: Tensor, heads: number): RotarySizes {
  const [B, S, width] = qkv.shape;
  const D = width! / 3 / heads;
  if (qkv.shape.length !== 3 || !Number.isInteger(D) || D % 2 !== 0) {
    throw new ShapeError('rotary', `qkv must be [B, S, 3C] with C split into ${heads} heads of even width`, {
      qkv: qkv.shape,
    });
  }
  if (table.shape.length !== 2 || table.shape[1] !== D || table.shape[0]! < S!) {
    throw new ShapeError('rotary', 'table must be [positions, D] with a row for every position', {
      qkv: qkv.shape,
      table: table.shape,
      head: [D],
    });
  }
  return { B: B!, S: S!, H: heads, D };
}

/** Rows of q, k and v in head-major order, q and k rotated by the angles of `first + s`. */
function rotaryReference(qkv: Value, table: Value, first: number, { B, S, H, D }: RotarySizes): Float64Array[] {
  const half = D / 2;
  const [q, k, v] = [0, 1, 2].map(() => new Float64Array(B * H * S * D));
  for (let b = 0; b < B; b++)
    for (let s = 0; s < S; s++)
      for (let h = 0; h < H; h++)
        for (let d = 0; d < half; d++) {
          const cos = table.data[(first + s) * D + d]!;
          const sin = table.data[(first + s) * D + half + d]!;
          const to = ((b * H + h) * S + s) * D + d; // q[b, h, s, d]
          [q!, k!, v!].forEach((y, part) => {
            const from = (b * S + s) * 3 * H * D + part * H * D + h * D + d; // qkv[b, s, part*C + h*D + d]
            const [x0, x1] = [qkv.data[from]!, qkv.data[from + half]!];
            y[to] = part === 2 ? x0 : x0 * cos - x1 * sin;
            y[to + half] = part === 2 ? x1 : x1 * cos + x0 * sin;
          });
        }
  return [q!, k!, v!];
}

const rotaryForward: Op<RotarySizes> = {
  name: 'rotary.forward',
  formula: '(a, b) → (a·cos θ − b·sin θ, b·cos θ + a·sin θ) on q and k,  θ = position · 10000^(−2d/D)',
  // the last row has a position too
  inputs: ['qkv', 'table', { u32: 'position', idLimit: ([, table], { S }) => table!.shape[0]! - S + 1 }],
  outputs: ['q', 'k', 'v'],
  shape: (_, { B, S, H, D }) => [0, 1, 2].map(() => ({ shape: [B, H, S, D] })),
  reference: ([qkv, table, position], sizes) => rotaryReference(qkv!, table!, position!.data[0]!, sizes),
  dispatches: ({ attributes, ...call }) => [forwardKernel(call, { ...attributes, capacity: attributes.S }, 0)],
  backward({ inputs: [qkv, table, position], attributes, gradients, addGradient, needsGradient }) {
    if (needsGradient(table!)) throw new InputError(`rotary: there is no gradient by table; ${table} wants one`);
    if (!needsGradient(qkv!)) return;
    const { program } = qkv!;
    const { B, S, H, D } = attributes;
    const zeros = () => program.constant('zeros', [B, H, S, D], new Float32Array(B * H * S * D));
    const [dQ, dK, dV] = gradients.map((gradient) => gradient ?? zeros());
    addGradient(qkv!, program.record(rotaryBackward, [dQ!, dK!, dV!, table!, position!], attributes)[0]!);
  },
  flops: ({ attributes: { B, S, H, D } }) => 6 * B * S * H * D,
};

/** @param intoCache 1 if row s of k and v goes to row `position + s` of a cache, 0 if it stays row s */
function forwardKernel(
  { inputs, outputs }: Pick<DispatchCall, 'inputs' | 'outputs'>,
  sizes: CacheSizes,
  intoCache: 0 | 1,
): Dispatch {
  return onePerInvocation('rotary.forward', pairsOf(sizes), { ...inputs, ...outputs }, sizes, {
    INTO_CACHE: intoCache,
  });
}

/** Pairs (d, d + D/2) of all heads. */
function pairsOf({ B, S, H, D }: RotarySizes): number {
  return (B * S * H * D) / 2;
}

/** The same with k and v written into caches, for generation: rows position .. position+S-1 of [B, H, capacity, D]. */
const rotaryIntoCache: Op<CacheSizes> = {
  name: 'rotary.intoCache',
  formula: rotaryForward.formula,
  inputs: [
    'qkv',
    'table',
    { u32: 'position', idLimit: ([, table], { S, capacity }) => Math.min(table!.shape[0]!, capacity) - S + 1 },
  ],
  dispatches: ({ attributes, ...call }) => [forwardKernel(call, attributes, 1)],
  outputs: ['q', { inPlace: 'k' }, { inPlace: 'v' }],
  shape: (_, { B, S, H, D, capacity }) => [
    { shape: [B, H, S, D] },
    { shape: [B, H, capacity, D] },
    { shape: [B, H, capacity, D] },
  ],
  reference([qkv, table, position], sizes, [, kBefore, vBefore]) {
    const { B, S, H, D, capacity } = sizes;
    const first = position!.data[0]!;
    const [q, k, v] = rotaryReference(qkv!, table!, first, sizes);
    const into = (before: Value, rows: Float64Array) => {
      const cache = Float64Array.from(before.data);
      for (let head = 0; head < B * H; head++) {
        cache.set(rows.subarray(head * S * D, (head + 1) * S * D), (head * capacity + first) * D);
      }
      return cache;
    };
    return [q!, into(kBefore!, k!), into(vBefore!, v!)];
  },
};

/** A rotation's transpose is the rotation by the opposite angle; then the heads are concatenated again. */
function rotaryBackwardReference(
  gradients: readonly Value[],
  table: Value,
  first: number,
  { B, S, H, D }: RotarySizes,
) {
  const half = D / 2;
  const dQkv = new Float64Array(B * S * 3 * H * D);
  for (let b = 0; b < B; b++)
    for (let s = 0; s < S; s++)
      for (let h = 0; h < H; h++)
        for (let d = 0; d < half; d++) {
          const cos = table.data[(first + s) * D + d]!;
          const sin = table.data[(first + s) * D + half + d]!;
          const from = ((b * H + h) * S + s) * D + d; // dQ[b, h, s, d]
          gradients.forEach(({ data }, part) => {
            const to = (b * S + s) * 3 * H * D + part * H * D + h * D + d;
            const [g0, g1] = [data[from]!, data[from + half]!];
            dQkv[to] = part === 2 ? g0 : g0 * cos + g1 * sin;
            dQkv[to + half] = part === 2 ? g1 : g1 * cos - g0 * sin;
          });
        }
  return dQkv;
}

const rotaryBackward: Op<RotarySizes> = {
  name: 'rotary.backward',
  formula: '(g, h) → (g·cos θ + h·sin θ, h·cos θ − g·sin θ) on dQ and dK',
  inputs: ['dQ', 'dK', 'dV', 'table', { u32: 'position' }],
  outputs: ['dQkv'],
  shape: (_, { B, S, H, D }) => [{ shape: [B, S, 3 * H * D] }],
  reference: ([dQ, dK, dV, table, position], sizes) => [
    rotaryBackwardReference([dQ!, dK!, dV!], table!, position!.data[0]!, sizes),
  ],
  dispatches: ({ inputs, outputs, attributes }) => [
    onePerInvocation('rotary.backward', pairsOf(attributes), { ...inputs, ...outputs }, attributes),
  ],
  flops: ({ attributes: { B, S, H, D } }) => 6 * B * S * H * D,
};

/** A sample of `S` rows of `H` heads of width `D` at a position other than 0. */
function sample(
  name: string,
  sizes: (n: number) => { readonly S: number; readonly H: number; readonly D: number },
  position: number,
  B: number,
): OpRow['samples'][number] {
  return {
    name,
    inputs(n) {
      const { S, H, D } = sizes(n);
      return { qkv: [B, S, 3 * H * D] };
    },
    call(x, n) {
      const { S, H, D } = sizes(n);
      const { program } = x.qkv!;
      const table = program.constant('table', [S + 5, D], rotaryTable(S + 5, D));
      const { q, k, v } = rotary(x.qkv!, table, program.constant('position', [1], Uint32Array.of(position)), H);
      return [q, k, v];
    },
  };
}

export const rotaryRow: OpRow = {
  name: 'rotary',
  passes: ['rotary.forward', 'rotary.backward'],
  samples: [
    sample('S = n', (n) => ({ S: n, H: 2, D: 4 }), 0, 2),
    sample('D = 2n', (n) => ({ S: 3, H: 3, D: 2 * n }), 0, 1),
    sample('S = n at position 5', (n) => ({ S: n, H: 2, D: 6 }), 5, 2),
    {
      name: 'S = n into caches at position 3',
      inputs: (n) => ({ qkv: [2, n, 3 * 2 * 4] }),
      states: (n) => ({ k: [2, 2, n + 4, 4], v: [2, 2, n + 4, 4] }),
      fixed: ['qkv'],
      call: intoCaches(3, 2),
    },
    {
      name: 'S = 3 into caches of n + 3 at position n',
      inputs: () => ({ qkv: [1, 3, 3 * 3 * 2] }),
      states: (n) => ({ k: [1, 3, n + 3, 2], v: [1, 3, n + 3, 2] }),
      fixed: ['qkv'],
      call: (x, n) => intoCaches(n, 3)(x),
    },
  ],
};

function intoCaches(position: number, heads: number) {
  return ({ qkv, k, v }: Readonly<Record<string, Tensor>>): Tensor[] => {
    const { program } = qkv!;
    const [capacity, D] = k!.shape.slice(2) as [number, number];
    const table = program.constant('table', [capacity, D], rotaryTable(capacity, D));
    const first = program.constant('position', [1], Uint32Array.of(position));
    const { q } = rotary(qkv!, table, first, heads, { k: k!, v: v! });
    return [q, k!, v!];
  };
}
