import { afterEach, describe, expect, test, vi } from 'vitest';
import { DeviceError, InputError } from '../../src/common/errors.js';
import { normals } from '../../src/common/random.js';
import { type Shape, sizeOf } from '../../src/common/shape.js';
import type { Device } from '../../src/device/device.js';
import { flopsOf } from '../../src/engine/op.js';
import { attention } from '../../src/engine/ops/attention.js';
import { add } from '../../src/engine/ops/binary.js';
import { embedding } from '../../src/engine/ops/embedding.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { layerNorm } from '../../src/engine/ops/layerNorm.js';
import { linear } from '../../src/engine/ops/linear.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import type { Tensor } from '../../src/engine/tensor.js';
import { describe as describePlan } from '../../src/inspect/describe.js';
import { runEntries } from '../../src/inspect/entryRun.js';
import type { DecoderConfig } from '../../src/model/config.js';
import { recordForward, toFeeds } from '../../src/model/forward.js';
import { initialParameters } from '../../src/model/parameters.js';
import { Trainer } from '../../src/train/trainer.js';
import { randomBatch } from '../support/decoders.js';
import { testDevice } from '../support/device.js';
import type { Given as Numbers } from '../support/evaluate.js';
import { evaluate } from '../support/evaluate.js';
import { countObjects } from '../support/gpuObjects.js';

const CONFIG: DecoderConfig = { door: 'zero', dim: 32, layers: 2, heads: 2, K: 1 };
const SIZE = { prefix: 4, stream: 8 };
const BATCH = { B: 2, L: 4, T: 8 };

const trainer = async (device: Device) =>
  Trainer.create(device, { config: CONFIG, batch: 2, sizes: [SIZE], parameters: initialParameters(CONFIG, 0) });
const batch = (seed: number) => ({ ...randomBatch(BATCH, seed), size: SIZE });

/** A decoder's loss with its gradients, ready to replay. */
async function lossPlan(device: Device) {
  const program = new Program();
  const pass = recordForward(program, CONFIG, BATCH);
  program.backward(pass.loss);
  const gradients = program.flat('gradient');
  const plan = await Plan.compile(program, device, { keep: [pass.loss], parameters: initialParameters(CONFIG, 0) });
  const write = (seed: number) => {
    for (const [tensor, data] of toFeeds(pass, randomBatch(BATCH, seed))) plan.write(tensor, data);
  };
  return { program, pass, plan, write, gradients };
}

const numbers = (name: string, shape: Shape): Numbers => ({ shape, data: normals(7, name, sizeOf(shape)) });

afterEach(() => {
  vi.restoreAllMocks();
});

describe('replay', () => {
  test('a step is one submit, and creates nothing but the buffers that its numbers are read from', async () => {
    const device = await testDevice();
    const run = await trainer(device);
    const { gpu } = device;
    const made = (['createBuffer', 'createBindGroup', 'createShaderModule', 'createBindGroupLayout'] as const).map(
      (name) => vi.spyOn(gpu, name),
    );
    const pipelines = [vi.spyOn(gpu, 'createComputePipelineAsync'), vi.spyOn(gpu, 'createComputePipeline')];
    const submit = vi.spyOn(gpu.queue, 'submit');
    const created = () => [...made, ...pipelines].map((spy) => spy.mock.calls.length);
    await run.update([batch(1)], 1e-3);
    expect(submit).toHaveBeenCalledTimes(1);
    const [buffers, ...others] = created();
    for (let step = 2; step < 6; step++) {
      submit.mockClear();
      await run.update([batch(step)], 1e-3);
      expect(submit).toHaveBeenCalledTimes(1);
      expect(submit.mock.calls[0]![0]).toHaveLength(1);
    }
    expect(created()).toEqual([buffers! + 4 * 2, ...others]); // loss and norm
    run.free();
  });

  test('the same inputs give the same bits, in every replay and in another plan', async () => {
    const device = await testDevice();
    const { pass, plan, write, gradients } = await lossPlan(device);
    const read = async () => {
      write(1);
      const [loss] = await plan.replayAndRead([pass.loss]);
      return [loss!, await plan.read(gradients)];
    };
    const first = await read();
    expect(first[1]!.some((value) => value !== 0)).toBe(true);
    write(2); // something else in between, so that nothing is merely left over
    await plan.replay();
    expect(await read()).toEqual(first);
    const again = await lossPlan(device);
    again.write(1);
    await again.plan.replay();
    expect(await again.plan.read(again.gradients)).toEqual(first[1]);
    plan.free();
    again.plan.free();
  });

  test('a replayed chain gives the same bits as its ops run one by one', async () => {
    const device = await testDevice();
    const [B, S, C] = [2, 9, 16];
    const [x, weight, bias] = [numbers('x', [B, S, C]), numbers('weight', [C]), numbers('bias', [C])];
    const [up, upBias] = [numbers('up', [3 * C, C]), numbers('upBias', [3 * C])];
    const heads = (t: Tensor) => t.reshape([B, S, 2, C / 2]).permute([0, 2, 1, 3]);
    const attend = (q: Tensor) => {
      const k = q.program.contiguous(heads(q));
      return attention(k, k, k, q.program.constant('position', [1], new Uint32Array(1)), 3);
    };

    const replayed = await evaluate(device, { x, weight, bias, up, upBias }, (t) => {
      const normed = layerNorm(t.x, t.weight, t.bias);
      return gelu(linear(add(attend(normed), normed), t.up, t.upBias));
    });
    const normed = await evaluate(device, { x, weight, bias }, (t) => layerNorm(t.x, t.weight, t.bias));
    const attended = await evaluate(device, { normed }, (t) => attend(t.normed));
    const sum = await evaluate(device, { attended, normed }, (t) => add(t.attended, t.normed));
    const wide = await evaluate(device, { sum, up, upBias }, (t) => linear(t.sum, t.up, t.upBias));
    expect(await evaluate(device, { wide }, (t) => gelu(t.wide))).toEqual(replayed);
  });

  test("a step's gradients have the same bits replayed as run entry by entry", async () => {
    const device = await testDevice();
    const { pass, plan, write, gradients } = await lossPlan(device);
    write(1);
    const [loss] = await plan.replayAndRead([pass.loss]);
    const replayed = await plan.read(gradients);
    write(2); // something else in between, so that nothing is merely left over
    await plan.replay();
    write(1);
    const ran = new Set<string>();
    for await (const { entry } of runEntries(plan)) ran.add(entry.op.name);
    expect(ran).toContain('attention.backwardKV');
    expect(await plan.read(pass.loss)).toEqual(loss);
    expect(await plan.read(gradients)).toEqual(replayed);
    expect(replayed.some((value) => value !== 0)).toBe(true);
    plan.free();
  });

  test('a replay cut into submits gives the same bits as one, and no submit has more work than it may', async () => {
    const device = await testDevice();
    const program = new Program();
    const pass = recordForward(program, CONFIG, BATCH);
    program.backward(pass.loss);
    const read = [pass.loss, program.flat('gradient')];
    const parameters = initialParameters(CONFIG, 0);
    const run = async (submitFlops: number) => {
      const plan = await Plan.compile(program, device, { keep: [pass.loss], parameters, submitFlops });
      for (const [tensor, data] of toFeeds(pass, randomBatch(BATCH, 1))) plan.write(tensor, data);
      await plan.replay(); // gradients of the replay before must not stay
      const encode = vi.spyOn(plan, 'encode');
      const submit = vi.spyOn(device.gpu.queue, 'submit');
      const values = await plan.replayAndRead(read);
      const ends = submit.mock.invocationCallOrder;
      const submits = ends.map((end, i) =>
        encode.mock.calls
          .filter((_, call) => {
            const at = encode.mock.invocationCallOrder[call]!;
            return at < end && at > (ends[i - 1] ?? 0);
          })
          .map(([, prepared]) => prepared),
      );
      vi.restoreAllMocks();
      plan.free();
      return { values, submits, dispatches: plan.dispatches };
    };
    const whole = await run(Number.POSITIVE_INFINITY);
    expect(whole.submits).toHaveLength(1);
    const most = 100_000;
    const cut = await run(most);
    expect(cut.values).toEqual(whole.values);

    expect(cut.submits.length).toBeGreaterThan(3);
    expect(cut.submits.flat()).toEqual(cut.dispatches);
    for (const submit of cut.submits) {
      const total = submit.reduce((sum, { flops }) => sum + flops, 0);
      const worked = submit.filter(({ flops }) => flops > 0);
      expect(total <= most || worked.length === 1).toBe(true); // a dispatch of more than that has a submit to itself
    }
    const work = [...new Set(cut.dispatches.map(({ entry }) => entry))].reduce((sum, entry) => sum + flopsOf(entry), 0);
    expect(cut.dispatches.reduce((sum, { flops }) => sum + flops, 0)).toBeCloseTo(work, -1);
  });

  test('gradients add up over replays of one plan, and only when asked', async () => {
    const device = await testDevice();
    const { plan, write, gradients } = await lossPlan(device);
    const gradient = async (seed: number, accumulate: boolean) => {
      write(seed);
      await plan.replay({ accumulate });
      return plan.read(gradients);
    };
    const one = await gradient(1, false);
    const two = await gradient(2, false);
    expect(await gradient(1, false)).toEqual(one);
    const both = await gradient(2, true);
    const scale = Math.max(...both.map(Math.abs));
    const worst = Math.max(...both.map((value, i) => Math.abs(value - (one[i]! + two[i]!))));
    expect(worst).toBeLessThan(1e-6 * scale);
    plan.free();
  });

  test('two half batches, accumulated, update as one whole batch does', async () => {
    const device = await testDevice();
    const halves = await Trainer.create(device, {
      config: CONFIG,
      batch: 1,
      sizes: [SIZE],
      parameters: initialParameters(CONFIG, 0),
    });
    const whole = await trainer(device);
    const { prefix, targets, weights } = batch(1);
    weights.fill(1); // halves weigh the same, so that the mean of means is the mean
    const half = (i: number) => ({
      size: SIZE,
      prefix: prefix.subarray(i * 4, i * 4 + 4),
      targets: targets.subarray(i * 8, i * 8 + 8),
      weights: weights.subarray(i * 8, i * 8 + 8),
    });
    const a = await halves.update([half(0), half(1)], 1e-2);
    const b = await whole.update([{ prefix, targets, weights, size: SIZE }], 1e-2);
    expect(a.nats).toBeCloseTo(b.nats, 5);
    expect(a.gradientNorm).toBeCloseTo(b.gradientNorm, 5);
    halves.free();
    whole.free();
  });

  test('without the update entries, parameters stay as they are', async () => {
    const device = await testDevice();
    const run = await trainer(device);
    await run.update([batch(1)], 1e-3);
    const before = await run.parameters();
    await run.plan.replay({ update: false });
    expect(await run.parameters()).toEqual(before);
    run.free();
  });
});

test('a plan is described by dispatches, pipelines, bytes, and what shares what', async () => {
  const device = await testDevice();
  const { plan } = await lossPlan(device);
  const text = describePlan(plan);
  const pipelines = new Set(plan.dispatches.map(({ pipeline }) => pipeline)).size;
  expect(text).toContain(`${plan.dispatches.length} dispatches, ${pipelines} pipelines, 1 submit a replay`);
  expect(text).toMatch(/memory \d+\.\d\d MiB: parameters, gradients and moments .* activations .*unshared/);
  expect(text).toMatch(/replay blocks\.0\.attention\.qkv +cpu\/matmul\.register +\d+×\d+×1 +\[2, 12, 96\]/);
  expect(text).toMatch(/crossEntropy loss 38..kept|crossEntropy loss \d+\.\.kept/);
  expect(text).toMatch(/\d+\.\.\d+ \| \S/); // two tenants of one buffer
  expect(plan.bytes.activations).toBeLessThan(plan.bytes.unshared);
  plan.free();
});

test('one tensor may be read twice at once, and a plan be freed meanwhile', async () => {
  const device = await testDevice();
  const live = countObjects(device.gpu);
  const program = new Program();
  const x = program.input('x', [3]);
  const y = add(x, x);
  const plan = await Plan.compile(program, device, { keep: [y] });
  plan.write(x, Float32Array.of(1, 2, 3));
  const twice = Float32Array.of(2, 4, 6);
  expect(await plan.replayAndRead([y, y])).toEqual([twice, twice]);
  expect(await Promise.all([plan.read(y), plan.read(y)])).toEqual([twice, twice]);
  const last = plan.read(y);
  plan.free();
  expect(await last).toEqual(twice);
  expect(live.buffers).toBe(0);
});

describe('bad input', () => {
  async function chain() {
    const device = await testDevice();
    const program = new Program();
    const x = program.input('x', [2, 3]);
    const first = program.scope('mlp', () => gelu(x));
    const last = gelu(gelu(first));
    const plan = await Plan.compile(program, device, { keep: [last] });
    return { device, program, x, first, last, plan };
  }

  test('numbers of another shape than was recorded', async () => {
    const { plan, x } = await chain();
    expect(() => plan.write(x, new Float32Array(7))).toThrow(
      new InputError('write: x [2, 3] takes 6 f32 numbers; got 7 in a Float32Array'),
    );
    expect(() => plan.write(x, new Uint32Array(6))).toThrow('x [2, 3] takes 6 f32 numbers; got 6 in a Uint32Array');
    plan.free();
  });

  test('an id that is in no row of the table', async () => {
    const program = new Program();
    const ids = program.input('ids', [4], 'u32');
    embedding(program.parameter('table', [258, 2]), ids);
    const plan = await Plan.compile(program, await testDevice());
    expect(() => plan.write(ids, Uint32Array.of(0, 257, 258, 1))).toThrow(
      new InputError('write: ids must be below 258; got 258 at index 2'),
    );
    expect(() => plan.write(ids, Float32Array.of(0, 1, 2, 3))).toThrow('takes 4 u32 numbers; got 4 in a Float32Array');
    plan.write(ids, Uint32Array.of(0, 257, 256, 1));
    plan.free();
  });

  test('a batch of another size than the trainer was made for', async () => {
    const run = await trainer(await testDevice());
    const size = { prefix: 4, stream: 9 };
    const other = { ...randomBatch({ B: 2, L: 4, T: 9 }), size };
    await expect(run.update([other], 1e-3)).rejects.toThrow('windows of 4 + 9 bytes; this trainer was made for 4 + 8');
    run.free();
  });

  test('a read of a buffer that was used again names who has it now', async () => {
    const { plan, x, first, last } = await chain();
    plan.write(x, new Float32Array(6));
    await plan.replay();
    expect(await plan.read(last)).toHaveLength(6);
    await expect(plan.read(first)).rejects.toThrow(
      new InputError(
        'read: the buffer of mlp gelu.forward y [2, 3] was used again by gelu.forward y; name it in `keep` when compiling',
      ),
    );
    plan.free();
  });

  test('a strided view has no numbers of its own', async () => {
    const { plan, x } = await chain();
    await expect(plan.read(x.transpose())).rejects.toThrow('x [3, 2] is a strided view; read its base tensor');
    expect(() => plan.write(x.transpose(), new Float32Array(6))).toThrow(
      new InputError('write: x [3, 2] is a strided view; write its base tensor'),
    );
    plan.free();
  });

  test('an input that was never written', async () => {
    const { plan, program, x, last } = await chain();
    const unwritten = new InputError(
      'replay: gelu.forward reads x, which was never written; plan.write gives it numbers',
    );
    await expect(plan.replayAndRead([last])).rejects.toThrow(unwritten);
    expect(() => plan.submit()).toThrow(unwritten);
    await expect(runEntries(plan).next()).rejects.toThrow(unwritten);
    plan.write(x, new Float32Array(6));
    await plan.replay();
    expect(program.entries).toHaveLength(3);
    plan.free();
  });

  test('an input of the update entries need be written only where they run', async () => {
    const program = new Program();
    gelu(program.constant('one', [1], Float32Array.of(1)));
    program.phase = 'update';
    const rate = program.input('rate', [1]);
    gelu(rate);
    const plan = await Plan.compile(program, await testDevice());
    await plan.replay({ update: false });
    expect(() => plan.submit()).toThrow('gelu.forward reads rate, which was never written');
    plan.write(rate, Float32Array.of(1));
    await plan.replay();
    plan.free();
  });

  test('what only a replay writes, before there was one', async () => {
    const { plan, x, last } = await chain();
    await expect(plan.read(last)).rejects.toThrow(
      new InputError('read: gelu.forward y [2, 3] is computed by a replay, and there was none yet'),
    );
    plan.write(x, new Float32Array(6));
    await plan.replay();
    expect(await plan.read(last)).toHaveLength(6);
    plan.free();
  });

  test('a write to what an op computes, or to a constant', async () => {
    const { plan, last } = await chain();
    expect(() => plan.write(last, new Float32Array(6))).toThrow(
      new InputError(
        'write: gelu.forward y [2, 3] is of the role activation; inputs, states and parameters are written',
      ),
    );
    const constant = plan.program.constant('one', [1], Float32Array.of(1));
    expect(() => plan.write(constant, Float32Array.of(2))).toThrow('one [1] is of the role constant');
    plan.free();
  });

  test('a tensor after its plan was freed', async () => {
    const { plan, x, last } = await chain();
    plan.free();
    expect(() => plan.write(x, new Float32Array(6))).toThrow('x [2, 3]: its plan was freed; compile the program again');
    await expect(plan.read(last)).rejects.toThrow('its plan was freed');
    await expect(plan.replayAndRead([last])).rejects.toThrow('this plan was freed');
  });

  test('what is no tensor, such as a gradient that was not recorded', async () => {
    const { plan, program, x } = await chain();
    await expect(plan.read(program.gradientOf(x)!)).rejects.toThrow(
      new InputError('a plan reads and writes tensors; got undefined'),
    );
    plan.free();
  });

  test('a tensor of another program', async () => {
    const { plan } = await chain();
    const stranger = new Program().input('stranger', [1]);
    await expect(plan.read(stranger)).rejects.toThrow('stranger [1] belongs to another program than this plan');
    plan.free();
  });

  test("a tensor over the adapter's limit is refused before anything is allocated", async () => {
    const { device, program } = await chain();
    // The same device with limits that 24 bytes are too much for.
    const tight = new Proxy(device, {
      get(target, name) {
        if (name === 'limits') return { maxBufferSize: 1 << 20, maxStorageBufferBindingSize: 16 };
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const createBuffer = vi.spyOn(device.gpu, 'createBuffer');
    const compiling = Plan.compile(program, tight);
    await expect(compiling).rejects.toThrow(DeviceError);
    await expect(compiling).rejects.toThrow(
      /^x: gelu\.forward needs 0 MiB, but .* allows 0 MiB \(maxStorageBufferBindingSize\)\. Take a smaller/,
    );
    expect(createBuffer).not.toHaveBeenCalled();
  });

  test('a parameter of another size, or one that does not exist', async () => {
    const device = await testDevice();
    const program = new Program();
    const x = program.input('x', [2, 3]);
    add(x, program.parameter('offset', [2, 3]));
    const compile = (name: string, length: number) =>
      Plan.compile(program, device, { parameters: new Map([[name, new Float32Array(length)]]) });
    await expect(compile('offset', 5)).rejects.toThrow('write: offset [2, 3] takes 6 f32 numbers; got 5');
    await expect(compile('offsets', 6)).rejects.toThrow('there is no parameter offsets');
  });
});
