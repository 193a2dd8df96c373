import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inModels, readCard } from '../models/card.js';
import { heldOutBits } from '../models/heldOut.js';
import { TRAINED } from '../src/cli/weights.js';
import { openDevice } from '../src/device/adapters.js';
import { bitsOf } from '../src/model/evaluator.js';
import { initialParameters } from '../src/model/parameters.js';
import { readCheckpoint } from '../src/train/checkpoint.js';
import { learningRate } from '../src/train/schedule.js';
import { Trainer } from '../src/train/trainer.js';
import { mix } from '../src/train/windows/mix.js';
import { openText } from '../src/train/windows/text.js';

const card = readCard();

test('the card describes the file in its folder, which is the default of the commands', () => {
  const bytes = readFileSync(inModels(card.file.name));
  expect(TRAINED).toBe(inModels(card.file.name));
  expect(bytes.length).toBe(card.file.bytes);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(card.file.sha256);
  expect(bytes.length).toBeLessThan(2.1 * card.parameters); // float16
  expect(JSON.parse(readFileSync('package.json', 'utf8')).scripts.model).toContain(
    card.command.replace('byte-to-loss ', ''),
  );
});

test('training its first steps again gives the losses of the card, to the bit, and its loss is what the card says', async () => {
  const device = await openDevice({ device: 'cpu' });
  try {
    const checkpoint = readCheckpoint(inModels(card.file.name));
    const { config, prefix, stream, seed } = checkpoint;
    const text = openText([], { prefix, stream }, { validationWindows: card.heldOut.windows });
    expect(await heldOutBits(device, checkpoint, text, 8)).toBe(card.heldOut.firstWindows);

    const windows = mix([{ source: text, share: 1 }]);
    const parameters = initialParameters(config, seed);
    const trainer = await Trainer.create(device, { config, batch: 8, sizes: [{ prefix, stream }], parameters });
    const losses: number[] = [];
    for (const _ of card.firstLosses) {
      const rate = learningRate({ lr: 2e-3, warmup: 20, steps: card.steps }, trainer.step + 1);
      const { nats } = await trainer.update([windows.batch(seed, trainer.step, 8)], rate);
      losses.push(bitsOf(nats));
    }
    trainer.free();
    expect(losses).toEqual(card.firstLosses);
  } finally {
    device.close();
  }
});
test('it is flat: the last quarter of its training gained less than a twentieth of a bit', () => {
  const { validation, heldOut, baselines } = card;
  const late = validation.filter(({ step }) => step >= 0.75 * card.steps);
  expect(late[0]!.bits - late.at(-1)!.bits).toBeLessThan(0.05);
  expect(heldOut.float16).toBeLessThan(baselines.gzip);
  expect(Math.abs(heldOut.float16 - heldOut.float32)).toBeLessThan(0.001);
});
