import { integers } from '../common/random.js';
import type { Device } from '../device/device.js';
import type { AdapterProfile } from '../engine/kernel.js';
import { flopsOf } from '../engine/op.js';
import { stepScalars } from '../engine/optimiser.js';
import { Plan } from '../engine/plan.js';
import type { PlanBytes } from '../engine/prediction.js';
import type { Entry, Program } from '../engine/program.js';
import { type DispatchTime, profile, type Spread } from '../inspect/profile.js';
import type { DecoderConfig, SizeName } from '../model/config.js';
import { type BatchSize, toFeeds } from '../model/forward.js';
import { initialParameters } from '../model/parameters.js';
import { OPTIMISER } from '../train/optimiser.js';
import { type RecordedStep, recordStep } from '../train/recordStep.js';
import { prove } from './proof.js';
import { timed } from './timing.js';

/** One training step, from writing the batch to reading the loss. */
export interface StepTime {
  readonly size: BatchSize & { readonly P: number };
  readonly parameters: number;
  readonly dispatches: number;
  readonly pipelines: number;
  /** milliseconds on the host's clock */
  readonly step: Spread;
  /** the first one, with recording, compilation and upload */
  readonly first: number;
  /** host time to encode one dispatch */
  readonly encodeMicroseconds: number;
  readonly flops: number;
  readonly bytes: PlanBytes;
  /** device time by op and kernel, longest first; undefined without timestamps */
  readonly ops: readonly OpShare[] | undefined;
  /** of this process so far, bytes */
  readonly peakMemory: number;
}

/** The share of one op's dispatches in a step, all of them together. */
export interface OpShare {
  readonly op: string;
  readonly kernel: string;
  readonly dispatches: number;
  readonly milliseconds: number;
  readonly share: number;
  readonly gflops: number;
}

/** The decoder and batch whose step is timed, and the choice of kernels. */
export interface StepOptions {
  readonly config: DecoderConfig;
  readonly size: BatchSize;
  readonly profile: AdapterProfile;
  /** steps to take medians over, or how many for the milliseconds that the second step took */
  readonly replays: number | ((milliseconds: number) => number);
}

/** Windows to measure a size with: the seed's for `lean`, one at a time where a CPU does the work. */
export function benchWindows(size: SizeName, kind: 'gpu' | 'cpu'): BatchSize {
  if (size !== 'lean') return { B: 8, L: 128, T: 128 };
  return { B: kind === 'gpu' ? 12 : 1, L: 512, T: 256 };
}

/** Arithmetic operations of one training step. */
export function stepFlops(config: DecoderConfig, size: BatchSize): number {
  return flopsIn(recorded(config, size).program);
}

/** Prove one block of the decoder on a short window, then time the whole step. */
export async function timeStep(device: Device, options: StepOptions): Promise<StepTime> {
  const short = { B: 1, L: 2 * options.config.K, T: 9 };
  const start = performance.now();
  const { plan, write, read, pass } = await compileStep(device, options.config, options.size, options.profile);
  write();
  await read();
  const first = performance.now() - start;
  const proof = await compileStep(device, { ...options.config, layers: 1 }, short, options.profile);
  proof.write();
  await prove(proof.plan);
  proof.plan.free();

  const step = () => {
    write();
    return read();
  };
  const { replays } = options;
  const count = typeof replays === 'number' ? replays : replays((await timed(1, step)).median);
  const result: StepTime = {
    size: pass.size,
    parameters: plan.program.parameters.reduce((sum, { tensor }) => sum + tensor.size, 0),
    dispatches: plan.dispatches.length,
    pipelines: new Set(plan.dispatches.map(({ pipeline }) => pipeline)).size,
    step: await timed(count, step),
    first,
    encodeMicroseconds: encodeTime(plan),
    flops: flopsIn(plan.program),
    bytes: plan.bytes,
    peakMemory: process.resourceUsage().maxRSS * 1024,
    ops: await sharesOf(plan, Math.min(3, count)),
  };
  plan.free();
  return result;
}

function recorded(config: DecoderConfig, { B, L, T }: BatchSize): RecordedStep {
  return recordStep({ config }, { prefix: L, stream: T }, B);
}

function flopsIn({ entries }: Program): number {
  return entries.reduce((sum, entry) => sum + flopsOf(entry), 0);
}

async function compileStep(device: Device, config: DecoderConfig, size: BatchSize, profile: AdapterProfile) {
  const { program, pass, optimiser } = recorded(config, size);
  const parameters = initialParameters(config, 0);
  const plan = await Plan.compile(program, device, { keep: [pass.loss, optimiser.clip], parameters, profile });
  const { B, L, T } = size;
  const batch = {
    prefix: integers(1, 'prefix', B * L, 256),
    targets: integers(1, 'targets', B * T, 256),
    weights: new Float32Array(B * T).fill(1),
  };
  const write = () => {
    for (const [tensor, data] of toFeeds(pass, batch)) plan.write(tensor, data);
    plan.write(optimiser.scalars, stepScalars(1, 1e-3, OPTIMISER));
  };
  return { plan, pass, write, read: () => plan.replayAndRead([pass.loss]) };
}

/** Microseconds to encode one dispatch: the minimum of several, since other work on the machine only adds time. */
export function encodeTime(plan: Plan): number {
  const runs = Array.from({ length: 50 }, () => {
    const encoder = plan.device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    const start = performance.now();
    for (const each of plan.dispatches) plan.encode(pass, each);
    const time = performance.now() - start;
    pass.end();
    encoder.finish();
    return time;
  });
  return (1e3 * Math.min(...runs)) / plan.dispatches.length;
}

async function sharesOf(plan: Plan, replays: number): Promise<OpShare[] | undefined> {
  const times = await profile(plan, { replays });
  if (times === undefined) return undefined;
  const shares = new Map<string, { op: string; kernel: string; dispatches: number; ns: number; flops: number }>();
  // An entry's operations count for the longest of its kernels: the one that does the work.
  const longest = new Map<Entry, DispatchTime>();
  for (const time of times) {
    const before = longest.get(time.prepared.entry);
    if (before === undefined || time.nanoseconds.median > before.nanoseconds.median)
      longest.set(time.prepared.entry, time);
  }
  for (const time of times) {
    const { entry, dispatch } = time.prepared;
    const key = `${entry.op.name} ${dispatch.shader}`;
    const sum = shares.get(key) ?? { op: entry.op.name, kernel: dispatch.shader, dispatches: 0, ns: 0, flops: 0 };
    const flops = sum.flops + (longest.get(entry) === time ? flopsOf(entry) : 0);
    shares.set(key, { ...sum, dispatches: sum.dispatches + 1, ns: sum.ns + time.nanoseconds.median, flops });
  }
  const total = [...shares.values()].reduce((sum, { ns }) => sum + ns, 0);
  return [...shares.values()]
    .sort((a, b) => b.ns - a.ns)
    .map(({ op, kernel, dispatches, ns, flops }) => {
      return { op, kernel, dispatches, milliseconds: ns / 1e6, share: ns / total, gflops: flops / ns };
    });
}
