import { Bench } from 'tinybench';
import { prove } from '../src/bench/proof.js';
import { normals } from '../src/common/random.js';
import type { Device } from '../src/device/device.js';
import { flopsOf } from '../src/engine/op.js';
import { Plan } from '../src/engine/plan.js';
import { Program } from '../src/engine/program.js';

/**
 * One op by the kernels of each kind of device: each checked against its reference, then replayed and awaited. Prints
 * medians in milliseconds of the host's clock, and GFLOP/s.
 *
 * @param record records the op on inputs of its own
 */
export async function compareKernels(device: Device, title: string, record: (program: Program) => void): Promise<void> {
  const bench = new Bench({ time: 400, warmupTime: 100 });
  const plans: Plan[] = [];
  let flops = 0;
  for (const kernels of ['readable', 'cpu', 'gpu'] as const) {
    const program = new Program();
    record(program);
    const plan = await Plan.compile(program, device, { profile: { ...device, kernels } });
    for (const storage of program.storages.filter(({ role }) => role === 'input')) {
      const tensor = program.entries
        .flatMap(({ inputs }) => inputs)
        .find((x) => x.storage === storage && x.isContiguous);
      if (tensor !== undefined) plan.write(tensor, normals(7, tensor.label, tensor.size));
    }
    await prove(plan);
    plans.push(plan);
    flops = program.entries.reduce((sum, entry) => sum + flopsOf(entry), 0);
    const shaders = [...new Set(plan.dispatches.map(({ dispatch }) => dispatch.shader))].join(', ');
    bench.add(`${kernels}: ${shaders}`, async () => {
      await plan.replay();
      await plan.finished();
    });
  }
  await bench.run();
  console.log(`\n${title} on ${device.name}`);
  console.table(rowsOf(bench, (milliseconds) => ({ 'GFLOP/s': (flops / milliseconds / 1e6).toFixed(1) })));
  for (const plan of plans) plan.free();
}

/** Median, best and spread of every task. */
export function rowsOf(bench: Bench, more: (milliseconds: number) => object = () => ({})) {
  return bench.tasks.map((task) => {
    const { result } = task;
    if (!('latency' in result)) throw 'error' in result ? result.error : new Error(`${task.name}: ${result.state}`);
    const { p50, min, rme } = result.latency;
    return {
      task: task.name,
      'ms median': p50.toFixed(2),
      'ms best': min.toFixed(2),
      'spread ±%': rme.toFixed(1),
      ...more(p50),
    };
  });
}
