import { afterEach, describe, expect, test, vi } from 'vitest';
import { InputError } from '../../src/common/errors.js';
import { uniform } from '../../src/common/random.js';
import { crossEntropy } from '../../src/engine/ops/crossEntropy.js';
import { AdamW, SGD } from '../../src/engine/optimiser.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { testDevice } from '../support/device.js';

const device = await testDevice();
afterEach(() => vi.unstubAllEnvs());

describe('value', () => {
  test('runs what a tensor depends on, and nothing else', async () => {
    const program = new Program({ device });
    const x = program.input('x', [2]);
    const other = program.input('other', [2]);
    const y = x.mul(2);
    other.add(1);
    expect([...(await y.value({ x: [1, 2] })).data]).toEqual([2, 4]);
    expect([...(await y.value({ x: Float32Array.of(5, 6) })).data]).toEqual([10, 12]);
    expect([...(await x.value({ x: [3, 4] })).data]).toEqual([3, 4]);
  });

  test('of a view is in the order of the view', async () => {
    const program = new Program({ device });
    const x = program.constant('x', [[1, 2], [3, 4]]); // biome-ignore format: a table
    expect([...(await x.transpose().value()).data]).toEqual([1, 3, 2, 4]);
    expect([...(await program.constant('ids', [2], Uint32Array.of(7, 9)).value()).data]).toEqual([7, 9]);
  });

  test('calls at once are answered in turn', async () => {
    const program = new Program({ device });
    const x = program.input('x', []);
    const y = x.mul(x);
    const compile = vi.spyOn(Plan, 'compile');
    const all = await Promise.all([1, 2, 3].map((n) => y.value({ x: n })));
    expect(all.map((numbers) => numbers.item())).toEqual([1, 4, 9]);
    expect(compile).toHaveBeenCalledTimes(1); // the others waited for the plan of the first
    compile.mockRestore();
  });

  test('a call that fails does not hold up the next', async () => {
    const program = new Program({ device });
    const y = program.input('x', []).mul(2);
    const failing = y.value();
    const next = y.value({ x: 2 });
    await expect(failing).rejects.toThrow(InputError);
    expect((await next).item()).toBe(4);
  });

  test('parameters keep their values when the program grows, and start again when it is freed', async () => {
    const program = new Program({ device });
    const w = program.parameter('w', [], { init: 8 });
    const optimiser = new SGD(w.mul(w), { lr: 0.25 });
    await optimiser.step(); // 8 - 0.25 · 16
    expect((await w.value()).item()).toBe(4);
    expect((await w.add(1).value()).item()).toBe(5);
    program.runner.free();
    expect((await w.value()).item()).toBe(8);
  });

  test('leaves parameters as they are, also of a tensor behind the update', async () => {
    const program = new Program({ device });
    const w = program.parameter('w', [], { init: 3 });
    const loss = w.mul(w);
    new AdamW(loss, { lr: 0.1, clip: 1 });
    expect((await w.grad!.value()).item()).toBe(6);
    expect((await loss.value()).item()).toBe(9);
    expect((await w.value()).item()).toBe(3);
  });

  test('PARITY=1 checks what runs', async () => {
    vi.stubEnv('PARITY', '1');
    const program = new Program({ device });
    const y = program.constant('x', [1, 2]).exp().sum();
    expect((await y.value()).item()).toBeCloseTo(Math.E + Math.E ** 2, 4);
  });

  test('numbers of a checkpoint go before first ones', async () => {
    const parameters = new Map([['w', Float32Array.of(5, 6)]]);
    const program = new Program({ device, parameters });
    expect([...(await program.parameter('w', [2], { init: [1, 2] }).value()).data]).toEqual([5, 6]);
  });

  test('a parameter that is added after a value was computed starts from its own numbers, and the others stay', async () => {
    const program = new Program({ device });
    const w = program.parameter('w', [2], { init: [1, 2] });
    expect([...(await w.add(1).value()).data]).toEqual([2, 3]);
    const v = program.parameter('v', [2], { init: [3, 4] });
    expect([...(await w.mul(v).value()).data]).toEqual([3, 8]);
  });

  test('a plan that shares parameters leaves them as they are', async () => {
    const program = new Program();
    const w = program.parameter('w', [2], { init: [1, 2] });
    w.mul(w);
    const first = await Plan.compile(program, device);
    await first.replay();
    expect([...(await first.read(w))]).toEqual([1, 2]);
    first.write(w, Float32Array.of(3, 4));
    const second = await Plan.compile(program, device, { shared: first });
    await second.replay();
    expect([...(await second.read(w))]).toEqual([3, 4]);
    second.free();
    first.free();
  });

  test('first numbers are drawn by name and seed', async () => {
    const draw = async (seed: number, name: string) => {
      const program = new Program({ device, seed });
      return [...(await program.parameter(name, [64], { init: { std: 0.5 } }).value()).data];
    };
    const first = await draw(1, 'w');
    expect(await draw(1, 'w')).toEqual(first);
    expect(await draw(2, 'w')).not.toEqual(first);
    expect(await draw(1, 'v')).not.toEqual(first);
    expect(Math.sqrt(first.reduce((sum, x) => sum + x * x, 0) / 64)).toBeCloseTo(0.5, 0);
  });
});

describe('optimisers', () => {
  /** loss = Σ (w · x)² with w = [1, -2] and x = [1, 3]: d w = 2 w x² = [2, -36]. */
  const problem = () => {
    const program = new Program({ device });
    const w = program.parameter('w', [2], { init: [1, -2], decay: true });
    const y = w.mul(program.constant('x', [1, 3]));
    return { program, w, loss: y.mul(y).sum() };
  };

  test('SGD with momentum does what its formula says', async () => {
    const { w, loss } = problem();
    const optimiser = new SGD(loss, { lr: 0.01, momentum: 0.5 });
    let [p, v] = [[1, -2], [0, 0]]; // biome-ignore format: one line
    for (let step = 0; step < 3; step++) {
      const before = p[0]! ** 2 + 9 * p[1]! ** 2;
      expect(await optimiser.step()).toBeCloseTo(before, 4);
      v = [0.5 * v[0]! + 2 * p[0]!, 0.5 * v[1]! + 18 * p[1]!];
      p = p.map((value, i) => value - 0.01 * v[i]!);
    }
    for (const [i, value] of (await w.value()).data.entries()) expect(value).toBeCloseTo(p[i]!, 5);
  });

  test('AdamW moves every parameter by about lr in its first step, after decay', async () => {
    const { w, loss } = problem();
    await new AdamW(loss, { lr: 0.01, decay: 0.5 }).step();
    const [w0, w1] = (await w.value()).data;
    expect(w0).toBeCloseTo(1 * (1 - 0.005) - 0.01, 5);
    expect(w1).toBeCloseTo(-2 * (1 - 0.005) + 0.01, 5);
  });

  test('a learning rate may change between steps, and must be a rate', async () => {
    const { w, loss } = problem();
    const optimiser = new SGD(loss, { lr: 0.01 });
    optimiser.lr = 0;
    await optimiser.step();
    expect([...(await w.value()).data]).toEqual([1, -2]);
    optimiser.lr = Number.NaN;
    expect(() => optimiser.step()).toThrow('the learning rate must be a finite number of at least 0; got NaN');
  });

  test('losses add up, each with a factor of its own', async () => {
    const program = new Program({ device });
    const logits = program.parameter('logits', [1, 2], { init: [[0, 0]] });
    const { loss } = crossEntropy(logits, program.constant('targets', [1], Uint32Array.of(1)));
    const total = loss.mul(3).add(logits.mul(logits).sum()).add(logits.sum());
    total.backward();
    // 3 · (softmax − onehot) + 2 · logits + 1 = 3 · [1/2, -1/2] + 0 + 1
    expect([...(await logits.grad!.value()).data]).toEqual([2.5, -0.5]);
  });

  test('an evaluation besides the loss is no part of a step', async () => {
    const { program, loss, w } = problem();
    const optimiser = new SGD(loss, { lr: 0.01 });
    const y = program.input('other', [2]).mul(w);
    await optimiser.step(); // needs no `other`
    expect((await y.value({ other: [1, 1] })).data[0]).toBeCloseTo(0.98, 5);
  });
});

describe('dropout', () => {
  test('drops in training alone, other numbers in each step, and scales the rest', async () => {
    const program = new Program({ device, seed: 5 });
    const w = program.parameter('w', [1000], { init: new Float32Array(1000).fill(1) });
    const y = w.dropout(0.25);
    const optimiser = new SGD(y.sum(), { lr: 0 });
    const found = [await optimiser.step(), await optimiser.step()];
    expect([...(await y.value()).data]).toEqual(new Array(1000).fill(1));
    // Which elements are kept is a function of seed, step and place: the high word of the counter is the step.
    const expected = [1, 2].map((step) => {
      const kept = Array.from({ length: 1000 }, (_, i) => uniform(5, 0, step * 2 ** 32 + i) >= 0.25);
      return kept.filter(Boolean).length / 0.75;
    });
    expect(found[0]).toBeCloseTo(expected[0]!, 2);
    expect(found[1]).toBeCloseTo(expected[1]!, 2);
    expect(expected[0]).not.toBe(expected[1]);
    expect(Math.abs(expected[0]! - 1000)).toBeLessThan(80);
  });

  test('two dropouts of one program drop different elements', async () => {
    const program = new Program({ device });
    const x = program.parameter('x', [1000], { init: new Float32Array(1000).fill(1) });
    const both = x.dropout(0.5).mul(x.dropout(0.5)).sum(); // 4 where both are kept
    expect(Math.abs((await new SGD(both, { lr: 0 }).step()) - 1000)).toBeLessThan(150);
  });

  test('takes a probability', () => {
    const x = new Program().input('x', [2]);
    expect(x.dropout(0)).toBe(x);
    for (const p of [-0.1, 1, Number.NaN]) {
      expect(() => x.dropout(p)).toThrow(new InputError(`dropout: p must be from 0 to below 1; got ${p}`));
    }
  });
});

describe('errors', () => {
  test('a program without a device', () => {
    expect(() => new Program().input('x', [1]).value()).toThrow(
      'this program has no device to run on: new Program({ device: await openDevice() })',
    );
  });

  test('an input that is missing, unknown, or of another shape', async () => {
    const y = new Program({ device }).input('x', [2]).mul(2);
    await expect(y.value()).rejects.toThrow('mul y [2] depends on the input x [2]; pass its numbers: { x: … }');
    await expect(y.value({ z: 1 })).rejects.toThrow('z: the program has no input of that name; it has x');
    await expect(y.value({ x: [1, 2, 3] })).rejects.toThrow('x: numbers must have the shape of their tensor');
    await expect(y.value({ x: new Float32Array(3) })).rejects.toThrow('write: x [2] takes 2 f32 numbers; got 3');
  });

  test('a second optimiser', () => {
    const program = new Program({ device });
    const w = program.parameter('w', []);
    const loss = w.mul(w);
    new SGD(loss);
    expect(() => new AdamW(loss)).toThrow('this program has an optimiser already');
  });

  test('an option that AdamW cannot work with', () => {
    const w = new Program({ device }).parameter('w', []);
    expect(() => new AdamW(w.mul(w), { beta1: 1 })).toThrow(
      'optimiser: beta1 must be at least 0 and less than 1; got 1',
    );
  });
});
