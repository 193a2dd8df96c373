import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { integers } from '../../src/common/random.js';
import { sum } from '../../src/engine/ops/sum.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { type DecoderConfig, DOOR_KINDS, type DoorKind } from '../../src/model/config.js';
import { doorOf, throughDoor } from '../../src/model/door.js';
import { unitScale } from '../../src/model/doors/channels.js';
import { doorSpecs } from '../../src/model/parameters.js';
import { testDevice } from '../support/device.js';
import { expectClose } from '../support/expectClose.js';

interface Golden {
  readonly B: number;
  readonly L: number;
  readonly T: number;
  readonly K: number;
  readonly dim: number;
  readonly prefix: number[];
  readonly stream: number[];
  readonly doors: Record<
    string,
    { x0: number[]; loss: number; gradients: Record<string, Record<string, readonly number[]>> }
  >;
}
const golden: Golden = JSON.parse(readFileSync('test/golden/doors.json', 'utf8'));
const { B, L, T, K, dim } = golden;

/** The numbers of doors.py. */
const numbers = (n: number, phase: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(1.7 * i + phase));

describe.each(Object.keys(golden.doors) as DoorKind[])('the %s door against PyTorch', (door) => {
  test('rows, loss and every gradient', async () => {
    const config: DecoderConfig = { door, dim, layers: 1, heads: 2, K };
    const { x0: rows, loss: cost, gradients } = golden.doors[door]!;
    const specs = doorSpecs(config);
    expect(specs.map(({ name }) => name)).toEqual(Object.keys(gradients).map((name) => `door.${name}.weight`));
    const program = new Program();
    const parameters = new Map(specs.map(({ name, shape }) => [name, program.parameter(name, shape)]));
    const prefix = program.input('prefix', [B, L], 'u32');
    const stream = program.input('stream', [B, T], 'u32');
    const x0 = throughDoor(config, parameters, prefix, stream);
    const weights = program.constant('w', x0.shape, numbers(x0.size, 9));
    const loss = sum(x0.mul(weights));
    if (specs.length > 0) program.backward(loss);
    const started = new Map(specs.map(({ name, shape }, i) => [name, numbers(shape[0]! * shape[1]!, i)]));
    const plan = await Plan.compile(program, await testDevice(), { keep: [x0, loss], parameters: started });
    plan.write(prefix, Uint32Array.from(golden.prefix));
    plan.write(stream, Uint32Array.from(golden.stream));
    await plan.replay();
    expectClose('x0', await plan.read(x0), rows, 4);
    expectClose('loss', await plan.read(loss), [cost], 256);
    for (const [table, byRow] of Object.entries(gradients)) {
      const tensor = parameters.get(`door.${table}.weight`)!;
      const [, width] = tensor.shape as [number, number];
      const expected = new Float64Array(tensor.size);
      for (const [row, values] of Object.entries(byRow)) expected.set(values, Number(row) * width);
      expectClose(`gradient of ${table}`, await plan.read(program.gradientOf(tensor)!), expected, 16);
    }
    plan.free();
  });
});

/** What a door gives for a prefix and a stream. */
async function rowsOf(config: DecoderConfig, prefix: Uint32Array, stream: Uint32Array) {
  const program = new Program();
  const ids = {
    prefix: program.input('prefix', [1, prefix.length], 'u32'),
    stream: program.input('stream', [1, stream.length], 'u32'),
  };
  const door = doorOf(config, new Map());
  const [slots, rows] = [door.slots(ids.prefix), door.stream(ids.stream)];
  const plan = await Plan.compile(program, await testDevice(), { keep: [slots, rows] });
  plan.write(ids.prefix, prefix);
  plan.write(ids.stream, stream);
  await plan.replay();
  const read = [await plan.read(slots), await plan.read(rows)] as const;
  plan.free();
  return read;
}

test('zero-scaled is zero times two constants, and enters with a root mean square of 1', async () => {
  const config = { dim: 128, layers: 1, heads: 2, K: 4 };
  const bytes = integers(3, 'bytes', 4096, 256);
  const zero = await rowsOf({ ...config, door: 'zero' }, bytes, bytes);
  const scaled = await rowsOf({ ...config, door: 'zero-scaled' }, bytes, bytes);
  for (const [i, positions] of [1024, 4096].entries()) {
    const factor = unitScale({ ...config, door: 'zero' }) / Math.sqrt(i === 0 ? 4 : 1);
    expectClose(
      'rows',
      scaled[i]!,
      zero[i]!.map((value) => value * factor),
      2,
    );
    const squares = scaled[i]!.reduce((all, value) => all + value * value, 0);
    expect(Math.sqrt(squares / (positions * config.dim))).toBeCloseTo(1, 2);
  }
});

test('doorScale multiplies every row of a door', async () => {
  const config: DecoderConfig = { door: 'zero', dim: 56, layers: 1, heads: 2, K: 2 };
  const input = async (doorScale?: number) => {
    const program = new Program();
    const stream = program.input('stream', [1, 4], 'u32');
    const x0 = throughDoor({ ...config, ...(doorScale && { doorScale }) }, new Map(), undefined, stream);
    const plan = await Plan.compile(program, await testDevice(), { keep: [x0] });
    plan.write(stream, Uint32Array.of(72, 101, 108, 256));
    await plan.replay();
    const rows = await plan.read(x0);
    plan.free();
    return rows;
  };
  expect(await input(2)).toEqual((await input()).map((value) => 2 * value));
});

test.each(DOOR_KINDS)('the %s door sees no byte after its own', async (door) => {
  const config: DecoderConfig = { door, dim: 56, layers: 1, heads: 2, K: 2 };
  const program = new Program();
  const parameters = new Map(doorSpecs(config).map(({ name, shape }) => [name, program.parameter(name, shape)]));
  const stream = program.input('stream', [1, 6], 'u32');
  const x0 = throughDoor(config, parameters, undefined, stream);
  const started = new Map(
    doorSpecs(config).map(({ name, shape }, i) => [
      name,
      numbers(
        shape.reduce((a, b) => a * b, 1),
        i,
      ),
    ]),
  );
  const plan = await Plan.compile(program, await testDevice(), { keep: [x0], parameters: started });
  const read = async (ids: number[]) => {
    plan.write(stream, Uint32Array.from(ids));
    await plan.replay();
    return (await plan.read(x0)).slice(0, 3 * 56);
  };
  expect(await read([256, 72, 101, 108, 108, 111])).toEqual(await read([256, 72, 101, 9, 255, 0]));
  plan.free();
});
