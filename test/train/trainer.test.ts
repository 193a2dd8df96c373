import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/common/errors.js';
import { stepScalars } from '../../src/engine/optimiser.js';
import { Program } from '../../src/engine/program.js';
import { SIZES } from '../../src/model/config.js';
import { Decoder } from '../../src/model/decoder.js';
import { Evaluator } from '../../src/model/evaluator.js';
import { recordForward } from '../../src/model/forward.js';
import { initialParameters } from '../../src/model/parameters.js';
import { OPTIMISER } from '../../src/train/optimiser.js';
import { Trainer, type TrainerOptions } from '../../src/train/trainer.js';
import { randomBatch, TINY } from '../support/decoders.js';
import { testDevice } from '../support/device.js';

const SIZE = { prefix: 8, stream: 6 };
const OPTIONS: TrainerOptions = { config: TINY, batch: 2, sizes: [SIZE], parameters: initialParameters(TINY, 0) };
const batch = () => ({ ...randomBatch({ B: 2, L: SIZE.prefix, T: SIZE.stream }, 1), size: SIZE });

const create = async (options: Partial<TrainerOptions> = {}) =>
  Trainer.create(await testDevice(), { ...OPTIONS, ...options });

describe('an update is refused, and nothing is changed,', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e39, -1])('by a learning rate of %d', async (rate) => {
    const trainer = await create();
    const before = await trainer.parameters();
    await expect(trainer.update([batch()], rate)).rejects.toThrow(
      new InputError(`the learning rate must be a finite number of at least 0; got ${rate}`),
    );
    await expect(trainer.locateNonFinite([batch()], rate)).rejects.toThrow('the learning rate must be');
    expect(await trainer.parameters()).toEqual(before);
    expect(trainer.step).toBe(0);
    expect((await trainer.update([batch()], 1e-3)).finite).toBe(true);
    trainer.free();
  });

  test('without a batch', async () => {
    const trainer = await create();
    await expect(trainer.update([], 1e-3)).rejects.toThrow(
      new InputError('update: needs at least one batch; got none'),
    );
    trainer.free();
  });

  test('with prefixes or targets of another length', async () => {
    const trainer = await create();
    const prefix = new Uint32Array(2 * SIZE.prefix - 1);
    await expect(trainer.update([{ ...batch(), prefix }], 1e-3)).rejects.toThrow(
      new InputError('batch: prefix must be [2, 8], 16 ids; got 15'),
    );
    const targets = new Uint32Array(99);
    await expect(trainer.update([{ ...batch(), targets }], 1e-3)).rejects.toThrow(
      'batch: targets must be [2, 6], 12 ids; got 99',
    );
    trainer.free();
  });
});

test('a learning rate of 0 changes no parameter, and is a step', async () => {
  const trainer = await create();
  const before = await trainer.parameters();
  expect((await trainer.update([batch()], 0)).finite).toBe(true);
  expect(await trainer.parameters()).toEqual(before);
  expect(trainer.step).toBe(1);
  trainer.free();
});

describe('a step submitted before the loss of the one before it is read', () => {
  const numbers = (seed: number) => ({ ...randomBatch({ B: 2, L: SIZE.prefix, T: SIZE.stream }, seed), size: SIZE });
  const bad = () => ({ ...numbers(2), weights: new Float32Array(2 * SIZE.stream).fill(Number.POSITIVE_INFINITY) });
  /** The number of updates, and a hash of every bit that they change: a difference of the arrays would take minutes to print. */
  const stateOf = async (trainer: Trainer) => {
    const { m, v } = await trainer.moments();
    const hash = createHash('sha256');
    for (const part of [await trainer.parameters(), m, v]) for (const data of part.values()) hash.update(data);
    return { step: trainer.step, sha256: hash.digest('hex') };
  };

  test('has the result of its own step, and the same bits', async () => {
    const [one, two] = [await create(), await create()];
    const submitted = [await one.submit([numbers(1)], 1e-3), await one.submit([numbers(2)], 2e-3)];
    const late = [await submitted[0]!.result(), await submitted[1]!.result()];
    expect(late).toEqual([await two.update([numbers(1)], 1e-3), await two.update([numbers(2)], 2e-3)]);
    expect(await stateOf(one)).toEqual(await stateOf(two));
    for (const trainer of [one, two]) trainer.free();
  });

  test('changes nothing if that one was not finite, and can be submitted again', async () => {
    const trainer = await create();
    await trainer.update([numbers(1)], 1e-3);
    const before = await stateOf(trainer);
    const submitted = [await trainer.submit([bad()], 1e-3), await trainer.submit([numbers(3)], 1e-3)];
    expect(trainer.step).toBe(3);
    expect(await submitted[0]!.result()).toMatchObject({ nats: Number.NaN, finite: false });
    expect(await stateOf(trainer)).toEqual(before);
    const held = await submitted[1]!.result();
    expect(held).toMatchObject({ finite: false, nats: expect.closeTo(5.5, 0) });
    expect(await stateOf(trainer)).toEqual(before);
    expect(await trainer.update([numbers(3)], 1e-3)).toEqual({ ...held, finite: true });
    // The next step trains again, as if there had been no other.
    const fresh = await create();
    for (const seed of [1, 3]) await fresh.update([numbers(seed)], 1e-3);
    expect(await stateOf(trainer)).toEqual(await stateOf(fresh));
    for (const each of [trainer, fresh]) each.free();
  });

  test('changes nothing if that one was not finite, in windows of another size', async () => {
    const other = { prefix: 4, stream: 5 };
    const trainer = await create({ sizes: [SIZE, other] });
    const before = await stateOf(trainer);
    const next = { ...randomBatch({ B: 2, L: other.prefix, T: other.stream }, 4), size: other };
    const submitted = [await trainer.submit([bad()], 1e-3), await trainer.submit([next], 1e-3)];
    for (const each of submitted) expect(await each.result()).toMatchObject({ finite: false });
    expect(await stateOf(trainer)).toEqual(before);
    expect(await trainer.update([next], 1e-3)).toMatchObject({ finite: true });
    expect(await stateOf(trainer)).not.toEqual(before);
    trainer.free();
  });

  test('changes nothing if a batch before its last one was not finite', async () => {
    const trainer = await create();
    const before = await stateOf(trainer);
    expect(await trainer.update([bad(), numbers(1)], 1e-3)).toMatchObject({ nats: Number.NaN, finite: false });
    expect(await stateOf(trainer)).toEqual(before);
    trainer.free();
  });

  test('runs as before after an update that was refused in the middle', async () => {
    const [trainer, fresh] = [await create(), await create()];
    const short = { ...numbers(1), targets: new Uint32Array(99) };
    await expect(trainer.update([bad(), short], 1e-3)).rejects.toThrow(InputError);
    expect(await trainer.update([numbers(1)], 1e-3)).toEqual(await fresh.update([numbers(1)], 1e-3));
    expect(await stateOf(trainer)).toEqual(await stateOf(fresh));
    for (const each of [trainer, fresh]) each.free();
  });
});

describe('a trainer is refused', () => {
  const parameters = (without: string[]) =>
    new Map([...initialParameters(TINY, 0)].filter(([name]) => !without.includes(name)));

  test.each<[Partial<TrainerOptions>, string]>([
    [{ batch: 0 }, 'batch must be a whole number of at least 1; got 0'],
    [{ batch: 1.5 }, 'batch must be a whole number of at least 1; got 1.5'],
    [{ batch: Number.NaN }, 'batch must be a whole number of at least 1; got NaN'],
    [{ accumulate: 0 }, 'accumulate must be a whole number of at least 1; got 0'],
    [{ sizes: [] }, 'sizes: needs at least one size of window; got none'],
    [{ sizes: [SIZE, { ...SIZE }] }, 'sizes: each size of window once'],
    [{ sizes: [{ prefix: -1, stream: 6 }] }, 'prefix must be a whole number of at least 0; got -1'],
    [{ sizes: [{ prefix: 8, stream: 0 }] }, 'stream must be a whole number of at least 1; got 0'],
    [
      { parameters: parameters(['norm.weight', 'head.bias']) },
      'parameters: norm.weight, head.bias left out; initialParameters(config, seed) gives all of them',
    ],
    [{ optimiser: { ...OPTIMISER, beta2: 1 } }, 'optimiser: beta2 must be at least 0 and less than 1; got 1'],
    [
      { optimiser: { ...OPTIMISER, beta1: Number.NaN } },
      'optimiser: beta1 must be at least 0 and less than 1; got NaN',
    ],
    [{ optimiser: { ...OPTIMISER, eps: 0 } }, 'optimiser: eps must be finite and more than 0; got 0'],
    [{ optimiser: { ...OPTIMISER, decay: -1 } }, 'optimiser: decay must be finite and at least 0; got -1'],
    [{ optimiser: { ...OPTIMISER, clip: 0 } }, 'optimiser: clip must be finite and more than 0; got 0'],
  ])('with %j', async (options, message) => {
    await expect(create(options)).rejects.toThrow(new InputError(message));
  });

  test('without any parameter, as an evaluator and a decoder are', async () => {
    const device = await testDevice();
    const none = new Map<string, Float32Array>();
    const message = /^parameters: blocks\.0\.norm1\.weight, .* and \d+ more left out; initialParameters/;
    await expect(create({ parameters: none })).rejects.toThrow(message);
    await expect(create({ parameters: () => none })).rejects.toThrow(message);
    const size = { B: 1, L: 8, T: 6 };
    await expect(Evaluator.create(device, TINY, size, { parameters: none })).rejects.toThrow(message);
    const decoder = new Decoder(device, TINY, { parameters: none });
    await expect(decoder.generate(new Uint8Array(0), { bytes: 1 }).next()).rejects.toThrow(message);
  });

  test('with parameters that are no Float32Array', async () => {
    const wrong = new Map([...initialParameters(TINY, 0)].map(([name, data]) => [name, Float64Array.from(data)]));
    await expect(create({ parameters: wrong as unknown as TrainerOptions['parameters'] })).rejects.toThrow(
      /^write: blocks\.0\.norm1\.weight \[\d+\] takes \d+ f32 numbers; got \d+ in a Float64Array$/,
    );
  });
});

test('a saved state that lacks a parameter is refused, and nothing is changed', async () => {
  const trainer = await create();
  await trainer.update([batch()], 1e-3);
  const [before, moments] = [await trainer.parameters(), await trainer.moments()];
  const { v } = moments;
  const short = new Map([...v, ['head.bias', new Float32Array(3)]]);
  const restore = (changed: object) => () => trainer.restore(initialParameters(TINY, 1), { ...moments, ...changed }, 7);
  expect(restore({ m: new Map() })).toThrow(
    new InputError(`restore: m must have ${TINY.dim} numbers for blocks.0.norm1.weight; got none`),
  );
  expect(restore({ v: short })).toThrow('restore: v must have 258 numbers for head.bias; got 3');
  expect(() => trainer.restore(before, moments, -1)).toThrow('step must be a whole number of at least 0; got -1');
  expect(await trainer.parameters()).toEqual(before);
  expect(trainer.step).toBe(1);
  trainer.free();
});

test('the scalars of a step are those of its learning rate, which may be anything finite from 0', () => {
  expect([...stepScalars(1, 0, OPTIMISER)].slice(0, 1)).toEqual([0]);
  expect(() => stepScalars(1, -1e-9, OPTIMISER)).toThrow(InputError);
});

describe('a configuration that cannot be built', () => {
  test.each<[object, RegExp]>([
    [{ door: 'zer' }, /^door must be one of zero, .*; got zer$/],
    [{ dim: 10 }, /^dim must be divisible by heads; got dim 10, heads 4/],
    [{ layers: -1 }, /^layers must be a whole number of at least 1; got -1$/],
  ])('has no starting numbers: %j', (change, message) => {
    const config = { door: 'zero' as const, ...SIZES.tiny, ...change };
    expect(() => initialParameters(config, 0)).toThrow(InputError);
    expect(() => initialParameters(config, 0)).toThrow(message);
  });
});

test('a forward pass over nothing is refused', () => {
  const record = (size: object) => () => recordForward(new Program(), TINY, { B: 1, L: 8, T: 6, ...size });
  expect(record({ B: 0 })).toThrow(
    new InputError('B, windows in a batch, must be a whole number of at least 1; got 0'),
  );
  expect(record({ T: 0 })).toThrow('T, bytes of a stream, must be a whole number of at least 1; got 0');
  expect(record({ L: 1.5 })).toThrow('L, bytes of a prefix, must be a whole number of at least 0; got 1.5');
});
