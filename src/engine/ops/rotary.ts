import { InputError, ShapeError } from '../../common/errors.js';
import type { Shape } from '../../common/shape.js';
import { type Dispatch, onePerInvocation } from '../kernel.js';
import type { Op, Value } from '../op.js';
import type { OpRow, OpSample } from '../registry.js';
import type { Tensor } from '../tensor.js';

/** Sizes of one call: `B` batch, `S` rows, `H` heads, `D` head width. */
interface RotarySizes extends Record<string, number> {
  B: number;
  S: number;
  H: number;
  D: number;
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

/** Queries, keys and values in heads, each [B, H, S, D]. */
export type Heads = Readonly<Record<'q' | 'k' | 'v', Tensor>>;

/**
 * Split packed queries, keys and values into heads, and rotate each pair `(d, d + D/2)` of q and k by the angle of its
 * position: `(a, b) → (a cos - b sin, b cos + a sin)`. Row s has the angles of `position + s`.
 *
 * @param qkv [B, S, 3C], q, k and v concatenated, heads split inside each
 * @param table [positions, D] from `rotaryTable`   @param position [1] u32: position of row 0, for every sequence
 * @returns q, k and v [B, H, S, D], whose rows are those of qkv
 * @throws ShapeError when 3C does not split into heads of even width, or table is too small
 * @see Su et al. 2021, arXiv:2104.09864, in the rotate_half layout
 */
export function rotary(qkv: Tensor, table: Tensor, position: Tensor, heads: number): Heads {
  const [q, k, v] = qkv.program.record(rotaryForward, [qkv, table, position], rotarySizes(qkv, table, heads));
  return { q: q!, k: k!, v: v! };
}

function rotarySizes(qkv: Tensor, table: Tensor, heads: number): RotarySizes {
  const [B, S, width] = qkv.shape;
  const D = width! / 3 / heads;
  if (qkv.shape.length !== 3 || !Number.isInteger(D) || D % 2 !== 0) {
    throw new ShapeError('rotary', `qkv must be [B, S, 3C] with C split into ${heads} heads of even width`, { qkv });
  }
  if (table.shape.length !== 2 || table.shape[1] !== D || table.shape[0]! < S!) {
    const rule = 'table must be [positions, D] with a row for every position';
    throw new ShapeError('rotary', rule, { qkv, table, head: [D] });
  }
  return { B: B!, S: S!, H: heads, D };
}

/**
 * Visit each pair `(d, d + D/2)` of q, k and v, as part 0, 1 and 2: where its first number is in qkv, where in the part,
 * and the rotation by the angle of `first + s`, by none for v.
 */
function visitPairs(
  table: Value,
  first: number,
  { B, S, H, D }: RotarySizes,
  visit: (part: number, packed: number, own: number, cos: number, sin: number) => void,
): void {
  for (let b = 0; b < B; b++)
    for (let s = 0; s < S; s++)
      for (let h = 0; h < H; h++)
        for (let d = 0; d < D / 2; d++) {
          const own = ((b * H + h) * S + s) * D + d; // q[b, h, s, d]
          for (let part = 0; part < 3; part++) {
            const packed = (b * S + s) * 3 * H * D + part * H * D + h * D + d; // qkv[b, s, part*C + h*D + d]
            const angle = (first + s) * D + d;
            if (part === 2) visit(part, packed, own, 1, 0);
            else visit(part, packed, own, table.data[angle]!, table.data[angle + D / 2]!);
          }
        }
}

/** Rows of q, k and v in head-major order, q and k rotated by the angles of `first + s`. */
function rotaryReference(qkv: Value, table: Value, first: number, sizes: RotarySizes): Float64Array[] {
  const { B, S, H, D } = sizes;
  const parts = [0, 1, 2].map(() => new Float64Array(B * H * S * D));
  visitPairs(table, first, sizes, (part, packed, own, cos, sin) => {
    const [x0, x1] = [qkv.data[packed]!, qkv.data[packed + D / 2]!];
    parts[part]![own] = x0 * cos - x1 * sin;
    parts[part]![own + D / 2] = x1 * cos + x0 * sin;
  });
  return parts;
}

const rotaryForward: Op<RotarySizes> = {
  name: 'rotary.forward',
  formula: '(a, b) → (a·cos θ − b·sin θ, b·cos θ + a·sin θ) on q and k,  θ = position · 10000^(−2d/D)',
  // the last row has a position too
  inputs: ['qkv', 'table', { name: 'position', dtype: 'u32', idLimit: ([, table], { S }) => table!.shape[0]! - S + 1 }],
  outputs: ['q', 'k', 'v'],
  shape: (_, { B, S, H, D }) => [0, 1, 2].map(() => ({ shape: [B, H, S, D] })),
  reference: ([qkv, table, position], sizes) => rotaryReference(qkv!, table!, position!.data[0]!, sizes),
  dispatches: ({ tensors, attributes }) => [forwardKernel(tensors, { ...attributes, capacity: attributes.S }, 0)],
  backward({ inputs: [qkv, table, position], attributes, gradients, addGradient }) {
    if (table!.requiresGradient) throw new InputError(`rotary: there is no gradient by table; ${table} wants one`);
    if (!qkv!.requiresGradient) return;
    const { program } = qkv!;
    const { B, S, H, D } = attributes;
    const zeros = () => program.constant('zeros', [B, H, S, D], new Float32Array(B * H * S * D));
    const [dQ, dK, dV] = gradients.map((gradient) => gradient ?? zeros());
    addGradient(qkv!, program.record(rotaryBackward, [dQ!, dK!, dV!, table!, position!], attributes)[0]!);
  },
  flops: ({ attributes: { B, S, H, D } }) => 6 * B * S * H * D,
};

/** One dispatch: k and v are new, or rows of the caches. */
function forwardKernel(tensors: Readonly<Record<string, Tensor>>, sizes: CacheSizes, INTO_CACHE: 0 | 1): Dispatch {
  return onePerInvocation('rotary.forward', pairsOf(sizes), tensors, sizes, { HEAD_DIM: sizes.D, INTO_CACHE });
}

/** Pairs (d, d + D/2) of all heads. */
function pairsOf({ B, S, H, D }: RotarySizes): number {
  return (B * S * H * D) / 2;
}

/** A rotation's transpose is the rotation by the opposite angle; then the heads are concatenated again. */
function rotaryBackwardReference(gradients: readonly Value[], table: Value, first: number, sizes: RotarySizes) {
  const { B, S, H, D } = sizes;
  const dQkv = new Float64Array(B * S * 3 * H * D);
  visitPairs(table, first, sizes, (part, packed, own, cos, sin) => {
    const [g0, g1] = [gradients[part]!.data[own]!, gradients[part]!.data[own + D / 2]!];
    dQkv[packed] = g0 * cos + g1 * sin;
    dQkv[packed + D / 2] = g1 * cos - g0 * sin;
  });
  return dQkv;
}

const rotaryBackward: Op<RotarySizes> = {
  name: 'rotary.backward',
  formula: '(g, h) → (g·cos θ + h·sin θ, h·cos θ − g·sin θ) on dQ and dK',
  inputs: ['dQ', 'dK', 'dV', 'table', { name: 'position', dtype: 'u32' }],
  outputs: ['dQkv'],
  shape: (_, { B, S, H, D }) => [{ shape: [B, S, 3 * H * D] }],
  reference: ([dQ, dK, dV, table, position], sizes) => [
    rotaryBackwardReference([dQ!, dK!, dV!], table!, position!.data[0]!, sizes),
  ],
  dispatches: ({ tensors, attributes }) => [
    onePerInvocation('rotary.backward', pairsOf(attributes), tensors, attributes, { HEAD_DIM: attributes.D }),
  ],
  flops: ({ attributes: { B, S, H, D } }) => 6 * B * S * H * D,
};

/** With caches: `capacity` is the number of rows of k and v. */
interface CacheSizes extends RotarySizes {
  capacity: number;
}

/**
 * As `rotary`, for generation: rows position .. position+S-1 of the caches are written in place, and k and v are the
 * caches.
 *
 * @param caches of k and v, [B, H, capacity, D]
 * @throws ShapeError as `rotary` does, or when the caches are too small
 */
export function rotaryIntoCaches(
  qkv: Tensor,
  table: Tensor,
  position: Tensor,
  heads: number,
  caches: Omit<Heads, 'q'>,
): Heads {
  const sizes = rotarySizes(qkv, table, heads);
  const capacity = caches.k.shape[2] ?? 0;
  if (capacity < sizes.S) {
    const rule = 'caches must be [B, H, capacity, D] with room for S rows';
    throw new ShapeError('rotary', rule, { qkv, k: caches.k, v: caches.v });
  }
  const inputs = [qkv, table, position];
  const [q] = qkv.program.record(rotaryIntoCache, inputs, { ...sizes, capacity }, [caches.k, caches.v]);
  return { q: q!, k: caches.k, v: caches.v };
}

const rotaryIntoCache: Op<CacheSizes> = {
  name: 'rotary.intoCache',
  formula: rotaryForward.formula,
  inputs: [
    'qkv',
    'table',
    {
      name: 'position',
      dtype: 'u32',
      idLimit: ([, table], { S, capacity }) => Math.min(table!.shape[0]!, capacity) - S + 1,
    },
  ],
  dispatches: ({ tensors, attributes }) => [forwardKernel(tensors, attributes, 1)],
  outputs: ['q', 'k', 'v'],
  existing: { k: 'inPlace', v: 'inPlace' },
  shape: (_, { B, S, H, D, capacity }) => [S, capacity, capacity].map((rows) => ({ shape: [B, H, rows, D] })),
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

/** A sample of qkv [B, S, 3·heads·D], at a position other than 0 if one is given. */
function sample(name: string, heads: number, qkv: (n: number) => Shape, position = 0): OpSample {
  return {
    name,
    inputs: (n) => ({ qkv: qkv(n) }),
    call({ qkv }) {
      const [, S, width] = qkv!.shape as [number, number, number];
      const D = width / 3 / heads;
      const table = qkv!.program.constant('table', [S + 5, D], rotaryTable(S + 5, D));
      const first = qkv!.program.constant('position', [1], Uint32Array.of(position));
      return Object.values(rotary(qkv!, table, first, heads));
    },
  };
}

export const rotaryRow: OpRow = {
  name: 'rotary',
  passes: ['rotary.forward', 'rotary.backward'],
  samples: [
    sample('S = n', 2, (n) => [2, n, 3 * 2 * 4]),
    sample('D = 2n', 3, (n) => [1, 3, 3 * 3 * 2 * n]),
    sample('S = n at position 5', 2, (n) => [2, n, 3 * 2 * 6], 5),
    {
      name: 'S = n into caches at position 3',
      inputs: (n) => ({ qkv: [2, n, 3 * 2 * 4] }),
      states: (n) => ({ k: [2, 2, n + 4, 4], v: [2, 2, n + 4, 4] }),
      fixed: ['qkv'],
      call: (x) => intoCaches(x, 3, 2),
    },
    {
      name: 'S = 3 into caches of n + 3 at position n',
      inputs: () => ({ qkv: [1, 3, 3 * 3 * 2] }),
      states: (n) => ({ k: [1, 3, n + 3, 2], v: [1, 3, n + 3, 2] }),
      fixed: ['qkv'],
      call: (x, n) => intoCaches(x, n, 3),
    },
  ],
};

function intoCaches({ qkv, k, v }: Readonly<Record<string, Tensor>>, position: number, heads: number): Tensor[] {
  const { program } = qkv!;
  const [capacity, D] = k!.shape.slice(2) as [number, number];
  const table = program.constant('table', [capacity, D], rotaryTable(capacity, D));
  const first = program.constant('position', [1], Uint32Array.of(position));
  return Object.values(rotaryIntoCaches(qkv!, table, first, heads, { k: k!, v: v! }));
}
