import { InputError, ShapeError } from '../../common/errors.js';
import { lastOf, rowsOf, sameShape } from '../../common/shape.js';
import { onePerWorkgroup } from '../kernel.js';
import { kernelsFor } from '../kernelTable.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';

/**
 * Weighted mean of the loss of each target in nats: `loss = Σ_n w[n] · nats[n] / Σ_n w[n]`,
 * `nats[n] = log Σ_v exp(logits[n, v]) - logits[n, target[n]]`. Divide by ln 2 for bits.
 *
 * The gradient by the logits needs no later value, so it is computed in the same pass. If all weights are 0, loss and
 * gradients are 0.
 *
 * @param logits [..., V]   @param targets [...] u32, below V   @param weights [...], 0 excludes a position; default 1
 * @returns loss [1] and nats [...], in nats
 * @throws ShapeError when targets or weights are not [...], or targets not u32
 */
export function crossEntropy(logits: Tensor, targets: Tensor, weights?: Tensor): { loss: Tensor; nats: Tensor } {
  const { program } = logits;
  const ones = () => program.constant('weights', targets.shape, new Float32Array(targets.size).fill(1));
  const [loss, nats] = program.record(crossEntropyForward, [logits, targets, weights ?? ones()], {});
  return { loss: loss!, nats: nats! };
}

/** loss, nats, dLogits and the total of the weights. */
function crossEntropyReference(logits: Value, targets: Value, weights: Value): Float64Array[] {
  const V = lastOf(logits.shape);
  const N = rowsOf(logits.shape);
  const nats = new Float64Array(N);
  const dLogits = new Float64Array(N * V);
  const total = weights.data.reduce((sum, w) => sum + w, 0);
  let loss = 0;
  for (let n = 0; n < N; n++) {
    const row = logits.data.subarray(n * V, n * V + V); // logits[n, :]
    const target = targets.data[n]!;
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((s, logit) => s + Math.exp(logit - largest), 0);
    nats[n] = Math.log(sum) + largest - row[target]!;
    const share = total > 0 ? weights.data[n]! / total : 0;
    loss += share * nats[n]!;
    for (let v = 0; v < V; v++) {
      dLogits[n * V + v] = share * (Math.exp(row[v]! - largest) / sum - (v === target ? 1 : 0));
    }
  }
  return [Float64Array.of(loss), nats, dLogits, Float64Array.of(total)];
}

const crossEntropyForward: Op = {
  name: 'crossEntropy',
  formula: 'nats = log Σ_v e^logits[v] − logits[target],  loss = Σ w·nats / Σ w,  dLogits = w/Σw · (softmax − onehot)',
  inputs: ['logits', { name: 'targets', dtype: 'u32', idLimit: ([logits]) => lastOf(logits!.shape) }, 'weights'],
  outputs: ['loss', 'nats', 'dLogits', 'total'],
  shape([logits, targets, weights]) {
    const rows = logits!.shape.slice(0, -1);
    for (const [name, tensor] of Object.entries({ targets: targets!, weights: weights! })) {
      if (!sameShape(tensor.shape, rows)) {
        const rule = `${name} must be [...], where logits is [..., V]`;
        throw new ShapeError('crossEntropy', rule, { logits: logits!, [name]: tensor });
      }
    }
    return [{ shape: [1] }, { shape: rows }, { shape: logits!.shape }, { shape: [1] }];
  },
  reference: ([logits, targets, weights]) => crossEntropyReference(logits!, targets!, weights!),
  dispatches({ adapter, tensors: { logits, targets, weights, loss, nats, dLogits, total } }) {
    const N = rowsOf(logits!.shape);
    const weighted = { weights: weights!, total: total! };
    const rows = { ...weighted, logits: logits!, targets: targets!, nats: nats!, dLogits: dLogits! };
    return [
      onePerWorkgroup('crossEntropy.total', 1, 64, weighted, { N }),
      ...kernelsFor('crossEntropy.forward', adapter, rows, { N, V: lastOf(logits!.shape) }),
      onePerWorkgroup('crossEntropy.reduce', 1, 64, { ...weighted, nats: nats!, loss: loss! }, { N }),
    ];
  },
  backward({ inputs: [logits, , weights], outputs: [, , dLogits], gradients: [dLoss, dNats], addGradient }) {
    if (dNats !== undefined) {
      const rule = 'gradients flow through the loss, not through nats';
      throw new ShapeError('crossEntropy', rule, { logits: logits! });
    }
    if (weights!.requiresGradient)
      throw new InputError(`crossEntropy: there is no gradient by weights; ${weights} wants one`);
    // dLogits was computed for a loss whose own gradient is 1.
    const isOne = dLoss!.storage.data?.every((value) => value === 1);
    if (logits!.requiresGradient) addGradient(logits!, isOne ? dLogits! : dLogits!.mul(dLoss!));
  },
  flops: ({ inputs: [logits] }) => 6 * logits!.size,
};

export const crossEntropyRow: OpRow = {
  name: 'crossEntropy',
  passes: ['crossEntropy.total', 'crossEntropy.forward', 'crossEntropy.reduce'],
  samples: [
    {
      name: 'V = 258, rows = n',
      inputs: (n) => ({ logits: [n, 258], weights: [n] }),
      ids: (n) => ({ targets: { shape: [n], idLimit: 258 } }),
      fixed: ['weights'],
      call: (x) => [crossEntropy(x.logits!, x.targets!, x.weights!).loss],
    },
    {
      name: 'V = n',
      inputs: (n) => ({ logits: [5, n], weights: [5] }),
      ids: (n) => ({ targets: { shape: [5], idLimit: n } }),
      fixed: ['weights'],
      call: (x) => [crossEntropy(x.logits!, x.targets!, x.weights!).loss],
    },
    {
      name: 'a part of the loss, V = n',
      inputs: (n) => ({ logits: [5, n], factor: [1] }),
      ids: (n) => ({ targets: { shape: [5], idLimit: n } }),
      call: (x) => [crossEntropy(x.logits!, x.targets!).loss.mul(x.factor!).add(x.factor!)],
    },
    {
      name: 'no weights, rows = n',
      inputs: (n) => ({ logits: [2, n, 7] }),
      ids: (n) => ({ targets: { shape: [2, n], idLimit: 7 } }),
      call: (x) => [crossEntropy(x.logits!, x.targets!).loss],
    },
  ],
};
