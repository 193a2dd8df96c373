import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/common/errors.js';
import { openDevice } from '../../src/device/adapters.js';
import type { Device } from '../../src/device/device.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { profile } from '../../src/inspect/profile.js';
import { initialParameters } from '../../src/model/parameters.js';
import { learningRate } from '../../src/train/schedule.js';
import { Trainer } from '../../src/train/trainer.js';
import { mix } from '../../src/train/windows/mix.js';
import { openText } from '../../src/train/windows/text.js';
import { TINY } from '../support/decoders.js';
import { evaluate } from '../support/evaluate.js';

const opened: Device[] = [];
async function open(threads?: number): Promise<Device> {
  const device = await openDevice({ device: 'cpu', robust: true, ...(threads !== undefined && { threads }) });
  opened.push(device);
  return device;
}
afterEach(() => {
  for (const device of opened.splice(0)) device.close();
});

describe('the CPU device as a device of the engine', () => {
  it('describes itself', async () => {
    expect(await open(2)).toMatchObject({
      name: 'CPU device, 2 threads',
      kind: 'cpu',
      driver: 'wasm',
      subgroupSize: 4,
      f16: false,
      timestamps: true,
    });
  });

  it('is opened with a number of threads that is one', async () => {
    await expect(openDevice({ device: 'cpu', threads: 1.5 })).rejects.toThrow(
      new InputError('threads must be a whole number from 1 to 1024; got 1.5'),
    );
  });

  it('knows what memory it has', async () => {
    const device = await open(1);
    expect(device.freeMemory()).toBeLessThanOrEqual(2 ** 32);
    const program = new Program();
    const x = program.input('x', [2 ** 29]);
    const y = gelu(gelu(x));
    const { memoryError } = Plan.predict(program, device, { keep: [y] });
    expect(memoryError?.message).toMatch(/needs .* GiB, but .* (are free|allows)/);
  });

  it('runs an op', async () => {
    const data = Float32Array.from({ length: 1000 }, (_, i) => i / 100 - 5);
    const y = await evaluate(await open(2), { x: { shape: [1000], data } }, ({ x }) => gelu(x));
    data.forEach((x, i) => {
      const inner = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
      expect(y.data[i]).toBeCloseTo((x / 2) * (1 + Math.tanh(inner)), 5);
    });
  });

  it('times dispatches', async () => {
    const device = await open(2);
    const program = new Program();
    const x = program.input('x', [1 << 16]);
    const plan = await Plan.compile(program, device, { keep: [gelu(x)] });
    plan.write(x, new Float32Array(1 << 16));
    const times = await profile(plan, { replays: 3 });
    expect(times?.map(({ nanoseconds }) => nanoseconds.least > 0)).toEqual([true]);
    plan.free();
  });

  it('trains to the golden losses', async () => {
    const window = { prefix: 32, stream: 32 };
    const windows = mix([{ source: openText([], window), share: 1 }]);
    const trainer = await Trainer.create(await open(2), {
      config: TINY,
      batch: 2,
      sizes: [window],
      parameters: initialParameters(TINY, 0),
    });
    const losses: number[] = [];
    for (let step = 0; step < 4; step++) {
      const rate = learningRate({ lr: 2e-3, warmup: 4, steps: 10 }, step + 1);
      losses.push((await trainer.update([windows.batch(0, step, 2, 0)], rate)).nats);
    }
    trainer.free();
    const golden = JSON.parse(readFileSync('test/golden/losses.json', 'utf8')) as number[];
    for (const [i, loss] of losses.entries()) expect(loss).toBeCloseTo(golden[i]!, 3);
  });
});
