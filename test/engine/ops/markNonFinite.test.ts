import { expect, test } from 'vitest';
import { markNonFinite } from '../../../src/engine/ops/markNonFinite.js';
import { Plan } from '../../../src/engine/plan.js';
import { Program } from '../../../src/engine/program.js';
import { testDevice } from '../../support/device.js';

test('a loss that is not finite sets the mark, and a finite one leaves it', async () => {
  const program = new Program();
  const loss = program.input('loss', [1]);
  const failed = program.state('failed', [1]);
  markNonFinite(loss, failed);
  const plan = await Plan.compile(program, await testDevice());
  const marks: number[] = [];
  for (const nats of [5.5, 3.4e38, Number.NaN, 5.5]) {
    plan.write(loss, Float32Array.of(nats));
    marks.push((await plan.replayAndRead([failed]))[0]![0]!);
  }
  plan.free();
  expect(marks).toEqual([0, 0, 1, 1]);
});

test('takes one number', () => {
  const program = new Program();
  const losses = program.input('losses', [2]);
  expect(() => markNonFinite(losses, program.state('failed', [1]))).toThrow(
    'markNonFinite: x must be one number; got x [2]',
  );
});
