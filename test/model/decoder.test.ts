import { afterEach, expect, test, vi } from 'vitest';
import { Decoder } from '../../src/model/decoder.js';
import { Evaluator } from '../../src/model/evaluator.js';
import { TINY } from '../support/decoders.js';
import { testDevice } from '../support/device.js';
import { countObjects } from '../support/gpuObjects.js';

afterEach(() => {
  vi.restoreAllMocks();
});

test('a score that fails gives its memory back', async () => {
  const device = await testDevice();
  const live = countObjects(device.gpu);
  vi.spyOn(Evaluator.prototype, 'nats').mockRejectedValue(new Error('no nats'));
  const scoring = new Decoder(device, TINY).score(Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5));
  await expect(scoring).rejects.toThrow('no nats');
  expect(live.buffers).toBe(0);
});
