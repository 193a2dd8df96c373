import { ShapeError } from '../../common/errors.js';
import { onePerWorkgroup } from '../kernel.js';
import type { Op } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';

/**
 * Mark a step as failed if its loss is infinite or not a number. The mark stays until TypeScript writes 0:
 * `gradientNorm` then gives a scale of 0 and `adamW` changes nothing, in this step and in every later one that was
 * submitted before TypeScript knew.
 *
 * failed ← 1 where x is not finite
 *
 * @param x [1], the loss   @param failed [1], changed in place
 * @throws ShapeError when x is not one number
 */
export function markNonFinite(x: Tensor, failed: Tensor): void {
  x.program.record(markNonFiniteOp, [x, failed], {}, [failed]);
}

const markNonFiniteOp: Op = {
  name: 'markNonFinite',
  formula: 'failed ← 1 where x is not finite',
  inputs: ['x', 'failed'],
  outputs: ['failed'],
  existing: { failed: 'inPlace' },
  shape([x, failed]) {
    if (x!.size !== 1) throw new ShapeError('markNonFinite', 'x must be one number', { x: x! });
    return [{ shape: failed!.shape }];
  },
  reference: ([x, failed]) => [Number.isFinite(x!.data[0]!) ? failed!.data : Float64Array.of(1)],
  dispatches: ({ tensors }) => [onePerWorkgroup('markNonFinite', 1, 1, tensors, undefined)],
};

export const markNonFiniteRow: OpRow = {
  name: 'markNonFinite',
  passes: ['markNonFinite'],
  samples: [sample('a finite loss'), ...[Number.NaN, Infinity, -Infinity].map((x) => sample(`a loss of ${x}`, x))],
};

/** @param x the loss; random by default */
function sample(name: string, x?: number): OpRow['samples'][number] {
  return {
    name,
    inputs: () => (x === undefined ? { x: [1] } : {}),
    states: () => ({ failed: [1] }),
    fixed: ['x'],
    call({ x: drawn, failed }) {
      markNonFinite(drawn ?? failed!.program.constant('x', [1], Float32Array.of(x!)), failed!);
      return [failed!];
    },
    roundings: 0,
  };
}
