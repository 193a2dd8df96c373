import { ShapeError } from '../../common/errors.js';
import { sameShape } from '../../common/shape.js';
import { onePerInvocation } from '../kernel.js';
import { kernelsFor } from '../kernelTable.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';

/**
 * `B` batch, `H` heads, `S` query rows, `D` head width, `P` slots, `capacity` rows of k and v.
 * Named by letters as in the README; `scale` is 1/√D.
 */
export interface AttentionSizes extends Record<string, number> {
  B: number;
  H: number;
  S: number;
  D: number;
  P: number;
  capacity: number;
  scale: number;
}

/** Keys that the query at absolute position i may see are 0 .. limit-1: all slots, and the stream up to itself. */
export function visibleKeys(i: number, P: number): number {
  return Math.max(i + 1, P);
}

/**
 * Prefix-LM attention: every position sees all P slots; a stream position also sees the stream up to itself.
 *
 * y[i] = Σ_j p_ij v[j],  p_ij = exp(scale · q[i]·k[j] - lse[i]),  lse[i] = log Σ_j exp(scale · q[i]·k[j])
 *
 * The forward kernel keeps one running softmax per row and stores only lse; no S × S matrix exists.
 *
 * @param q [B, H, S, D]   @param k [B, H, capacity, D]   @param v the same
 * @param position [1] u32, position of query row 0 in the sequence   @param P slots
 * @returns y [B, S, H*D], heads concatenated; keeps lse [B, H, S] for backward
 * @throws ShapeError when q, k and v do not fit together
 * @see Vaswani et al. 2017, arXiv:1706.03762; Dao et al. 2022, arXiv:2205.14135
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, position: Tensor, P: number): Tensor {
  const { program } = q;
  const [B, H, S, D] = q.shape;
  const capacity = k.shape[2] ?? 0;
  if (q.shape.length !== 4 || !sameShape(k.shape, v.shape) || !sameShape(k.shape, [B!, H!, capacity, D!])) {
    throw new ShapeError('attention', 'q must be [B, H, S, D], k and v [B, H, capacity, D]', { q, k, v });
  }
  const sizes = { B: B!, H: H!, S: S!, D: D!, P, capacity, scale: 1 / Math.sqrt(D!) };
  return program.record(attentionForward, [q, k, v, position], sizes)[0]!;
}

function attentionReference(q: Value, k: Value, v: Value, first: number, sizes: AttentionSizes): Float64Array[] {
  const { B, H, S, D, P, capacity, scale } = sizes;
  const y = new Float64Array(B * S * H * D);
  const lse = new Float64Array(B * H * S);
  for (let head = 0; head < B * H; head++) {
    for (let s = 0; s < S; s++) {
      const limit = Math.min(visibleKeys(first + s, P), capacity);
      const scores = scoresOf(q, k, head * S + s, head * capacity, limit, D, scale);
      const largest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), 0);
      lse[head * S + s] = largest + Math.log(total);
      const to = ((Math.floor(head / H) * S + s) * H + (head % H)) * D; // y[b, s, h*D]
      for (let j = 0; j < limit; j++) {
        const p = Math.exp(scores[j]! - largest) / total;
        for (let d = 0; d < D; d++) y[to + d]! += p * v.data[(head * capacity + j) * D + d]!;
      }
    }
  }
  return [y, lse];
}

/** scale · q[row]·k[j] for the visible keys j of one query row. */
function scoresOf(q: Value, k: Value, row: number, firstKey: number, limit: number, D: number, scale: number) {
  const scores = new Float64Array(limit);
  for (let j = 0; j < limit; j++) {
    let dot = 0;
    for (let d = 0; d < D; d++) dot += q.data[row * D + d]! * k.data[(firstKey + j) * D + d]!;
    scores[j] = scale * dot;
  }
  return scores;
}

/** Multiply-adds of the visible pairs, twice over: scores and weighted values. */
function pairs({ B, H, S, P }: Record<string, number>): number {
  let visible = 0;
  for (let i = 0; i < S!; i++) visible += visibleKeys(i, P!);
  return B! * H! * visible;
}

const attentionForward: Op<AttentionSizes> = {
  name: 'attention.forward',
  formula: 'y[i] = Σ_j p[i,j] v[j],  p[i,j] = softmax over visible j of q[i]·k[j]/√D',
  inputs: ['q', 'k', 'v', { name: 'position', dtype: 'u32', idLimit: (_, { S, capacity }) => capacity - S + 1 }],
  outputs: ['y', 'lse'],
  shape: (_, { B, H, S, D }) => [{ shape: [B, S, H * D] }, { shape: [B, H, S] }],
  reference: ([q, k, v, position], sizes) => attentionReference(q!, k!, v!, position!.data[0]!, sizes),
  dispatches: ({ adapter, tensors, attributes }) => kernelsFor('attention.forward', adapter, tensors, attributes),
  backward({ inputs: [q, k, v], outputs: [y, lse], attributes: sizes, gradients: [gradient], addGradient }) {
    const { program } = q!;
    const { B, H, S, D, P, capacity, scale } = sizes;
    if (capacity !== S) {
      throw new ShapeError('attention', 'gradients need as many keys as queries', { q: q!, k: k! });
    }
    const dY = program.contiguous(gradient!);
    const delta = program.record(attentionDeltaOp, [y!, dY], { B, H, S, D })[0]!;
    const saved = [q!, k!, v!, dY, lse!, delta];
    if (q!.requiresGradient) addGradient(q!, program.record(attentionBackwardQOp, saved, { B, H, S, D, P, scale })[0]!);
    if (k!.requiresGradient || v!.requiresGradient) {
      const [dK, dV] = program.record(attentionBackwardKVOp, saved, { B, H, S, D, P, scale });
      if (k!.requiresGradient) addGradient(k!, dK!);
      if (v!.requiresGradient) addGradient(v!, dV!);
    }
  },
  flops: ({ attributes }) => 4 * pairs(attributes as AttentionSizes) * (attributes.D as number),
};

type BackwardSizes = { B: number; H: number; S: number; D: number; P: number; scale: number };

/** delta[b, h, s] = Σ_d dY[b, s, h, d] · y[b, s, h, d] = Σ_j p_ij dP_ij, which the softmax's gradient subtracts. */
const attentionDeltaOp: Op<{ B: number; H: number; S: number; D: number }> = {
  name: 'attention.delta',
  formula: 'delta[i] = Σ_d dY[i,d] · y[i,d]',
  inputs: ['y', 'dY'],
  outputs: ['delta'],
  shape: (_, { B, H, S }) => [{ shape: [B, H, S] }],
  reference([y, dY], { B, H, S, D }) {
    const delta = new Float64Array(B * H * S);
    for (let b = 0; b < B; b++)
      for (let s = 0; s < S; s++)
        for (let h = 0; h < H; h++)
          for (let d = 0; d < D; d++) {
            const at = ((b * S + s) * H + h) * D + d; // y[b, s, h*D + d]
            delta[(b * H + h) * S + s]! += y!.data[at]! * dY!.data[at]!;
          }
    return [delta];
  },
  dispatches({ tensors, attributes }) {
    const { B, H, S } = attributes;
    return [onePerInvocation('attention.delta', B * H * S, tensors, attributes)];
  },
  flops: ({ inputs: [y] }) => 2 * y!.size,
};

/**
 * Visit every visible pair (i, j) of every head with p_ij and dS_ij = p_ij (dY[i]·v[j] - delta[i]), the gradient by the
 * score. The two backward references differ only in the terms that they sum.
 */
function visitPairs(
  [q, k, v, dY, lse, delta]: readonly Value[],
  { B, H, S, D, P, scale }: BackwardSizes,
  visit: (row: number, key: number, at: number, p: number, dS: number) => void,
): void {
  for (let head = 0; head < B * H; head++) {
    for (let i = 0; i < S; i++) {
      const row = head * S + i; // q[b, h, i]
      const at = ((Math.floor(head / H) * S + i) * H + (head % H)) * D; // dY[b, i, h*D]
      const limit = Math.min(visibleKeys(i, P), S);
      const scores = scoresOf(q!, k!, row, head * S, limit, D, scale);
      for (let j = 0; j < limit; j++) {
        const key = head * S + j; // k[b, h, j]
        const p = Math.exp(scores[j]! - lse!.data[row]!);
        let dP = 0;
        for (let d = 0; d < D; d++) dP += dY!.data[at + d]! * v!.data[key * D + d]!;
        visit(row, key, at, p, p * (dP - delta!.data[row]!));
      }
    }
  }
}

const attentionBackwardQOp: Op<BackwardSizes> = {
  name: 'attention.backwardQ',
  formula: 'dQ[i] = scale · Σ_j p[i,j] (dY[i]·v[j] − delta[i]) k[j]',
  inputs: ['q', 'k', 'v', 'dY', 'lse', 'delta'],
  outputs: ['dQ'],
  shape: ([q]) => [{ shape: q!.shape }],
  reference(inputs, sizes) {
    const { D, scale } = sizes;
    const k = inputs[1]!;
    const dQ = new Float64Array(inputs[0]!.data.length);
    visitPairs(inputs, sizes, (row, key, _at, _p, dS) => {
      for (let d = 0; d < D; d++) dQ[row * D + d]! += scale * dS * k.data[key * D + d]!;
    });
    return [dQ];
  },
  dispatches: ({ adapter, tensors, attributes }) => kernelsFor('attention.backwardQ', adapter, tensors, attributes),
  flops: ({ attributes }) => 6 * pairs(attributes as BackwardSizes) * (attributes.D as number),
};

const attentionBackwardKVOp: Op<BackwardSizes> = {
  name: 'attention.backwardKV',
  formula: 'dV[j] = Σ_i p[i,j] dY[i],  dK[j] = scale · Σ_i p[i,j] (dY[i]·v[j] − delta[i]) q[i]',
  inputs: ['q', 'k', 'v', 'dY', 'lse', 'delta'],
  outputs: ['dK', 'dV'],
  shape: ([, k]) => [{ shape: k!.shape }, { shape: k!.shape }],
  reference(inputs, sizes) {
    const { D, scale } = sizes;
    const [q, k, , dY] = inputs;
    const dK = new Float64Array(k!.data.length);
    const dV = new Float64Array(k!.data.length);
    visitPairs(inputs, sizes, (row, key, at, p, dS) => {
      for (let d = 0; d < D; d++) {
        dK[key * D + d]! += scale * dS * q!.data[row * D + d]!;
        dV[key * D + d]! += p * dY!.data[at + d]!;
      }
    });
    return [dK, dV];
  },
  dispatches: ({ adapter, tensors, attributes }) => kernelsFor('attention.backwardKV', adapter, tensors, attributes),
  flops: ({ attributes }) => 8 * pairs(attributes as BackwardSizes) * (attributes.D as number),
};

/** A sample with S = n rows of which `slots(n)` are slots, in B sequences of H heads. */
function sample(name: string, slots: (n: number) => number, D: number, [B, H] = [2, 2]): OpRow['samples'][number] {
  return {
    name,
    inputs: (n) => ({ q: [B, H, n, D], k: [B, H, n, D], v: [B, H, n, D] }),
    // For a row that sees one key, dQ and dK are 0: dY·v and delta are equal except for rounding, and cancel.
    floor: 1,
    call(x, n) {
      const position = x.q!.program.constant('position', [1], new Uint32Array(1));
      return [attention(x.q!, x.k!, x.v!, position, slots(n))];
    },
  };
}

export const attentionRow: OpRow = {
  name: 'attention',
  passes: ['attention.forward', 'attention.delta', 'attention.backwardQ', 'attention.backwardKV'],
  samples: [
    sample('causal, S = n', () => 0, 32),
    sample('half slots, S = n', (n) => n >> 1, 36),
    sample('all slots, S = n', (n) => n, 32, [1, 3]),
    sample('wider than fast kernels take, S = n', (n) => n >> 1, 130),
    {
      name: 'queries from position 5 on, before n + 9 keys',
      inputs: (n) => ({ q: [2, 3, 4, 20], k: [2, 3, n + 9, 20], v: [2, 3, n + 9, 20] }),
      fixed: ['q', 'k', 'v'], // gradients need as many keys as queries
      call(x, n) {
        const position = x.q!.program.constant('position', [1], Uint32Array.of(5));
        return [attention(x.q!, x.k!, x.v!, position, n % 8)];
      },
    },
  ],
};
