import { createInterface } from 'node:readline';
import { SOURCES } from '../../src/device/adapters.js';
import { batchOf, WORKLOADS, type Workload } from './workload.js';

/** A library with the workload built: one update from one batch, returning the loss before it. */
export interface Stepper {
  readonly adapter: string;
  step(x: Int32Array, y: Int32Array, index: number): Promise<number>;
}

/** A worker's answer to `steps N`. */
export interface Report {
  readonly adapter: string;
  readonly milliseconds: readonly number[];
  readonly losses: readonly number[];
  /** of the process, in bytes */
  readonly peakMemory: number;
}

/**
 * Speak with run.ts: for each line `steps N`, run N updates, timed one by one until the loss has arrived, and print one line
 * `REPORT {…}`. Between the lines the process is idle, so that workers can take turns on one machine.
 */
export async function serve(
  build: (workload: Workload, device: string, threads?: number) => Promise<Stepper>,
): Promise<void> {
  const [name, device, threads] = process.argv.slice(2) as [string, string, string?];
  const workload = WORKLOADS[name]!;
  const stepper = await build(workload, device, threads === undefined ? undefined : Number(threads));
  let index = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const milliseconds: number[] = [];
    const losses: number[] = [];
    for (let n = Number(line.split(' ')[1]); n > 0; n--, index++) {
      const { x, y } = batchOf(workload, index);
      const start = performance.now();
      losses.push(await stepper.step(x, y, index));
      milliseconds.push(performance.now() - start);
    }
    const peakMemory = process.resourceUsage().maxRSS * 1024;
    console.log(
      `REPORT ${JSON.stringify({ adapter: stepper.adapter, milliseconds, losses, peakMemory } satisfies Report)}`,
    );
  }
  process.exit(0);
}

/**
 * Set the adapter of our own engine as the one that libraries for browsers find: same driver, same toggles
 * (bounds checks off, workgroup memory not zeroed).
 */
export async function installNavigator(device: string): Promise<string> {
  const source = SOURCES.find(({ name }) => name === device)!;
  const { info } = await source.find(false);
  // An adapter opens only one device, so each request returns a new adapter.
  const gpu = { requestAdapter: () => source.find(false), getPreferredCanvasFormat: () => 'bgra8unorm' };
  const navigator = { gpu, userAgent: 'node', platform: 'node' };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true, writable: true });
  return info.description || info.device;
}
