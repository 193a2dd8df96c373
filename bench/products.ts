/**
 * Matrix products on the CPU device, on one thread and on several, taking turns: `npx tsx bench/products.ts [threads]`.
 *
 * Prints 2MNK over the median time, in GFLOP/s, and the speed-up of all threads over one.
 */

import { normals } from '../src/common/random.js';
import { openDevice } from '../src/device/adapters.js';
import { matmul } from '../src/engine/ops/matmul.js';
import { Plan } from '../src/engine/plan.js';
import { Program } from '../src/engine/program.js';

/** M × K × N of y = a·b, a·bᵀ and aᵀ·b: the shapes of RECORD.md. */
const SHAPES = {
  nn: [
    [768, 128, 512],
    [1280, 384, 128],
  ],
  nt: [
    [768, 128, 512],
    [512, 512, 512],
    [1280, 128, 384],
  ],
  tn: [
    [512, 2048, 512],
    [384, 1280, 128],
  ],
} as const;
const ROUNDS = 15;
/** Products in one round: with one alone, the submit would be timed too. */
const REPEATS = 20;

const several = Number(process.argv[2] ?? 2);
const devices = [
  await openDevice({ device: 'cpu', threads: 1 }),
  await openDevice({ device: 'cpu', threads: several }),
];

for (const [form, shapes] of Object.entries(SHAPES)) {
  for (const [M, K, N] of shapes) {
    const plans = await Promise.all(
      devices.map((device) => {
        const program = new Program();
        const stored = (name: string, rows: number, columns: number, turned: boolean) => {
          const shape = turned ? [columns, rows] : [rows, columns];
          const x = program.constant(name, shape, normals(7, name, rows * columns));
          return turned ? x.transpose() : x;
        };
        const a = stored('a', M, K, form === 'tn');
        const b = stored('b', K, N, form === 'nt');
        for (let i = 0; i < REPEATS; i++) matmul(a, b);
        return Plan.compile(program, device);
      }),
    );
    const times: number[][] = plans.map(() => []);
    for (let round = -2; round < ROUNDS; round++) {
      for (const [i, plan] of plans.entries()) {
        const start = performance.now();
        await plan.replay();
        await plan.finished();
        if (round >= 0) times[i]!.push(performance.now() - start);
      }
    }
    const [one, all] = times.map((list) => list.sort((x, y) => x - y)[ROUNDS >> 1]!) as [number, number];
    const speed = (ms: number) => ((2 * M * N * K * REPEATS) / ms / 1e6).toFixed(1);
    console.log(
      `${form} ${M}x${K}x${N}: ${speed(one)} GFLOP/s, ${several} threads ${speed(all)}, ${(one / all).toFixed(2)} x`,
    );
    for (const plan of plans) plan.free();
  }
}
for (const device of devices) device.close();
