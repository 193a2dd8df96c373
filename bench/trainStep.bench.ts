/** A training step of the tiny decoder, whole and in parts. `npx tsx bench/trainStep.bench.ts [device]` */
import { Bench } from 'tinybench';
import { integers } from '../src/common/random.js';
import { openDevice } from '../src/device/adapters.js';
import { SIZES } from '../src/model/config.js';
import { initialParameters } from '../src/model/parameters.js';
import { Trainer } from '../src/train/trainer.js';
import { rowsOf } from './suite.js';

const [name] = process.argv.slice(2);
const device = await openDevice(name === undefined ? {} : { device: name });
const config = { door: 'zero', ...SIZES.tiny } as const;
const [batch, size] = [4, { prefix: 128, stream: 128 }];
const parameters = initialParameters(config, 0);
const trainer = await Trainer.create(device, { config, batch, sizes: [size], parameters });
const windows = {
  size,
  prefix: integers(1, 'prefix', batch * size.prefix, 256),
  targets: integers(1, 'targets', batch * size.stream, 256),
  weights: new Float32Array(batch * size.stream).fill(1),
};
const { plan } = trainer;

const bench = new Bench({ time: 1500, warmupTime: 300 });
bench
  // `async`, so that tinybench need not call it once to see that it is: two updates at once would read into one buffer.
  .add('step: batch written, loss and norm read', async () => {
    await trainer.update([windows], 1e-3);
  })
  .add('without clip and AdamW', async () => {
    await plan.replay({ update: false });
    await plan.finished();
  })
  .add('encode it, and submit nothing', () => {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    plan.encode(pass, plan.steps);
    pass.end();
    encoder.finish();
  });
await bench.run();
console.log(`${plan.steps.length} dispatches on ${device.name}`);
console.table(rowsOf(bench));
trainer.free();
device.close();
