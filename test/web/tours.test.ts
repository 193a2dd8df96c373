import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openDevice } from '../../src/device/adapters.js';
import { matmul } from '../../src/engine/ops/matmul.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { captureEntry } from '../../src/inspect/capture.js';
import { Stepper } from '../../src/wgsl/index.js';
import { agreement, gridsOf } from '../../web/lib/stepping.js';
import { lineWith, TOURS } from '../../web/lib/tours.js';

test('every stop of every tour names one line of its kernel', () => {
  expect(Object.keys(TOURS)).toHaveLength(5);
  for (const [shader, stops] of Object.entries(TOURS)) {
    const text = readFileSync(`shaders/${shader}.wgsl`, 'utf8');
    for (const { to } of stops) if (to !== undefined) expect(lineWith(text, to), `${shader}: ${to}`).toBeGreaterThan(1);
    expect(stops.at(-1)!.move).toBe('end');
  }
});

describe('a tour of a matrix product', () => {
  test.each([
    ['readable', 'matmul'],
    ['gpu', 'gpu/matmul.tiled'],
  ] as const)('by the %s kernel stops where it says, and ends with the numbers of the run', async (kernels, shader) => {
    const device = await openDevice({ device: 'cpu', threads: 1 });
    const program = new Program();
    const [a, b] = [program.input('a', [5, 16]), program.input('b', [16, 12])];
    const y = matmul(a, b);
    const { kind, driver, subgroupSize, f16, limits } = device;
    const profile = { kind, driver, subgroupSize, f16, limits, kernels };
    const plan = await Plan.compile(program, device, { keep: 'all', profile });
    plan.write(
      a,
      Float32Array.from({ length: 80 }, (_, i) => Math.sin(i)),
    );
    plan.write(
      b,
      Float32Array.from({ length: 192 }, (_, i) => Math.cos(i)),
    );
    const [captured] = await captureEntry(
      plan,
      program.entries.findIndex(({ outputs }) => outputs[0] === y),
      4,
    );
    expect(captured!.shader).toBe(shader);
    const stepper = new Stepper(captured!.module, captured!.entryPoint, { ...captured!, workgroup: [0, 0, 0] });
    for (const { to, move, lane = 0 } of TOURS[shader]!) {
      if (to !== undefined) {
        stepper.toLine(lane, lineWith(captured!.module.text, to));
        expect(stepper.lineOf(lane)).toBe(lineWith(captured!.module.text, to));
      } else if (move === 'barrier') {
        stepper.barrier();
        expect(stepper.atBarrier).toBe(true);
      } else stepper.finish();
    }
    expect(agreement(stepper, captured!)).toEqual({ count: 60, different: 0, error: 0 });
    const grids = gridsOf(stepper, captured!).map(
      ({ variable, rows, columns }) => `${variable.name} ${rows} × ${columns}`,
    );
    expect(grids).toEqual(expect.arrayContaining(['a 5 × 16', 'b 16 × 12', 'y 5 × 12']));
    expect(grids[0]!.startsWith('aTile')).toBe(kernels === 'gpu'); // workgroup memory comes first
    plan.free();
    device.close();
  });
});
