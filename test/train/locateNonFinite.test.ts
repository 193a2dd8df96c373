import { expect, test } from 'vitest';
import { initialParameters } from '../../src/model/parameters.js';
import { Trainer } from '../../src/train/trainer.js';
import { mix } from '../../src/train/windows/mix.js';
import { openText } from '../../src/train/windows/text.js';
import { TINY } from '../support/decoders.js';
import { testDevice } from '../support/device.js';

const WINDOW = { prefix: 32, stream: 32 };
const batchOf = (step: number) => mix([{ source: openText([], WINDOW), share: 1 }]).batch(0, step, 2);

async function blamed(name: string, batch = batchOf(0)) {
  const parameters = initialParameters(TINY, 0);
  if (name !== '') parameters.set(name, parameters.get(name)!.fill(Number.NaN, 1, 2));
  const trainer = await Trainer.create(await testDevice(), { config: TINY, batch: 2, sizes: [WINDOW], parameters });
  expect((await trainer.update([batch], 1e-3)).finite).toBe(false);
  const culprit = await trainer.locateNonFinite([batch], 1e-3);
  trainer.free();
  return culprit;
}

test('a parameter that is not finite is blamed on what changes parameters, not on the op that reads it', async () => {
  const culprit = await blamed('norm.weight');
  expect(culprit).toMatchObject({ op: 'adamW', scope: 'optimiser' });
  expect(culprit!.words).toMatch(/reads norm\.weight\[1\] is NaN, since adamW changed it last$/);
});

test('names a wrong input together with the op that reads it', async () => {
  const batch = batchOf(0);
  const culprit = await blamed('', { ...batch, weights: batch.weights.map(() => Number.POSITIVE_INFINITY) });
  expect(culprit!.op).toBe('crossEntropy');
  expect(culprit!.words).toMatch(/reads weights\[0\] is Infinity$/);
});
