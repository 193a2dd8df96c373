import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../../src/common/errors.js';
import { crossEntropy } from '../../../src/engine/ops/crossEntropy.js';
import { Program } from '../../../src/engine/program.js';
import { ReferenceRun } from '../../../src/engine/reference.js';

function recorded() {
  const program = new Program();
  const logits = program.input('logits', [2, 3, 5], 'f32', { requiresGradient: true });
  const targets = program.input('targets', [2, 3], 'u32');
  const weights = program.input('weights', [2, 3]);
  return { program, logits, targets, weights };
}

test('without weights every position counts once', () => {
  const program = new Program();
  const logits = program.input('logits', [2, 2]);
  const { loss } = crossEntropy(logits, program.constant('targets', [2], Uint32Array.of(0, 1)));
  // Odds of 3 to 1 for class 0: -ln 3/4 where it is the target, -ln 1/4 where it is not.
  const run = new ReferenceRun(program, new Map([[logits, [Math.log(3), 0, Math.log(3), 0]]])).run();
  expect(run.value(loss).data[0]).toBeCloseTo((Math.log(4 / 3) + Math.log(4)) / 2, 12);
});

describe('errors', () => {
  test('targets that are not ids', () => {
    const { logits, weights } = recorded();
    expect(() => crossEntropy(logits, weights, weights)).toThrow(
      new ShapeError(
        'crossEntropy',
        'targets must be u32, not f32',
        { targets: [2, 3] },
        "Ids come from a Uint32Array: input(label, shape, 'u32')",
      ),
    );
  });

  test('as many targets or weights, under another shape', () => {
    const { logits, targets, weights } = recorded();
    expect(() => crossEntropy(logits, targets.reshape([6]), weights)).toThrow(
      'crossEntropy: targets must be [...], where logits is [..., V]; got logits [2, 3, 5], targets [6]',
    );
    expect(() => crossEntropy(logits, targets, weights.transpose())).toThrow('got logits [2, 3, 5], weights [3, 2]');
  });

  test('a gradient by single nats', () => {
    const { program, logits, targets, weights } = recorded();
    const { nats } = crossEntropy(logits, targets, weights);
    expect(() => program.backward([[nats, weights]])).toThrow(
      'crossEntropy: gradients flow through the loss, not through nats; got logits [2, 3, 5]',
    );
  });
});
