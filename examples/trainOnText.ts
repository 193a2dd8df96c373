// Train a tiny zero-door decoder on a text of yours: node trainOnText.js my.txt
import { initialParameters, learningRate, mix, openDevice, openText, SIZES, Trainer } from 'byte-to-loss';

const device = await openDevice();
const text = openText(process.argv.slice(2), { prefix: 64, stream: 64 }); // no file: Moby-Dick
const config = { door: 'zero', ...SIZES.tiny } as const;
const parameters = initialParameters(config, 0);
const trainer = await Trainer.create(device, { config, batch: 4, sizes: [text.size], parameters });
const windows = mix([{ source: text, share: 1 }]);
for (let step = 0; step < 50; step++) {
  const lr = learningRate({ lr: 2e-3, warmup: 10, steps: 50 }, step + 1);
  const { nats } = await trainer.update([windows.batch(0, step, 4)], lr);
  if (step % 10 === 9) console.log(`step ${step + 1}  ${(nats / Math.LN2).toFixed(3)} bits/byte`);
}
device.close();
