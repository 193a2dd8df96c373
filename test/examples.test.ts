import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { digitWindows } from '../examples/piWindows.js';
import { rawBitsDoor } from '../examples/rawBitsDoor.js';
import { Program } from '../src/engine/program.js';
import { EDGE_SIZES } from '../src/inspect/sample.js';
import { Decoder } from '../src/model/decoder.js';
import { recordForward } from '../src/model/forward.js';
import { initialParameters } from '../src/model/parameters.js';
import { readCheckpoint, writeCheckpoint } from '../src/train/checkpoint.js';
import { Trainer } from '../src/train/trainer.js';
import { mix } from '../src/train/windows/mix.js';
import { TINY } from './support/decoders.js';
import { testDevice } from './support/device.js';
import { checkGradients, checkParity } from './support/opContract.js';

/** What an example prints when it is imported: top-level code runs then. */
async function printed(run: () => Promise<unknown>): Promise<string> {
  const lines: string[] = [];
  const spy = vi.spyOn(console, 'log').mockImplementation((line) => {
    lines.push(String(line));
  });
  try {
    await run();
  } finally {
    spy.mockRestore();
  }
  return lines.join('\n');
}

test('door: bytes become slots and come back', async () => {
  const out = await printed(() => import('../examples/door.js'));
  expect(out).toContain('slots [1,3,128]');
  expect(out).toContain("'H' is dxor0=0 dxor1=1 dxor2=1 dxor3=0 dxor4=1 dxor5=1 dxor6=0 dxor7=0");
  expect(out).toContain('and back: Hello, byte!');
});

/** The losses that an example prints. */
const lossesIn = (out: string) => [...out.matchAll(/loss ([\d.]+)/g)].map((match) => Number(match[1]));

test('oneStep: every number is the one that its comment works out', async () => {
  const out = await printed(() => import('../examples/oneStep.js'));
  const [values, gradient, after, ops] = out.split('\n');
  expect([values, gradient, after]).toEqual(['error -3, loss 9', 'gradient -18', 'w 1.18, loss 6.0516']);
  expect(ops).toBe('mul → sub → mul → mul.backwardA → mul.backwardB → add → mul.backwardB → addInto → sgd');
});

test('linearRegression: finds the numbers that the points were made with', async () => {
  const out = await printed(() => import('../examples/linearRegression.js'));
  const [w1, w2, b] = /w \[(\S+), (\S+)\], b \[(\S+)\]/.exec(out)!.slice(1).map(Number);
  for (const [found, made] of [
    [w1, 2],
    [w2, -3],
    [b, 1],
  ] as const)
    expect(Math.abs(found! - made)).toBeLessThan(0.05);
});

test('xor: tells the four cases apart', async () => {
  const out = await printed(() => import('../examples/xor.js'));
  const p = [...out.matchAll(/\[ *([\d.e-]+)\]/g)].map((match) => Math.round(Number(match[1])));
  expect(p).toEqual([0, 1, 1, 0]);
  expect(lossesIn(out).at(-1)).toBeLessThan(0.01);
});

test('spiral: the picture has both arms, and the middle of the plane is divided', async () => {
  const out = await printed(() => import('../examples/spiral.js'));
  expect(lossesIn(out).at(-1)).toBeLessThan(0.1);
  const picture = out.split('\n').filter((line) => /^[.#]+$/.test(line));
  expect(picture.map((line) => line.length)).toEqual(new Array(24).fill(56));
  // A line through the middle crosses both arms more than once.
  expect(picture[12]!.match(/#+|\.+/g)!.length).toBeGreaterThan(3);
});

test('makemore: learns three characters and more, and makes names up', async () => {
  const out = await printed(() => import('../examples/makemore.js'));
  const losses = lossesIn(out);
  expect(losses[0]).toBeCloseTo(Math.log(27), 1);
  expect(losses.at(-1)).toBeLessThan(1.2);
  const made = [...out.matchAll(/^\d: ([a-z]+)$/gm)].map((match) => match[1]);
  expect(made.length).toBe(5);
  expect(new Set(made).size).toBeGreaterThan(3);
});

test('transformerBlock: attention out of matmul and softmax agrees with the fused one', async () => {
  const out = await printed(() => import('../examples/transformerBlock.js'));
  const difference = Number(/difference (\S+)/.exec(out)![1]);
  expect(difference).toBeGreaterThanOrEqual(0);
  expect(difference).toBeLessThan(1e-5);
  const lines = out.split('\n');
  expect(lines.slice(0, 4)).toEqual(lines.slice(4, 8));
});

test('the examples of a learner are shorter than 40 lines', () => {
  for (const name of ['oneStep', 'linearRegression', 'xor', 'spiral', 'makemore', 'transformerBlock']) {
    expect(readFileSync(`examples/${name}.ts`, 'utf8').trimEnd().split('\n').length, name).toBeLessThan(40);
  }
});

describe('leakyRelu: an op added by the recipe passes the contract', async () => {
  const { leakyReluRow } = await import('../examples/leakyRelu.js');
  for (const sample of leakyReluRow.samples) {
    test(sample.name, async () => {
      for (const n of EDGE_SIZES) {
        await checkParity(await testDevice(), sample, n);
        checkGradients(sample, n);
      }
    });
  }
});

test('trainOnText: bits per byte fall', async () => {
  const argv = process.argv;
  process.argv = ['node', 'trainOnText.js'];
  // All of the example but the size of its decoder, which would take most of the time of this file.
  const tiny = { dim: 32, layers: 1, heads: 2, K: 1 };
  vi.doMock('byte-to-loss', async (original) => ({ ...(await original<object>()), SIZES: { tiny } }));
  const out = await printed(() => import('../examples/trainOnText.js'));
  vi.doUnmock('byte-to-loss');
  process.argv = argv;
  const bits = [...out.matchAll(/([\d.]+) bits/g)].map((match) => Number(match[1]));
  expect(bits.length).toBe(5);
  expect(bits.at(-1)).toBeLessThan(bits[0]!);
});

test("piWindows: a trainer learns from windows of one's own", async () => {
  const source = digitWindows('3.14159265358979323846264338327950288419716939937510'.repeat(20), {
    prefix: 8,
    stream: 8,
  });
  const windows = mix([{ source, share: 1 }]);
  const options = { config: TINY, batch: 4, sizes: windows.sizes, parameters: initialParameters(TINY, 0) };
  const trainer = await Trainer.create(await testDevice(), options);
  const losses: number[] = [];
  for (let step = 0; step < 20; step++) losses.push((await trainer.update([windows.batch(0, step, 4)], 3e-3)).nats);
  trainer.free();
  expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.8);
  // what is held out was not trained on
  expect(source.validation(0).info.at).toBeGreaterThanOrEqual(source.trainCount + 15);
});

test("rawBitsDoor: a decoder trains behind a door of one's own", async () => {
  const config = { ...TINY, K: 3, door: 'own' } as const; // 3 · 35 columns fit 128
  const source = digitWindows('0123456789'.repeat(100), { prefix: 9, stream: 8 });
  const windows = mix([{ source, share: 1 }]);
  const parameters = initialParameters(config, 0);
  const trainer = await Trainer.create(await testDevice(), {
    config,
    batch: 4,
    sizes: windows.sizes,
    parameters,
    door: rawBitsDoor,
  });
  const losses: number[] = [];
  for (let step = 0; step < 20; step++) losses.push((await trainer.update([windows.batch(0, step, 4)], 3e-3)).nats);
  expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.8);

  // Its checkpoint says that the door was its own, and is not read through another.
  const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-door-'));
  const path = join(folder, 'a.safetensors');
  const weights = { config, step: 20, seed: 0, prefix: 9, stream: 8, parameters: await trainer.parameters() };
  writeCheckpoint(path, weights, await trainer.moments());
  trainer.free();
  const read = readCheckpoint(path);
  rmSync(folder, { recursive: true });
  const decoder = new Decoder(await testDevice(), read.config, read);
  await expect(decoder.score(Uint8Array.of(48), Uint8Array.of(49))).rejects.toThrow(/^door: these weights belong to a/);
  await expect(async () => {
    for await (const _ of decoder.generate(Uint8Array.of(48), { bytes: 1 })) break;
  }).rejects.toThrow(/^door: these weights belong to a/);
});

test("a door of one's own is refused under the name of another", () => {
  const size = { B: 1, L: 8, T: 8 };
  expect(() => recordForward(new Program(), TINY, size, { door: rawBitsDoor })).toThrow(
    "door: one of your own needs config.door 'own', or its weights would be read through the zero door",
  );
});

/** What load_in_pytorch.py needs of PyTorch; its shapes refuse numbers that do not fill them. */
const TORCH = `
import array, math
float32 = 'f'
class Tensor:
    def __init__(self, data, shape): self.data, self.shape = data, shape
    def numel(self): return math.prod(self.shape)
    def reshape(self, shape):
        assert math.prod(shape) == len(self.data), shape
        return Tensor(self.data, shape)
def frombuffer(buffer, dtype):
    data = array.array(dtype); data.frombytes(bytes(buffer))
    return Tensor(data, [len(data)])
class nn:
    class Linear:
        def __init__(self, inputs, outputs): self.shapes = {'weight': [outputs, inputs], 'bias': [outputs]}
        def load_state_dict(self, state):
            assert {name: x.shape for name, x in state.items()} == self.shapes
            self.weight = state['weight']
`;

/** The PyTorch of this machine, or where it has none but a Python, the stand-in above. */
const runs = (...words: string[]) => spawnSync('python3', words).status === 0;
const torch = runs('-c', 'import torch') ? 'PyTorch' : runs('--version') ? 'a stand-in for PyTorch' : undefined;

if (torch === undefined) {
  // Not a test that passes, since nothing was tried; and no skipped one, since tests need no Python.
  console.warn('examples/load_in_pytorch.py was not tried: there is no python3 here');
} else {
  test(`load_in_pytorch.py reads a checkpoint, by ${torch}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-python-'));
    if (torch !== 'PyTorch') writeFileSync(join(folder, 'torch.py'), TORCH);
    const parameters = initialParameters(TINY, 0);
    const info = { config: TINY, step: 1, seed: 0, prefix: 8, stream: 8 };
    const path = join(folder, 'a.safetensors');
    writeCheckpoint(path, { ...info, parameters }, { m: parameters, v: parameters });
    const env = { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' };
    const { status, stdout, stderr } = spawnSync('python3', ['examples/load_in_pytorch.py', path], {
      env,
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true });
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/'dim': 128.* 430082 parameters; head\.weight \(258, 128\)\n$/);
  });
}
