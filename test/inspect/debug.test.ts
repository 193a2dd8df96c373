import { afterEach, describe, expect, test, vi } from 'vitest';
import { ParityError } from '../../src/common/errors.js';
import { integers, normals } from '../../src/common/random.js';
import { observers } from '../../src/engine/observer.js';
import { attention } from '../../src/engine/ops/attention.js';
import { crossEntropy } from '../../src/engine/ops/crossEntropy.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { linear } from '../../src/engine/ops/linear.js';
import { rotaryIntoCaches, rotaryTable } from '../../src/engine/ops/rotary.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { setShaderSource } from '../../src/engine/shaderSource.js';
import type { Tensor } from '../../src/engine/tensor.js';
import { debugSettings, observeAsAsked } from '../../src/inspect/debug.js';
import { testDevice } from '../support/device.js';
import { evaluate } from '../support/evaluate.js';
import { fileOf } from '../support/shaders.js';

afterEach(async () => {
  observers.delete(await testDevice());
  vi.restoreAllMocks();
  setShaderSource();
});

/** Have the device of the tests looked at as this environment asks. */
async function look(env: Record<string, string>): Promise<void> {
  observeAsAsked(await testDevice(), debugSettings(env));
}

/** x [3, 8] → linear → gelu → linear → cross-entropy, and back. */
async function smallNet(keepsLoss = true): Promise<{ plan: Plan; loss: Tensor }> {
  const program = new Program();
  const x = program.input('x', [3, 8]);
  const targets = program.input('targets', [3], 'u32');
  const weights = program.input('weights', [3]);
  const parameter = (name: string, shape: number[]) => program.parameter(name, shape);
  const hidden = program.scope('up', () => linear(x, parameter('up.weight', [16, 8]), parameter('up.bias', [16])));
  const active = program.scope('middle', () => gelu(hidden));
  const logits = program.scope('down', () =>
    linear(active, parameter('down.weight', [5, 16]), parameter('down.bias', [5])),
  );
  const { loss } = program.scope('loss', () => crossEntropy(logits, targets, weights));
  program.backward(loss);
  const parameters = new Map(program.parameters.map(({ name, tensor }) => [name, normals(7, name, tensor.size)]));
  const plan = await Plan.compile(program, await testDevice(), { keep: keepsLoss ? [loss] : [], parameters });
  plan.write(x, normals(7, 'x', 24));
  plan.write(targets, integers(7, 'targets', 3, 5));
  plan.write(weights, Float32Array.of(1, 1, 1));
  return { plan, loss };
}

describe('PARITY=1', () => {
  test('right kernels pass, and the numbers are those of a plain run', async () => {
    const plain = await smallNet();
    const [expected] = await plain.plan.replayAndRead([plain.loss]);
    await look({ PARITY: '1' });
    const checked = await smallNet();
    const [loss] = await checked.plan.replayAndRead([checked.loss]);
    expect(loss).toEqual(expected);
  });

  test('stops at the first wrong kernel with op, index and both values', async () => {
    await look({ PARITY: '1' });
    // one digit of tanh-GELU's cubic coefficient
    setShaderSource((name) =>
      name.startsWith('gelu.forward') ? fileOf(name).replaceAll('0.044715', '0.054715') : fileOf(name),
    );
    const { plan } = await smallNet();
    const error = await plan.replay().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ParityError);
    const { details, message } = error as ParityError;
    expect(details).toMatchObject({ op: 'gelu.forward', scope: 'middle', output: 'y' });
    expect(details.kernel).not.toBe(details.reference);
    expect(Math.abs(details.kernel - details.reference)).toBeLessThan(0.01);
    expect(message).toContain(`y[${details.index}] is ${details.kernel}, its reference ${details.reference}`);
    expect(message).toMatch(/shaders\/gelu\.forward[\w.-]*\.wgsl/);
    expect(message).not.toContain('\n');
  });

  test('evaluate waits for the run that is checked', async () => {
    await look({ PARITY: '1' });
    const x = { shape: [3], data: Float32Array.of(-1, 0, 1) };
    const { data } = await evaluate(await testDevice(), { x }, ({ x }) => gelu(x));
    expect(data[2]).toBeCloseTo(0.8412, 3); // 1/2 · (1 + tanh(0.7979 · 1.0447))
  });

  test('key/value caches: rows that a call leaves alone stay as they were', async () => {
    await look({ PARITY: '1' });
    const program = new Program();
    const qkv = program.input('qkv', [1, 2, 24]);
    const position = program.input('position', [1], 'u32');
    const caches = { k: program.state('k', [1, 2, 6, 4]), v: program.state('v', [1, 2, 6, 4]) };
    const table = program.constant('table', [6, 4], rotaryTable(6, 4));
    const { q, k, v } = rotaryIntoCaches(qkv, table, position, 2, caches);
    const y = attention(q, k, v, position, 1);
    const plan = await Plan.compile(program, await testDevice(), { keep: [y] });
    for (const at of [0, 2, 4]) {
      plan.write(qkv, normals(7, `qkv ${at}`, 48));
      plan.write(position, Uint32Array.of(at));
      await plan.replay();
    }
    expect((await plan.read(y)).every(Number.isFinite)).toBe(true);
  });
});

describe('DEBUG', () => {
  async function printed(level: string): Promise<string> {
    await look({ DEBUG: level });
    const lines = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { plan, loss } = await smallNet();
    await plan.replayAndRead([loss]);
    return lines.mock.calls.map(([line]) => String(line)).join('\n');
  }

  test('1 prints the adapter once, and the loss of every replay', async () => {
    const text = await printed('1');
    const device = await testDevice();
    expect(text).toContain(`adapter ${device.name}`);
    expect(text).toMatch(/loss crossEntropy loss \d+\.\d+ nats = \d+\.\d+ bits per byte/);
    expect(text).not.toContain('workgroups');
  });

  test('changes nothing of how memory is shared: a loss that is not kept is read before another tensor takes its buffer', async () => {
    const plain = await smallNet(false);
    const kept = await smallNet();
    const [loss] = await kept.plan.replayAndRead([kept.loss]);
    for (const level of ['1', '4']) {
      await look({ DEBUG: level });
      const lines = vi.spyOn(console, 'error').mockImplementation(() => {});
      const { plan } = await smallNet(false);
      expect(plan.memory).toEqual(plain.plan.memory);
      await plan.replay();
      const text = lines.mock.calls.map(([line]) => String(line)).join('\n');
      expect(text).toContain(`loss crossEntropy loss ${loss![0]!.toFixed(6)} nats`);
    }
  });

  test('2 adds each dispatch with its shapes and, where there are timestamps, its milliseconds', async () => {
    const text = await printed('2');
    expect(text).toMatch(/middle gelu\.forward\S* .*workgroups {2}\[3, 16\] → \[3, 16\]/);
    if ((await testDevice()).timestamps) expect(text).toMatch(/gelu\.forward\S* {2}\d+\.\d{3} ms/);
    expect(text).not.toContain('fn main');
  });

  test('3 adds the WGSL, each text once', async () => {
    const text = await printed('3');
    const count = text.split('\n').filter((line) => line.startsWith('// gelu.forward')).length;
    expect(count).toBe(1);
    expect(text).not.toMatch(/^ +dBias = /m);
  });

  test('4 adds the first numbers of each result', async () => {
    expect(await printed('4')).toMatch(/^ +dBias = -?\d[\d.e-]* -?\d/m);
  });

  test('other words in DEBUG, and an environment without either, ask for nothing', () => {
    expect(debugSettings({ DEBUG: 'express:*' })).toBeUndefined();
    expect(debugSettings({ DEBUG: '5' })).toBeUndefined();
    expect(debugSettings({})).toBeUndefined();
    expect(debugSettings({ DEBUG: '2' })).toMatchObject({ level: 2, parity: false });
  });
});
