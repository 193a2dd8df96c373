import fc from 'fast-check';
import { add } from '../../src/engine/ops/binary.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { matmul } from '../../src/engine/ops/matmul.js';
import { Program } from '../../src/engine/program.js';
import type { Tensor } from '../../src/engine/tensor.js';

/** Shapes of `ranks[0]` to `ranks[1]` axes of 1 to 7 each. */
export function shapes([least, most]: readonly [number, number] = [1, 4]): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 1, max: 7 }), { minLength: least, maxLength: most });
}

/** A shape, and its axes in some order. */
export function permutedShapes(): fc.Arbitrary<{ shape: number[]; axes: number[] }> {
  return shapes([2, 4]).chain((shape) => {
    const axes = shape.map((_, axis) => axis);
    return fc.shuffledSubarray(axes, { minLength: axes.length }).map((axes) => ({ shape, axes }));
  });
}

/** A recorded program over one `[n, n]` input, and every tensor in it, the last of which is its result. */
export interface RandomProgram {
  readonly program: Program;
  readonly x: Tensor;
  readonly tensors: readonly Tensor[];
}

/** Programs of 2 to 14 ops, each reading one or two of the tensors before it: what liveness has to get right. */
export function programs(n = 6): fc.Arbitrary<RandomProgram> {
  const step = fc.record({ op: fc.constantFrom('add', 'gelu', 'matmul'), a: fc.nat(99), b: fc.nat(99) });
  return fc.array(step, { minLength: 2, maxLength: 14 }).map((steps) => {
    const program = new Program();
    const x = program.input('x', [n, n]);
    const tensors = [x];
    for (const { op, a, b } of steps) {
      const [left, right] = [tensors[a % tensors.length]!, tensors[b % tensors.length]!];
      if (op === 'add') tensors.push(add(left, right));
      else tensors.push(op === 'gelu' ? gelu(left) : matmul(left, right.transpose()));
    }
    return { program, x, tensors };
  });
}
