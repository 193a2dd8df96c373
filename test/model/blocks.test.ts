import { describe, expect, test } from 'vitest';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { ReferenceRun } from '../../src/engine/reference.js';
import type { Tensor } from '../../src/engine/tensor.js';
import { checkConfig, type DecoderConfig, type DoorKind, SIZES } from '../../src/model/config.js';
import { recordForward, toFeeds } from '../../src/model/forward.js';
import { countParameters, doorSpecs, initialParameters, parameterSpecs } from '../../src/model/parameters.js';
import { randomBatch, TINY } from '../support/decoders.js';
import { testDevice } from '../support/device.js';
import { expectClose } from '../support/expectClose.js';

const DOORS: DoorKind[] = ['zero', 'zero-scaled', 'bytes-untied', 'bytes+previous', 'bits+context', 'learned'];

describe('a whole tiny decoder against its float64 twin', () => {
  test.each(DOORS)('%s door: loss and all gradients', async (door) => {
    const config = { ...TINY, door };
    const size = { B: 2, L: 14, T: 11 }; // a padded last slot, and sizes off every tile
    const program = new Program();
    const pass = recordForward(program, config, size);
    program.backward(pass.loss);
    const parameters = initialParameters(config, 3);
    const plan = await Plan.compile(program, await testDevice(), { keep: [pass.loss, pass.logits], parameters });
    const feeds = toFeeds(pass, randomBatch(size));
    for (const [tensor, data] of feeds) plan.write(tensor, data);
    await plan.replay();

    const all: Map<Tensor, ArrayLike<number>> = new Map(feeds);
    for (const { name, tensor } of program.parameters) all.set(tensor, parameters.get(name)!);
    const reference = new ReferenceRun(program, all).run();
    expectClose('loss', await plan.read(pass.loss), reference.value(pass.loss).data, 16);
    expectClose('logits', await plan.read(pass.logits), reference.value(pass.logits).data, 64);
    for (const { name, tensor } of program.parameters) {
      const gradient = program.gradientOf(tensor)!;
      expectClose(`gradient of ${name}`, await plan.read(gradient), reference.value(gradient).data, 256);
    }
    plan.free();
  });
});

describe('parameters', () => {
  test.each([
    ['zero', 0],
    ['projected', 125_440],
    ['bytes', 132_096],
    ['zero-scaled', 0],
    ['bytes-untied', 148_608],
    ['bytes+previous', 297_216],
    ['bits', 0],
    ['bits+context', 0],
    ['learned', 4_608],
    ['random', 0],
    ['permuted', 0],
  ] as const)('the %s door has %i of them at K 8, dim 512', (door, count) => {
    expect(countParameters(doorSpecs({ door, ...SIZES.lean }))).toBe(count);
  });

  test('lean has 25.2 M parameters in its blocks', () => {
    const specs = parameterSpecs({ door: 'zero', ...SIZES.lean }).filter(({ name }) => name.startsWith('blocks.'));
    expect(countParameters(specs)).toBe(25_219_072);
  });

  test('start as src/model/README.md says', () => {
    const parameters = initialParameters(TINY, 0);
    const deviation = (name: string) => {
      const values = parameters.get(name)!;
      return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    };
    expect(deviation('blocks.0.mlp.up.weight')).toBeCloseTo(0.02, 3);
    expect(deviation('blocks.0.mlp.down.weight')).toBeCloseTo(0.02 / Math.sqrt(2 * TINY.layers), 3);
    expect(new Set(parameters.get('norm.weight'))).toEqual(new Set([1]));
    expect(new Set(parameters.get('blocks.1.attention.qkv.bias'))).toEqual(new Set([0]));
    expect(initialParameters(TINY, 1).get('head.weight')).not.toEqual(parameters.get('head.weight'));
  });
});

describe('a configuration that cannot be built', () => {
  const refuses = (change: Partial<DecoderConfig>, message: string) =>
    expect(() => checkConfig({ ...TINY, ...change })).toThrow(message);

  test('says which K fits', () => {
    refuses({ K: 5 }, 'K·27 must be at most dim; got K 5, so 135 > dim 128. The largest K for this dim is 4');
  });
  test('says which heads fit', () => {
    refuses({ heads: 3 }, 'dim must be divisible by heads; got dim 128, heads 3. heads 2 would fit');
  });
  test('needs heads of even width', () => {
    refuses({ heads: 128 }, 'heads must have an even width, for rotary positions; got dim 128 / heads 128 = 1');
  });
  test('needs whole numbers', () => {
    refuses({ layers: 0 }, 'layers must be a whole number of at least 1; got 0');
  });
});
