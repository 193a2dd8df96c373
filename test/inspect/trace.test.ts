import { beforeAll, describe, expect, test, vi } from 'vitest';
import { openDevice } from '../../src/device/adapters.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { ReferenceRun } from '../../src/engine/reference.js';
import { profile } from '../../src/inspect/profile.js';
import { BINS, statisticsOf } from '../../src/inspect/statistics.js';
import { Timestamps } from '../../src/inspect/timestamps.js';
import { type Trace, trace } from '../../src/inspect/trace.js';
import type { DecoderConfig } from '../../src/model/config.js';
import { type ForwardPass, recordForward, toFeeds } from '../../src/model/forward.js';
import { initialParameters } from '../../src/model/parameters.js';
import { randomBatch } from '../support/decoders.js';
import { testDevice } from '../support/device.js';
import { countObjects } from '../support/gpuObjects.js';

const CONFIG: DecoderConfig = { door: 'projected', dim: 32, layers: 2, heads: 2, K: 3 };
const SIZE = { B: 1, L: 7, T: 9 };

function recorded() {
  const program = new Program({ attribute: ['hslFeatures.forward'] });
  const pass = recordForward(program, CONFIG, SIZE);
  program.backward(pass.loss);
  const parameters = initialParameters(CONFIG, 3);
  return { program, pass, parameters, feeds: toFeeds(pass, randomBatch(SIZE)) };
}

let run: Trace;
let pass: ForwardPass;
let reference: ReferenceRun;

beforeAll(async () => {
  const { program, parameters, feeds, ...rest } = recorded();
  pass = rest.pass;
  const plan = await Plan.compile(program, await testDevice(), { keep: 'all', parameters });
  for (const [tensor, data] of feeds) plan.write(tensor, data);
  run = await trace(plan);
  const numbers = program.parameters.map(({ name, tensor }) => [tensor, parameters.get(name)!] as const);
  reference = new ReferenceRun(program, new Map([...feeds, ...numbers])).run();
  plan.free();
});

describe('a trace of a decoder', () => {
  test("every tensor's statistics are those of the whole float64 run", () => {
    for (const entry of pass.program.entries) {
      for (const tensor of [...entry.inputs, ...entry.outputs]) {
        const { name, statistics } = run.of(tensor);
        const expected = statisticsOf(reference.value(tensor).data);
        const near = 2e-5 * Math.max(Math.abs(expected.min), Math.abs(expected.max), 1e-6);
        for (const part of ['min', 'mean', 'max'] as const) {
          expect(Math.abs(statistics[part] - expected[part]), `${part} of ${name}`).toBeLessThanOrEqual(near);
        }
        expect(statistics.count, name).toBe(tensor.size);
        expect(statistics.nonFinite, name).toBe(0);
      }
    }
  });

  test('names are unique, and find a tensor; a wrong one is answered with near ones', () => {
    expect(new Set(run.tensors.map(({ name }) => name)).size).toBe(run.tensors.length);
    const { id } = run.find('blocks.1.attention.qkv linear.forward y');
    expect(run.tensors[id]!.shape).toEqual([1, 12, 96]);
    expect(() => run.find('qkv linear')).toThrow(
      /no tensor "qkv linear" in this run.*blocks\.0\.attention\.qkv linear/,
    );
  });

  test('links go both ways, and from gradients to what they differentiate', () => {
    for (const { index, from, to, forward, backward } of run.entries) {
      for (const other of from) expect(run.entries[other]!.to).toContain(index);
      for (const other of to) expect(run.entries[other]!.from).toContain(index);
      for (const other of backward) expect(run.entries[other]!.forward).toBe(index);
      if (forward !== undefined) expect(run.entries[forward]!.backward).toContain(index);
    }
    const attention = run.entries.find(({ op }) => op.name === 'attention.forward')!;
    expect(attention.from.map((i) => run.entries[i]!.op.name)).toContain('rotary.forward');
    expect(attention.to.map((i) => run.entries[i]!.op.name)).toContain('linear.forward');
    expect(attention.backward.map((i) => run.entries[i]!.op.name)).toContain('attention.backwardQ');
  });

  test('the largest error is where and what it says, against the reference on the very inputs', () => {
    const entry = run.entries.find(({ op, scope }) => op.name === 'linear.forward' && scope === 'blocks.1.mlp.up')!;
    const { parity, tensor } = entry.outputs[0]!;
    const [expected] = entry.op.reference(
      entry.inputs.map((input) => run.value(input.tensor)),
      entry.attributes,
      [],
    );
    const errors = run.value(tensor).data.map((y, i) => Math.abs(y - expected![i]!));
    expect(parity!.error).toBe(Math.max(...errors));
    expect(parity!.error).toBe(errors[parity!.index]);
    expect(parity!.kernel - parity!.reference).not.toBe(0);
    for (const { outputs } of run.entries) {
      for (const output of outputs) {
        if (output.parity) expect(output.parity.error).toBeLessThanOrEqual(output.parity.allowed);
      }
    }
  });

  test('each dispatch has the text that ran, and its time where the device has one', async () => {
    const dispatches = run.entries.flatMap((entry) => entry.dispatches);
    expect(dispatches.length).toBeGreaterThan(60);
    const { timestamps } = await testDevice();
    for (const { text, shader, constants, nanoseconds } of dispatches) {
      expect(text, shader).toContain('fn main');
      for (const [name, value] of Object.entries(constants)) expect(text).toContain(`const ${name}: u32 = ${value}u;`);
      if (timestamps) expect(nanoseconds).toBeGreaterThanOrEqual(0);
      else expect(nanoseconds).toBeUndefined();
    }
  });
});

describe('times', () => {
  test('a profile has a time for each dispatch', async () => {
    const { program, feeds, parameters } = recorded();
    const device = await testDevice();
    const plan = await Plan.compile(program, device, { parameters });
    for (const [tensor, data] of feeds) plan.write(tensor, data);
    const times = await profile(plan, { replays: 3 });
    expect(device.timestamps).toBe(true); // both software drivers have them
    expect(times).toHaveLength(plan.dispatches.length);
    for (const { nanoseconds } of times!) {
      expect(nanoseconds.least).toBeLessThanOrEqual(nanoseconds.median);
      expect(nanoseconds.median).toBeLessThanOrEqual(nanoseconds.most);
    }
    expect(times!.reduce((sum, { nanoseconds }) => sum + nanoseconds.median, 0)).toBeGreaterThan(0);
    plan.free();
  });

  test('a profile that fails gives its memory back', async () => {
    const device = await testDevice();
    const { program, feeds, parameters } = recorded();
    const plan = await Plan.compile(program, device, { parameters });
    for (const [tensor, data] of feeds) plan.write(tensor, data);
    const live = countObjects(device.gpu);
    const read = vi.spyOn(Timestamps.prototype, 'read').mockRejectedValue(new Error('no times'));
    if (device.timestamps) await expect(profile(plan)).rejects.toThrow('no times');
    expect(live).toMatchObject({ buffers: 0, querySets: 0 });
    read.mockRestore();
    plan.free();
  });

  test('a device without timestamps is traced without times', async () => {
    const device = await openDevice({ features: 'none' });
    const { program, feeds, parameters } = recorded();
    const plan = await Plan.compile(program, device, { keep: 'all', parameters });
    for (const [tensor, data] of feeds) plan.write(tensor, data);
    expect(await profile(plan)).toBeUndefined();
    const timeless = await trace(plan);
    expect(
      timeless.entries.flatMap(({ dispatches }) => dispatches.map(({ nanoseconds }) => nanoseconds ?? 'none')),
    ).toEqual(plan.dispatches.map(() => 'none'));
    device.close();
  });
});

describe('statisticsOf', () => {
  test('counts what is not finite, and leaves it out', () => {
    const { count, nonFinite, min, mean, max, norm, histogram } = statisticsOf([
      0,
      3,
      Number.NaN,
      4,
      Number.POSITIVE_INFINITY,
    ]);
    expect([count, nonFinite, min, mean, max, norm]).toEqual([5, 2, 0, 7 / 3, 4, 5]);
    expect(histogram).toHaveLength(BINS);
    expect(histogram[0]).toBe(1);
    expect(histogram[18]).toBe(1); // 3 of 4 is ¾ of 24 bins
    expect(histogram[23]).toBe(1);
  });

  test('equal numbers, and none at all', () => {
    expect(statisticsOf([2, 2]).histogram[0]).toBe(2);
    expect(statisticsOf([])).toMatchObject({ count: 0, min: 0, mean: 0, max: 0, nonFinite: 0 });
    expect(statisticsOf([Number.NaN])).toMatchObject({ count: 1, min: 0, mean: 0, max: 0, nonFinite: 1 });
  });
});
