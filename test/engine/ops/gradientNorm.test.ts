import { expect, test } from 'vitest';
import { gradientNorm } from '../../../src/engine/ops/gradientNorm.js';
import { markNonFinite } from '../../../src/engine/ops/markNonFinite.js';
import { Plan } from '../../../src/engine/plan.js';
import { Program } from '../../../src/engine/program.js';
import { ReferenceRun } from '../../../src/engine/reference.js';
import { testDevice } from '../../support/device.js';

/** Norm, scale and mark of gradients [3, 4] in which the first number is replaced, once for each loss. */
async function clipOf(first: number, ...losses: number[]) {
  const program = new Program();
  const g = program.input('g', [2]);
  const scalars = program.constant('scalars', [4], Float32Array.of(0.1, 1, 1, 1));
  const loss = program.input('loss', [1]);
  const failed = program.state('failed', [1]);
  markNonFinite(loss, failed);
  const clip = gradientNorm(g, scalars, failed, 1);
  const gradients = Float32Array.of(first, 4);
  const plan = await Plan.compile(program, await testDevice(), { keep: [clip] });
  plan.write(g, gradients);
  const kernel: number[][] = [];
  for (const nats of losses) {
    plan.write(loss, Float32Array.of(nats));
    kernel.push((await plan.replayAndRead([clip, failed])).flatMap((numbers) => [...numbers]));
  }
  plan.free();
  const feeds = new Map([
    [g, gradients],
    [loss, Float32Array.of(losses[0]!)],
  ]);
  const reference = new ReferenceRun(program, feeds).run();
  return { kernel, reference: [clip, failed].flatMap((tensor) => [...reference.value(tensor).data]) };
}

test('norm 5 is clipped to 1', async () => {
  const { kernel, reference } = await clipOf(3, 2);
  expect(kernel[0]![0]).toBe(5); // √(9 + 16)
  for (const [, scale, failed] of [kernel[0]!, reference]) {
    expect(scale).toBeCloseTo(0.2, 6);
    expect(failed).toBe(0);
  }
});

test('the scale stays 0 after a loss that was not finite', async () => {
  const { kernel } = await clipOf(3, 2, Number.NaN, 2);
  expect(kernel.map(([, scale, failed]) => [scale! > 0, failed])).toEqual([
    [true, 0],
    [false, 1],
    [false, 1],
  ]);
});

// 3e38² is beyond float32: each gradient is finite, their norm is not.
test.each([
  [Number.NaN, 2],
  [Number.POSITIVE_INFINITY, 2],
  [3e38, 2],
  [3, Number.NaN],
  [3, Number.POSITIVE_INFINITY],
  [3, Number.NEGATIVE_INFINITY],
])('with a gradient of %d and a loss of %d the scale is 0', async (first, loss) => {
  const { kernel, reference } = await clipOf(first, loss);
  expect(kernel[0]!.slice(1)).toEqual([0, 1]);
  if (first !== 3e38) expect(reference.slice(1)).toEqual([0, 1]); // float64 holds its square
});
