import { expect, test } from 'vitest';
import { gradientNorm } from '../../../src/engine/ops/gradientNorm.js';
import { Plan } from '../../../src/engine/plan.js';
import { Program } from '../../../src/engine/program.js';
import { ReferenceRun } from '../../../src/engine/reference.js';
import { testDevice } from '../../support/device.js';

/** Norm and scale of gradients [3, 4] in which the first number is replaced. */
async function clipOf(first: number, loss: number) {
  const program = new Program();
  const g = program.input('g', [2]);
  const step = program.constant('step', [4], Float32Array.of(0.1, 1, 1, 1));
  const nats = program.input('loss', [1]);
  const clip = gradientNorm(g, step, nats, 1);
  const feeds = new Map([
    [g, Float32Array.of(first, 4)],
    [nats, Float32Array.of(loss)],
  ]);
  const plan = await Plan.compile(program, await testDevice(), { keep: [clip] });
  for (const [tensor, data] of feeds) plan.write(tensor, data);
  const [kernel] = await plan.replayAndRead([clip]);
  plan.free();
  return { kernel: [...kernel!], reference: [...new ReferenceRun(program, feeds).run().value(clip).data] };
}

test('norm 5 is clipped to 1', async () => {
  const { kernel, reference } = await clipOf(3, 2);
  expect(kernel[0]).toBe(5); // √(9 + 16)
  expect(kernel[1]).toBeCloseTo(0.2, 6);
  expect(reference[1]).toBeCloseTo(0.2, 6);
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
  expect(kernel[1]).toBe(0);
  if (first !== 3e38) expect(reference[1]).toBe(0); // float64 holds its square
});
