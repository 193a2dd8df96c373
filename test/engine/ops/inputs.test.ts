import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../../src/common/errors.js';
import { normals } from '../../../src/common/random.js';
import { type Shape, sizeOf } from '../../../src/common/shape.js';
import type { AdapterProfile } from '../../../src/engine/kernel.js';
import { type AnyOp, nameOf, outputKind } from '../../../src/engine/op.js';
import { attention } from '../../../src/engine/ops/attention.js';
import { add } from '../../../src/engine/ops/binary.js';
import { crossEntropy } from '../../../src/engine/ops/crossEntropy.js';
import { embedding } from '../../../src/engine/ops/embedding.js';
import { hslFeatures } from '../../../src/engine/ops/hslFeatures.js';
import { registry } from '../../../src/engine/ops/index.js';
import { layerNorm } from '../../../src/engine/ops/layerNorm.js';
import { padOrCrop } from '../../../src/engine/ops/padOrCrop.js';
import { rotary, rotaryIntoCaches, rotaryTable } from '../../../src/engine/ops/rotary.js';
import { Plan } from '../../../src/engine/plan.js';
import { type Entry, Program } from '../../../src/engine/program.js';
import { ReferenceRun } from '../../../src/engine/reference.js';
import type { DType, Tensor } from '../../../src/engine/tensor.js';
import { testDevice } from '../../support/device.js';
import { expectClose } from '../../support/expectClose.js';
import { recordSample } from '../../support/recordSample.js';

// What `inputs` of an op declares, for every op of the table and every op of its gradients: dtypes, and bounds of ids.

/** Every call of an op in the contract's samples, at one size. */
const calls = registry.flatMap((row) => row.samples).flatMap((sample) => recordSample(sample, 9).program.entries);
const byOp = new Map<AnyOp, Entry[]>();
for (const call of calls) byOp.set(call.op, [...(byOp.get(call.op) ?? []), call]);
const ops = [...byOp].map(([op, entries]) => [op.name, op, entries] as const);

/** The bound of input i of a call, where its op declares one. */
function boundOf({ op, inputs, attributes }: Entry, i: number): number | undefined {
  const spec = op.inputs[i]!;
  return typeof spec === 'object' ? spec.idLimit?.(inputs, attributes) : undefined;
}

type Make = (program: Program, label: string, shape: Shape, dtype: DType, i: number) => Tensor;

const asInput: Make = (program, label, shape, dtype) => program.input(label, shape, dtype);

/** The same call in a program of its own. */
function recall({ op, inputs, outputs, attributes }: Entry, make: Make = asInput): Tensor[] {
  const program = new Program();
  const tensors = inputs.map((tensor, i) => make(program, nameOf(op.inputs[i]!), tensor.shape, tensor.dtype, i));
  const existing = outputs.filter((_, i) => outputKind(op, i) !== 'writes');
  return program.record(
    op,
    tensors,
    attributes,
    existing.map(({ shape }, i) => program.state(`state ${i}`, shape)),
  );
}

test('the samples call the ops of every row', () => {
  for (const { name } of registry) {
    expect(
      ops.some(([op]) => op === name || op.startsWith(`${name}.`)),
      name,
    ).toBe(true);
  }
});

describe('dtypes', () => {
  test.each(ops)('%s refuses another dtype in any place, by name', (_, op, entries) => {
    fc.assert(
      fc.property(fc.constantFrom(...entries), fc.nat(), (entry, draw) => {
        const wrong = draw % op.inputs.length;
        const spec = op.inputs[wrong]!;
        const [name, right] = [nameOf(spec), typeof spec === 'string' ? 'f32' : spec.dtype];
        const call = () =>
          recall(entry, (program, label, shape, dtype, i) => {
            const other = dtype === 'f32' ? 'u32' : 'f32';
            return program.input(label, shape, i === wrong ? other : dtype);
          });
        if (right === 'any') {
          call();
          return;
        }
        expect(call).toThrow(ShapeError);
        expect(call).toThrow(`${name} must be ${right}, not ${right === 'f32' ? 'u32' : 'f32'}; got ${name} [`);
      }),
    );
  });

  const profile = { driver: '', subgroupSize: 8, f16: false, limits: { maxStorageBufferBindingSize: 2 ** 27 } };
  const profiles: AdapterProfile[] = (['readable', 'cpu', 'gpu'] as const).map((kernels) => ({
    ...profile,
    kind: 'cpu',
    kernels,
  }));

  // Kernels that move numbers without looking at them move their bits: a NaN keeps its payload, a zero its sign.
  const moveBits = ['hslFeatures.forward', 'contiguous', 'padOrCrop'];

  test.each(ops)('%s: what an op declares is what its kernels read', (name, op, entries) => {
    for (const entry of entries) {
      const names = [...op.inputs.map(nameOf), ...op.outputs];
      const tensors = Object.fromEntries([...entry.inputs, ...entry.outputs].map((tensor, i) => [names[i]!, tensor]));
      for (const adapter of profiles) {
        for (const { shader, bind } of op.dispatches({ adapter, tensors, attributes: entry.attributes })) {
          const text = readFileSync(`shaders/${shader}.wgsl`, 'utf8');
          for (const [variable, bound] of Object.entries(bind)) {
            if (!('role' in bound.storage)) continue;
            const { dtype } = bound.storage;
            const element = moveBits.includes(name) ? 'u32' : dtype;
            expect(text, `${shader}: ${variable}`).toMatch(
              new RegExp(`> ${variable}: array<(vec4<${element}|vec4${element[0]}|${element})`),
            );
          }
        }
      }
    }
  });
});

const bounded = ops
  .map(([name, op, entries]) => {
    const i = op.inputs.findIndex((_, at) => boundOf(entries[0]!, at) !== undefined);
    return { name, entries: entries.filter((entry) => i >= 0 && entry.inputs[i]!.size > 0), i };
  })
  .filter(({ entries }) => entries.length > 0);

describe.each(bounded)('ids of $name', ({ entries, i }) => {
  const anyCall = fc.constantFrom(...entries);

  test('a constant is refused from the bound on, when the op is recorded', () => {
    fc.assert(
      fc.property(anyCall, fc.nat(), fc.integer({ min: -3, max: 3 }), (entry, where, offset) => {
        const below = boundOf(entry, i)!;
        const id = Math.max(0, below + offset);
        const call = () =>
          recall(entry, (program, label, shape, dtype, at) => {
            if (at !== i) return program.input(label, shape, dtype);
            const data = new Uint32Array(sizeOf(shape));
            data[where % data.length] = id;
            return program.constant(label, shape, data);
          });
        if (id < below) call();
        else expect(call).toThrow(new RegExp(`must be below ${below}; got ${id} at index`));
      }),
    );
  });

  test('an input is refused from the bound on, when it is written; below it, kernels agree with the reference', async () => {
    const device = await testDevice();
    for (const entry of entries) {
      const below = boundOf(entry, i)!;
      const feeds = new Map<Tensor, Float32Array | Uint32Array>();
      const outputs = recall(entry, (program, label, shape, dtype, at) => {
        const tensor = program.input(label, shape, dtype);
        const largest = new Uint32Array(sizeOf(shape)).fill(at === i ? below - 1 : 0);
        feeds.set(tensor, dtype === 'u32' ? largest : normals(7, label, sizeOf(shape)));
        return tensor;
      });
      const { program } = outputs[0]!;
      const plan = await Plan.compile(program, device, { keep: outputs });
      const ids = program.entries.at(-1)!.inputs[i]!;
      for (const tooLarge of [below, below + 1, 2 ** 32 - 1]) {
        const data = new Uint32Array(ids.size).fill(tooLarge, -1);
        expect(() => plan.write(ids, data)).toThrow(InputError);
        expect(() => new ReferenceRun(program, new Map([[ids, data]]))).toThrow(`must be below ${below}`);
      }
      for (const [tensor, data] of feeds) plan.write(tensor, data);
      await plan.replay();
      const reference = new ReferenceRun(program, feeds).run();
      for (const output of outputs) {
        expectClose(`${entry.op.name} ${output}`, await plan.read(output), reference.value(output).data, 64);
      }
      plan.free();
    }
  });
});

type Record = (program: Program, ids: Tensor) => unknown;

test.each<[string, string, number, Record]>([
  ['embedding', 'rows of the table', 5, (p, ids) => embedding(p.input('table', [5, 7]), ids)],
  ['crossEntropy', 'classes', 3, (p, ids) => crossEntropy(p.input('logits', [1, 3]), ids, p.input('weights', [1]))],
  ['hslFeatures', 'bytes, MASK and EOS', 258, (_, ids) => hslFeatures(ids)],
  ['rotary', 'positions of the table, less the rows behind the first', 6, (p, ids) => rotated(p, ids)],
  ['rotary.intoCache', 'rows of the caches, less those behind the first', 3, (p, ids) => rotated(p, ids, 5)],
  ['attention', 'keys, less the rows behind the first query', 5, (p, ids) => attended(p, ids)],
])('%s has a bound: the %s', (who, _, below, call) => {
  const constant = (program: Program, id: number) => program.constant('ids', [1], Uint32Array.of(id));
  const recording = (id: number) => {
    const program = new Program();
    call(program, constant(program, id));
  };
  recording(below - 1);
  expect(() => recording(below)).toThrow(new InputError(`${who}: ids must be below ${below}; got ${below} at index 0`));
});

/** Three rows at a position, with a table of eight. */
function rotated(program: Program, position: Tensor, capacity?: number) {
  const cache = (label: string) => program.state(label, [1, 2, capacity!, 4]);
  const table = program.constant('table', [8, 4], rotaryTable(8, 4));
  const qkv = program.input('qkv', [1, 3, 24]);
  if (capacity === undefined) return rotary(qkv, table, position, 2);
  return rotaryIntoCaches(qkv, table, position, 2, { k: cache('keys'), v: cache('values') });
}

/** Three queries at a position, and seven keys. */
function attended(program: Program, position: Tensor) {
  const [k, v] = ['k', 'v'].map((label) => program.input(label, [1, 1, 7, 4]));
  return attention(program.input('q', [1, 1, 3, 4]), k!, v!, position, 0);
}

describe('a bound reaches', () => {
  test('the ids that a view, a copy or a cut was made from', async () => {
    const program = new Program();
    const ids = program.input('ids', [2, 3], 'u32');
    const table = program.parameter('table', [5, 4]);
    const y = embedding(table, padOrCrop(ids.transpose(), 4).reshape([12]));
    const plan = await Plan.compile(program, await testDevice(), { keep: [y] });
    expect(() => plan.write(ids, Uint32Array.of(0, 1, 2, 3, 4, 5))).toThrow('ids must be below 5; got 5 at index 5');
    plan.free();
  });

  test('all ops that read the ids: the lowest counts', async () => {
    const program = new Program();
    const ids = program.input('ids', [1], 'u32');
    for (const rows of [9, 5, 7]) embedding(program.parameter(`${rows} rows`, [rows, 1]), ids);
    const plan = await Plan.compile(program, await testDevice());
    expect(() => plan.write(ids, Uint32Array.of(5))).toThrow('ids must be below 5; got 5 at index 0');
    plan.free();
  });
});

test('ids that an op of your own computes are stopped at by the reference', () => {
  const program = new Program();
  const x = program.input('x', [2]);
  const [ids] = program.record(
    {
      name: 'round',
      formula: 'ids = round x',
      inputs: ['x'],
      outputs: ['ids'],
      shape: ([x]) => [{ shape: x!.shape, dtype: 'u32' }],
      reference: ([x]) => [x!.data.map(Math.round)],
      dispatches: () => [],
    },
    [x],
    {},
  );
  embedding(program.parameter('table', [5, 1]), ids!);
  const run = (...numbers: number[]) => new ReferenceRun(program, new Map([[x, numbers]])).run();
  run(0, 4);
  expect(() => run(0, 5)).toThrow(new InputError('embedding: round ids must be below 5; got 5 at index 1'));
});

describe('errors', () => {
  const program = new Program();
  const x = program.input('x', [2, 3]);

  test('too few tensors, too many, and what is no tensor', () => {
    const callable = layerNorm as (...tensors: unknown[]) => Tensor;
    expect(() => callable(x, x)).toThrow(new InputError('layerNorm: bias must be a tensor; got undefined'));
    expect(() => callable(x, [1, 2, 3])).toThrow('weight must be a tensor; got Array');
    const { op } = add(x, x).program.entries.at(-1)!;
    expect(() => program.record(op, [x, x, x], {})).toThrow(new InputError('add: takes 2 tensors; got 3'));
  });

  test('a dtype that there is not, and a gradient by ids', () => {
    expect(() => program.input('x', [1], 'f16' as DType)).toThrow(
      new InputError('x: dtype must be f32 or u32; got f16'),
    );
    expect(() => program.input('ids', [1], 'u32', { requiresGradient: true })).toThrow(
      new InputError('input ids: ids (u32) have no gradient'),
    );
  });

  test('a constant of a plain array', () => {
    const constant = (data: unknown) => program.constant('k', [2], data as Float32Array);
    expect(() => constant([1, 2])).toThrow(
      new InputError('constant k: needs a Float32Array, or a Uint32Array for ids; got Array'),
    );
    expect(() => constant(Float64Array.of(1, 2))).toThrow('got Float64Array');
  });
});
