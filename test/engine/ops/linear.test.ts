import { expect, test } from 'vitest';
import { linear } from '../../../src/engine/ops/linear.js';
import { Program } from '../../../src/engine/program.js';
import { testDevice } from '../../support/device.js';
import { evaluate } from '../../support/evaluate.js';

test('a layer with and without its bias', async () => {
  const device = await testDevice();
  const numbers = {
    x: { shape: [1, 1, 2], data: Float32Array.of(1, 2) },
    weight: { shape: [3, 2], data: Float32Array.of(1, 0, 0, 1, 3, 4) },
    bias: { shape: [3], data: Float32Array.of(10, 20, 30) },
  };
  const plain = await evaluate(device, numbers, ({ x, weight }) => linear(x, weight));
  expect(plain).toEqual({ shape: [1, 1, 3], data: Float32Array.of(1, 2, 11) }); // 1·3 + 2·4 = 11
  const shifted = await evaluate(device, numbers, ({ x, weight, bias }) => linear(x, weight, bias));
  expect(shifted).toEqual({ shape: [1, 1, 3], data: Float32Array.of(11, 22, 41) });
});

test('without a bias the errors are those of linear', () => {
  const program = new Program();
  expect(() => linear(program.input('x', [2, 3]), program.input('weight', [3, 4]))).toThrow(
    'linear: weight must be [out, in], where in is the last axis of x; got x [2, 3], weight [3, 4]',
  );
});
