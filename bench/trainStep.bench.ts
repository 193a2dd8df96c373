/**
 * A training step of the tiny decoder, whole and in parts; then steps whose loss is read before the next one is
 * submitted, or after it, taking turns. `npx tsx bench/trainStep.bench.ts [device]`
 */
import { Bench } from 'tinybench';
import { integers } from '../src/common/random.js';
import { openDevice } from '../src/device/adapters.js';
import { type Spread, spreadOf } from '../src/inspect/profile.js';
import { SIZES } from '../src/model/config.js';
import { initialParameters } from '../src/model/parameters.js';
import { type SubmittedStep, Trainer } from '../src/train/trainer.js';
import { mix } from '../src/train/windows/mix.js';
import { openText } from '../src/train/windows/text.js';
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
    for (const each of plan.dispatches) plan.encode(pass, each);
    pass.end();
    encoder.finish();
  });
await bench.run();
console.log(`${plan.dispatches.length} dispatches on ${device.name}`);
console.table(rowsOf(bench));

const text = mix([{ source: openText([], size), share: 1 }]);
const [ROUNDS, STEPS] = [9, 4];

/** Milliseconds of a step, its windows drawn too. */
async function timeSteps(isAhead: boolean): Promise<number> {
  const start = performance.now();
  let before: SubmittedStep | undefined;
  for (let i = 0; i < STEPS; i++) {
    const submitted = await trainer.submit([text.batch(0, i, batch)], 1e-3);
    if (!isAhead) await submitted.result();
    else await before?.result();
    before = submitted;
  }
  if (isAhead) await before?.result();
  return (performance.now() - start) / STEPS;
}

const [atOnce, late]: [number[], number[]] = [[], []];
for (let round = 0; round < ROUNDS; round++) {
  atOnce.push(await timeSteps(false));
  late.push(await timeSteps(true));
}
const ratios = atOnce.map((milliseconds, i) => milliseconds / late[i]!);
const inWords = ({ median, least, most }: Spread) => `${median.toFixed(2)} (${least.toFixed(2)}..${most.toFixed(2)})`;
console.log(`loss read at once ${inWords(spreadOf(atOnce))} ms a step, a step late ${inWords(spreadOf(late))} ms`);
console.log(`ratio of neighbouring rounds ${inWords(spreadOf(ratios))}`);
trainer.free();
device.close();
