import { onePerWorkgroup } from '../kernel.js';
import { kernelsFor } from '../kernelTable.js';
import type { Op } from '../op.js';
import type { OpRow, OpSample } from '../registry.js';
import type { Tensor } from '../tensor.js';

/** Invocations per workgroup, and the number of floats that each one sums. */
const LANES = 64;
const ITEMS = 64;

/**
 * Norm of all gradients together, and the factor that clips it: computed and used on the device, so that clipping needs
 * no readback. `gradientScale` (1 / micro-batches) also turns summed gradients into their mean.
 *
 * norm = gradientScale · √(Σ g²),   scale = gradientScale · min(1, maxNorm / (norm + 1e-6))
 *
 * If the norm is not finite, `failed` becomes 1; `markNonFinite` sets it for the loss. As long as it is not 0, scale is
 * 0 and `adamW` changes nothing: a failed step does no damage, and neither do those submitted after it before
 * TypeScript has read its loss.
 *
 * @param g [n], the flat gradients   @param scalars [4]: learning rate, 1 - beta1^t, 1 - beta2^t, gradientScale
 * @param failed [1], changed in place
 * @returns [2], norm and scale
 * @see torch.nn.utils.clip_grad_norm_
 */
export function gradientNorm(g: Tensor, scalars: Tensor, failed: Tensor, maxNorm: number): Tensor {
  return g.program.record(gradientNormOp, [g, scalars, failed], { maxNorm }, [failed])[0]!;
}

const gradientNormOp: Op<{ maxNorm: number }> = {
  name: 'gradientNorm',
  formula: 'norm = √(Σ g²),  scale = min(1, maxNorm / (norm + 1e-6)), 0 where failed',
  inputs: ['g', 'scalars', 'failed'],
  outputs: ['clip', 'failed'],
  existing: { failed: 'inPlace' },
  shape: ([, , failed]) => [{ shape: [2] }, { shape: failed!.shape }],
  reference([g, scalars, failed], { maxNorm }) {
    const gradientScale = scalars!.data[3]!;
    const norm = gradientScale * Math.sqrt(g!.data.reduce((sum, value) => sum + value * value, 0));
    const mark = Number.isFinite(Math.fround(norm)) ? failed!.data[0]! : 1;
    const scale = gradientScale * Math.min(1, maxNorm / (norm + 1e-6));
    return [Float64Array.of(norm, mark === 0 ? scale : 0), Float64Array.of(mark)];
  },
  dispatches({ adapter, tensors: { g, scalars, failed, clip }, attributes: { maxNorm } }) {
    // The flat buffer may be longer than one binding: each range writes its partial sums after those of the ranges
    // before it.
    const ranges = splitRange(g!.size, adapter.limits.maxStorageBufferBindingSize);
    const groups = ranges.map(({ length }) => Math.ceil(length / (LANES * ITEMS)));
    const M = groups.reduce((sum, n) => sum + n, 0);
    const partials = { storage: { label: 'partials', length: M * LANES } }; // [M, LANES]
    let first = 0;
    const sums = ranges.map((range, i) => {
      const bind = { g: { storage: g!.storage, ...range }, partials };
      const params = { n: range.length, first };
      first += groups[i]! * LANES;
      return onePerWorkgroup('gradientNorm.partial', groups[i]!, LANES, bind, params, { ITEMS });
    });
    const bind = { partials, scalars: scalars!, failed: failed!, clip: clip! };
    return [...sums, ...kernelsFor('gradientNorm.finish', adapter, bind, { M, N: LANES, maxNorm })];
  },
  flops: ({ inputs: [g] }) => 2 * g!.size,
};

/** Ranges of a flat buffer that fit one binding each, in elements; a multiple of 64 so that offsets stay aligned. */
export function splitRange(length: number, maxBytes: number): { offset: number; length: number }[] {
  const most = Math.floor(maxBytes / 256) * 64;
  const ranges: { offset: number; length: number }[] = [];
  for (let offset = 0; offset < length; offset += most)
    ranges.push({ offset, length: Math.min(most, length - offset) });
  return ranges;
}

export const gradientNormRow: OpRow = {
  name: 'gradientNorm',
  passes: ['gradientNorm.partial', 'gradientNorm.finish'],
  samples: [
    sample('n', (n) => n * 67),
    sample('shorter than the longest allowed, n', (n) => n, 1e3),
    sample('enough for partial sums of partial sums', (n) => n + 64 * 64 * 33),
    {
      ...sample('after a step that failed, n', (n) => n),
      states: () => ({ failed: [1] }),
      call: (x) => [gradientNorm(x.g!, x.scalars!, x.failed!, 1)],
    },
  ],
};

/** A sample of gradients of some length, and of a state `failed` that is 0. */
function sample(name: string, length: (n: number) => number, maxNorm = 1): OpSample {
  return {
    name,
    inputs: (n) => ({ g: [length(n)], scalars: [4] }),
    fixed: ['g', 'scalars'],
    call: ({ g, scalars }) => [gradientNorm(g!, scalars!, g!.program.state('failed', [1]), maxNorm)],
  };
}
