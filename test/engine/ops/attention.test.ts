import { expect, test } from 'vitest';
import { normals } from '../../../src/common/random.js';
import type { Device } from '../../../src/device/device.js';
import type { AdapterProfile } from '../../../src/engine/kernel.js';
import { attention } from '../../../src/engine/ops/attention.js';
import { Plan } from '../../../src/engine/plan.js';
import { Program } from '../../../src/engine/program.js';
import { testDevice } from '../../support/device.js';

const [H, S, D, P] = [2, 70, 40, 3];
const CAPACITY = 80;

/** Attention over `rows` queries from a position that is written later, and `capacity` keys. */
async function recorded(device: Device, profile: AdapterProfile, rows: number, capacity: number) {
  const program = new Program();
  const q = program.input('q', [1, H, rows, D]);
  const k = program.input('k', [1, H, capacity, D]);
  const v = program.input('v', [1, H, capacity, D]);
  const position = program.input('position', [1], 'u32');
  const y = attention(q, k, v, position, P);
  const plan = await Plan.compile(program, device, { keep: [y], profile });
  const run = async (numbers: { q: Float32Array; k: Float32Array; v: Float32Array }, first: number) => {
    plan.write(q, numbers.q);
    plan.write(k, numbers.k);
    plan.write(v, numbers.v);
    plan.write(position, Uint32Array.of(first));
    return (await plan.replayAndRead([y]))[0]!;
  };
  return { run, plan };
}

test.each([
  ['the readable kernel', (device: Device): AdapterProfile => ({ ...device, kernels: 'readable' })],
  ['the kernel of the CPU device', (device: Device): AdapterProfile => ({ ...device, kernels: 'cpu' })],
  ['the kernel for GPUs', (device: Device): AdapterProfile => ({ ...device, kind: 'gpu' })],
])(
  '%s gives a row the same bits from a cache as among all rows, independent of the memory after its keys',
  async (_, of) => {
    const device = await testDevice();
    const all = {
      q: normals(1, 'q', H * S * D).map((x) => 3 * x),
      k: normals(1, 'k', H * S * D),
      v: normals(1, 'v', H * S * D),
    };
    const whole = await recorded(device, of(device), S, S);
    const y = await whole.run(all, 0); // [1, S, H*D]
    const single = await recorded(device, of(device), 1, CAPACITY);
    for (const i of [0, 2, 3, 31, 32, 63, 64, 69]) {
      const seen = Math.max(i + 1, P);
      const row = (x: Float32Array) =>
        Float32Array.from({ length: H * D }, (_, e) => x[(Math.floor(e / D) * S + i) * D + (e % D)]!);
      // The memory after the visible keys is NaN, which would show.
      const cached = (x: Float32Array) => {
        const cache = new Float32Array(H * CAPACITY * D).fill(Number.NaN);
        for (let h = 0; h < H; h++) cache.set(x.subarray(h * S * D, (h * S + seen) * D), h * CAPACITY * D);
        return cache;
      };
      const alone = await single.run({ q: row(all.q), k: cached(all.k), v: cached(all.v) }, i);
      expect(alone, `row ${i}`).toEqual(y.subarray(i * H * D, (i + 1) * H * D));
    }
    whole.plan.free();
    single.plan.free();
  },
);

test.each(['readable', 'cpu'] as const)('an infinite score shows as NaN: %s kernels', async (kernels) => {
  const device = await testDevice();
  const { run, plan } = await recorded(device, { ...device, kernels }, 1, 1);
  const q = new Float32Array(H * D).fill(1e20);
  const y = await run({ q, k: q, v: normals(1, 'v', H * D) }, 0);
  expect([...y].every(Number.isNaN)).toBe(true);
  plan.free();
});
