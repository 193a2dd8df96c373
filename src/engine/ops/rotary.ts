import { ShapeError } from '../errors.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';
import { copyKernel } from './elementwise.js';

/** Sizes of one call: `B` batch, `S` rows, `H` heads, `D` head width, `capacity` rows that k and v have room for. */
interface RotarySizes extends Record<string, number> {
  B: number;
  S: number;
  H: number;
  D: number;
  capacity: number;
}

/**
 * The angles of rotary positions: row t holds the cosines of the D/2 angles `t * base^(-2d/D)`, then their sines.
 * Made here and not in WGSL, whose cos may be off by 2e-4 on some drivers.
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
 * Split packed queries, keys and values into heads, and turn each pair `(d, d + D/2)` of q and k by the angle of its
 * position: `(a, b) → (a cos - b sin, b cos + a sin)`.
 *
 * @param qkv [B, S, 3C], q, k and v side by side, heads split inside each
 * @param table [positions, D] from `rotaryTable`   @param position [1] u32: position of row 0, for every sequence
 * @param caches k and v caches [B, H, capacity, D] whose rows position .. position+S-1 are written in place (generation)
 * @returns q [B, H, S, D], k and v [B, H, S, D] or the caches
 * @throws ShapeError when 3C does not split into heads of even width
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
  const sizes = rotarySizes(qkv, table, heads, caches?.k);
  const [q, k, v] =
    caches === undefined
      ? program.record(rotaryForward, inputs, sizes)
      : program.record(rotaryIntoCache, inputs, sizes, [caches.k, caches.v]);
  return { q: q!, k: k!, v: v! };
}

function rotarySizes(qkv: Tensor, table: Tensor, heads: number, cache: Tensor | undefined): RotarySizes {
  const [B, S, width] = qkv.shape;
  const D = width! / 3 / heads;
  if (qkv.shape.length !== 3 || !Number.isInteger(D) || D % 2 !== 0) {
    throw new ShapeError('rotary', `qkv must be [B, S, 3C] with C split into ${heads} heads of even width`, {
      qkv: qkv.shape,
    });
  }
  const capacity = cache?.shape[2] ?? S!;
  if (table.shape[1] !== D || table.shape[0]! < capacity) {
    throw new ShapeError('rotary', 'table must be [positions, D] with a row for every position', {
      qkv: qkv.shape,
      table: table.shape,
      head: [D],
    });
  }
  return { B: B!, S: S!, H: heads, D, capacity };
}

/** Rows of q, k and v in head-major order, q and k turned by the angles of `first + s`. */
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
  inputs: ['qkv', 'table', 'position'],
  outputs: ['q', 'k', 'v'],
  shape: (_, { B, S, H, D }) => [0, 1, 2].map(() => ({ shape: [B, H, S, D] })),
  reference: ([qkv, table, position], sizes) => rotaryReference(qkv!, table!, position!.data[0]!, sizes),
  kernels: ({ adapter, inputs, outputs, attributes: { B, S, H, D, capacity } }) => {
    const extent = { elements: (B * S * H * D) / 2, rows: B * S };
    return [copyKernel('rotary.forward', adapter, extent, { ...inputs, ...outputs }, { B, S, H, D, capacity })];
  },
  backward({ inputs: [qkv, table], attributes, gradients, give, wants }) {
    if (!wants(qkv!)) return;
    const { program } = qkv!;
    const { B, S, H, D } = attributes;
    const zeros = () => program.constant('zeros', [B, H, S, D], new Float32Array(B * H * S * D));
    const [dQ, dK, dV] = gradients.map((gradient) => gradient ?? zeros());
    give(qkv!, program.record(rotaryBackward, [dQ!, dK!, dV!, table!], { B, S, H, D })[0]!);
  },
  flops: ({ attributes: { B, S, H, D } }) => 6 * B * S * H * D,
};

/** The same with k and v written into caches, for generation: rows position .. position+S-1 of [B, H, capacity, D]. */
const rotaryIntoCache: Op<RotarySizes> = {
  name: 'rotary.intoCache',
  formula: rotaryForward.formula,
  inputs: rotaryForward.inputs,
  kernels: rotaryForward.kernels,
  outputs: ['q', { updates: 'k' }, { updates: 'v' }],
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

/** A rotation's transpose is the rotation by the opposite angle; then the heads are put side by side again. */
function rotaryBackwardReference(gradients: readonly Value[], table: Value, sizes: Record<string, number>) {
  const { B, S, H, D } = sizes as RotarySizes;
  const half = D / 2;
  const dQkv = new Float64Array(B * S * 3 * H * D);
  for (let b = 0; b < B; b++)
    for (let s = 0; s < S; s++)
      for (let h = 0; h < H; h++)
        for (let d = 0; d < half; d++) {
          const cos = table.data[s * D + d]!;
          const sin = table.data[s * D + half + d]!;
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

const rotaryBackward: Op<{ B: number; S: number; H: number; D: number }> = {
  name: 'rotary.backward',
  formula: '(g, h) → (g·cos θ + h·sin θ, h·cos θ − g·sin θ) on dQ and dK',
  inputs: ['dQ', 'dK', 'dV', 'table'],
  outputs: ['dQkv'],
  shape: (_, { B, S, H, D }) => [{ shape: [B, S, 3 * H * D] }],
  reference: ([dQ, dK, dV, table], sizes) => [rotaryBackwardReference([dQ!, dK!, dV!], table!, sizes)],
  kernels: ({ adapter, inputs, outputs, attributes: { B, S, H, D } }) => {
    const extent = { elements: (B * S * H * D) / 2, rows: B * S };
    return [copyKernel('rotary.backward', adapter, extent, { ...inputs, ...outputs }, { B, S, H, D })];
  },
  flops: ({ attributes: { B, S, H, D } }) => 6 * B * S * H * D,
};

export const rotaryRow: OpRow = {
  name: 'rotary',
  shaders: ['rotary.forward', 'rotary.backward'],
  samples: [
    {
      name: 'S = n',
      inputs: (n) => ({ qkv: [2, n, 3 * 2 * 4] }),
      call(x, n) {
        const { program } = x.qkv!;
        const table = program.constant('table', [n, 4], rotaryTable(n, 4));
        const { q, k, v } = rotary(x.qkv!, table, program.constant('position', [1], new Uint32Array(1)), 2);
        return [q, k, v];
      },
    },
    {
      name: 'D = 2n',
      inputs: (n) => ({ qkv: [1, 3, 3 * 2 * 2 * n] }),
      call(x, n) {
        const { program } = x.qkv!;
        const table = program.constant('table', [3, 2 * n], rotaryTable(3, 2 * n));
        const { q, k } = rotary(x.qkv!, table, program.constant('position', [1], new Uint32Array(1)), 2);
        return [q, k];
      },
    },
  ],
};
