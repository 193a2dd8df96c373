import { describe, expect, test } from 'vitest';
import { openDevice } from '../../src/device/adapters.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { captureEntry } from '../../src/inspect/capture.js';
import { recordForward, toFeeds } from '../../src/model/forward.js';
import { initialParameters } from '../../src/model/parameters.js';
import { parseModule, READ, Stepper, WRITTEN } from '../../src/wgsl/index.js';
import { randomBatch } from '../support/decoders.js';

const REVERSE = `@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
var<workgroup> tile: array<f32, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u) {
  let at = group.x * 8u + i;
  tile[i] = x[at];
  workgroupBarrier();
  var sum = 0.0;
  for (var k = 0u; k <= i; k++) {
    sum += tile[7u - k];
  }
  y[at] = sum;
}
`;

function stepper(text = REVERSE, workgroup: readonly [number, number, number] = [1, 0, 0]): Stepper {
  const x = Float32Array.from({ length: 16 }, (_, i) => i);
  return new Stepper(parseModule(text), 'main', {
    bindings: [
      { group: 0, binding: 0, bytes: new Uint8Array(x.buffer) },
      { group: 0, binding: 1, bytes: new Uint8Array(64) },
    ],
    workgroups: [2, 1, 1],
    workgroup,
    subgroupSize: 4,
  });
}
const memory = (of: Stepper, name: string) => [...of.memories].find(([variable]) => variable.name === name)!;
const values = (of: Stepper, lane: number) =>
  Object.fromEntries(
    of.variablesOf(lane).flatMap(({ variables }) => variables.map((one) => [one.variable.name, one.value])),
  );

describe('the stepper', () => {
  test('runs a statement a round, of the chosen workgroup alone, and says which words were touched', () => {
    const at = stepper();
    expect([...at.lines]).toEqual([[7, [0, 1, 2, 3, 4, 5, 6, 7]]]);
    at.line();
    expect(at.lineOf(3)).toBe(8);
    expect(values(at, 3)).toMatchObject({ i: 3, at: 11 });
    at.line();
    const [x, y, tile] = ['x', 'y', 'tile'].map((name) => memory(at, name)[0]);
    expect(at.touches.filter(({ lane }) => lane === 3)).toMatchObject([
      { use: 'read', variable: x, word: 11, at: { line: 8 } },
      { use: 'write', variable: tile, word: 3, at: { line: 8 } },
    ]);
    expect([...at.touched.get(x!)!]).toEqual([...Array(8).fill(0), ...Array(8).fill(READ)]);
    expect([...at.touched.get(tile!)!]).toEqual(Array(8).fill(WRITTEN));
    expect(at.touched.has(y!)).toBe(false);
  });

  test('goes to the barrier, where all wait, to the next iteration of one lane, and to the end', () => {
    const at = stepper();
    at.barrier();
    expect(at.atBarrier).toBe(true);
    expect(at.stateOf(5)).toBe('waits at a barrier');
    expect(at.lineOf(5)).toBe(9);
    at.iteration(5);
    expect(at.stateOf(5)).toBe('runs');
    expect(values(at, 5)).toMatchObject({ k: 0 });
    at.iteration(5);
    expect(values(at, 5)).toMatchObject({ k: 1, sum: 15 });
    at.barrier(); // there is no other
    expect(at.ended).toBe(true);
    expect(at.variablesOf(0)).toEqual([]);
    const sums = [15, 29, 42, 54, 65, 75, 84, 92]; // of 15, 14, 13, … 8
    expect([...memory(at, 'y')[1].f32]).toEqual([...Array(8).fill(0), ...sums]);
  });

  test('goes back a round, and starts again with the memory that it was given', () => {
    const at = stepper();
    at.line();
    at.line();
    at.line();
    at.back();
    expect([at.rounds, at.lineOf(0)]).toEqual([3, 9]);
    expect([...memory(at, 'tile')[1].f32]).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
    at.finish();
    at.restart();
    expect(at.ended).toBe(false);
    expect(memory(at, 'y')[1].f32.every((value) => value === 0)).toBe(true);
  });

  test('goes to a line, and to an access', () => {
    const at = stepper();
    at.toLine(2, 14);
    expect([at.lineOf(2), at.lineOf(7)]).toEqual([14, 12]);
    at.toTouch(({ use, variable, word }) => use === 'write' && variable.name === 'y' && word === 15);
    expect(memory(at, 'y')[1].f32[15]).toBe(92);
  });

  test('a kernel that cannot continue reports the reason', () => {
    const endless = stepper(REVERSE.replace('k <= i', 'true').replace('tile[7u - k]', '1.0'));
    const short = new Stepper(endless.module, 'main', { ...endless.options, iterationLimit: 50 });
    short.finish();
    expect(short.error?.message).toContain('iterations');
    expect(short.ended).toBe(true);
  });
});

test('a workgroup of every kernel of a decoder, stepped to its end, leaves the bits of the device', async () => {
  const device = await openDevice({ device: 'cpu', threads: 1 });
  const config = { door: 'zero', dim: 56, layers: 1, heads: 2, K: 2 } as const;
  const size = { B: 1, L: 4, T: 3 };
  const program = new Program();
  const pass = recordForward(program, config, size);
  program.backward(pass.loss);
  const plan = await Plan.compile(program, device, { keep: 'all', parameters: initialParameters(config, 1) });
  for (const [tensor, data] of toFeeds(pass, randomBatch(size))) plan.write(tensor, data);
  const seen = new Set<string>();
  let compared = 0;
  for (const { entry, dispatch } of plan.dispatches) {
    if (seen.has(dispatch.shader)) continue;
    for (const captured of await captureEntry(plan, entry.index, 4)) {
      if (seen.has(captured.shader)) continue;
      seen.add(captured.shader);
      const { bindings, after, module, entryPoint, workgroups } = captured;
      const last = workgroups.map((count) => count - 1) as unknown as readonly [number, number, number];
      const at = new Stepper(module, entryPoint, { bindings, workgroups, workgroup: last, subgroupSize: 4 });
      at.finish();
      expect(at.error).toBeUndefined();
      for (const [variable, flags] of at.touched) {
        const name = bindings.find(({ binding }) => binding === variable.binding?.binding)?.name;
        const device = name === undefined ? undefined : after.get(name);
        if (device === undefined || variable.access === 'read') continue;
        const here = at.memories.get(variable)!;
        const bits = new Uint32Array(device.buffer, device.byteOffset, device.length);
        flags.forEach((flag, word) => {
          if (!(flag & WRITTEN)) return;
          expect(here.u32[word], `${captured.shader} ${name}[${word}]`).toBe(bits[word]);
          compared += 1;
        });
      }
    }
  }
  expect(seen.size).toBeGreaterThan(20);
  expect(compared).toBeGreaterThan(1000);
  plan.free();
  device.close();
});
