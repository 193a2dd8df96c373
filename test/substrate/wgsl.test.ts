/** The substrate on tensors: every claim of `verify`, and the layers around the shader. */
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/common/errors.js';
import { integers, normals } from '../../src/common/random.js';
import { hslFeatures } from '../../src/engine/ops/hslFeatures.js';
import { padOrCrop } from '../../src/engine/ops/padOrCrop.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { ControlEmbedding } from '../../src/model/controlEmbedding.js';
import { HslEmbedding } from '../../src/model/embedding.js';
import { exactnessChecks } from '../../src/model/exactness.js';
import { ZeroInput } from '../../src/model/zeroInput.js';
import { EOS, MASK } from '../../src/substrate/channels.js';
import type { ControlKind } from '../../src/substrate/controls.js';
import { embed } from '../../src/substrate/embed.js';
import type { ChannelGroup } from '../../src/substrate/groups.js';
import type { Tail } from '../../src/substrate/slots.js';
import { testDevice } from '../support/device.js';
import { evaluate } from '../support/evaluate.js';

const device = await testDevice();

describe('the claims', () => {
  it.each(exactnessChecks(device).filter(({ path }) => path === 'device'))('$what', async ({ check }) => {
    let numbers = 0;
    await check((right) => {
      numbers += right;
    });
    expect(numbers).toBeGreaterThan(30_000);
  });
});

describe('the layers', () => {
  it("say 'H' as the README does: 72 is 01001000, its Gray code 01101100", async () => {
    const ids = { shape: [1, 1], data: Uint32Array.of(72) };
    const { shape, data } = await evaluate(device, { ids }, (x) => new HslEmbedding().features(x.ids));
    expect(shape).toEqual([1, 1, 27]);
    expect([...data.subarray(0, 8)]).toEqual([0, 1, 1, 0, 1, 1, 0, 0]);
    expect(data).toEqual(embed(Uint8Array.of(72)).features);
  });

  it('keep the sign of a zero, which Im X[2] has for 96 bytes', async () => {
    const ids = { shape: [1, 256], data: Uint32Array.from({ length: 256 }, (_, v) => v) };
    const { data } = await evaluate(device, { ids }, (x) => new ZeroInput({ K: 2, dim: 64 }).forward(x.ids));
    expect(data.filter((value) => Object.is(value, -0)).length).toBe(96);
  });

  it('read ids that are a strided view in the order of the view', async () => {
    const given = { shape: [2, 3], data: Uint32Array.of(72, 101, MASK, EOS, 0, 255) };
    const { data } = await evaluate(device, { given }, (x) => new HslEmbedding().features(x.given.transpose()));
    const across = { shape: [3, 2], data: Uint32Array.of(72, EOS, 101, 0, MASK, 255) };
    const want = await evaluate(device, { across }, (x) => new HslEmbedding().features(x.across));
    expect(data).toEqual(want.data);
  });

  it('give every batch row and slot its place, tails completed with 0x00 or cut', async () => {
    const ids = { shape: [3, 11], data: integers(1, 'batch', 33, 256) };
    for (const tail of ['pad', 'drop'] as const) {
      const zero = new ZeroInput({ K: 4, dim: 140, tail, includeBits: true, momentumPhase: true });
      const { shape, data } = await evaluate(device, { ids }, (x) => zero.forward(x.ids));
      const P = tail === 'pad' ? 3 : 2;
      expect(shape).toEqual([3, P, 140]);
      for (let b = 0; b < 3; b++) {
        const bytes = new Uint8Array(12);
        bytes.set(ids.data.subarray(11 * b, 11 * b + 11));
        const { features } = embed(bytes.subarray(0, 4 * P), { includeBits: true, momentumPhase: true });
        // Four bytes of 35 channels fill a slot of 140, so that slots side by side are the features themselves.
        expect(data.subarray(140 * P * b, 140 * P * (b + 1))).toEqual(features);
      }
    }
    const none = await evaluate(device, { ids }, (x) => new ZeroInput({ K: 18, tail: 'drop' }).forward(x.ids));
    expect(none.shape).toEqual([3, 0, 512]);
  });

  it('train a learned table: its gradient is the sum of dY at the positions of its byte, at value columns only', async () => {
    const program = new Program();
    const ids = program.input('ids', [2, 3], 'u32');
    const embedding = new ControlEmbedding('learned', { seed: 2 });
    const [x, slots] = [embedding.features(ids), padOrCrop(embedding.features(ids), 30)];
    expect(program.parameters.map(({ name, tensor }) => [name, tensor.shape])).toEqual([
      ['door.values.weight', [256, 18]],
    ]);
    const [dX, dSlots] = [program.input('dX', x.shape), program.input('dSlots', slots.shape)];
    program.backward([
      [x, dX],
      [slots, dSlots],
    ]);
    const table = program.parameters[0]!.tensor;
    const plan = await Plan.compile(program, device, { keep: [x], parameters: embedding.parameters() });
    const [given, other] = [normals(1, 'dX', dX.size), normals(1, 'dSlots', dSlots.size)];
    plan.write(ids, Uint32Array.of(72, 9, 72, MASK, 72, 9));
    plan.write(dX, given);
    plan.write(dSlots, other);
    await plan.replay();
    const gradient = await plan.read(program.gradientOf(table)!);
    const want = new Float64Array(4608);
    [72, 9, 72, MASK, 72, 9].forEach((v, n) => {
      for (let i = 0; i < 18 && v !== MASK; i++) {
        const c = i < 8 ? i : i + 9;
        want[18 * v + i]! += given[27 * n + c]! + other[30 * n + c]!;
      }
    });
    for (const [at, value] of want.entries()) expect(gradient[at]).toBeCloseTo(value, 5);
    expect((await plan.read(x)).subarray(0, 8)).toEqual(embedding.table.subarray(18 * 72, 18 * 72 + 8));
    plan.free();
  });

  it('have a parameter for the learned table alone', () => {
    for (const kind of ['hsl', 'random', 'permuted'] as const) {
      const program = new Program();
      new ControlEmbedding(kind).features(program.input('ids', [1, 4], 'u32'));
      expect(program.parameters).toEqual([]);
      expect(new ControlEmbedding(kind).parameters().size).toBe(0);
    }
  });
});

describe('bad input', () => {
  const ids = new Program().input('ids', [1, 4]);

  it('floats where ids belong', () => {
    expect(() => new HslEmbedding().features(ids)).toThrow(ShapeError);
    expect(() => new HslEmbedding().features(ids)).toThrow('hslFeatures: ids must be u32, not f32; got ids [1, 4]');
    expect(() => new ZeroInput().forward(ids)).toThrow('ids must be u32, not f32');
  });

  it.each<[string, () => unknown, string]>([
    ['too many bytes a slot', () => new ZeroInput({ K: 19 }), 'got K 19, dim 512. The largest K that fits is 18'],
    ['with raw bits', () => new ZeroInput({ K: 15, includeBits: true }), 'K·35 must be at most dim; got K 15, dim 512'],
    ['half a byte', () => new ZeroInput({ K: 0.5 }), 'K must be an integer, at least 1; got 0.5'],
    ['no such tail', () => new ZeroInput({ tail: 'keep' as Tail }), 'tail must be pad or drop; got keep'],
    ['no such kind', () => new ControlEmbedding('hls' as ControlKind), 'unknown kind hls; kinds are hsl, learned'],
    ['half a seed', () => new ControlEmbedding('random', { seed: 0.5 }), 'seed must be a whole number'],
    ['no such group', () => new HslEmbedding({ groups: 'dxo' as ChannelGroup }), 'unknown group dxo; groups are'],
    ['bits that are not there', () => new HslEmbedding({ groups: 'bits' }), 'only with includeBits'],
    [
      'both at once',
      () => new HslEmbedding({ groups: 'phase', columns: [3] }),
      'give columns or groups, which name the same thing, not both',
    ],
  ])('%s', (_, build, message) => {
    expect(build).toThrow(message);
  });

  it('a column that is not there, a table of another shape', () => {
    const program = new Program();
    const bytes = program.input('ids', [1, 4], 'u32');
    const keep = (column: number) => () => new HslEmbedding({ columns: [column] }).features(bytes);
    expect(keep(27)).toThrow('hslFeatures: columns must be whole numbers 0..26; got 27');
    expect(keep(0.5)).toThrow('got 0.5');
    const table = program.input('table', [256, 17]);
    expect(() => hslFeatures(bytes, { table })).toThrow('hslFeatures: table must be [256, 18]; got table [256, 17]');
  });
});
