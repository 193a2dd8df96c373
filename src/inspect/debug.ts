import { ParityError } from '../common/errors.js';
import { formatShape } from '../common/shape.js';
import type { Device } from '../device/device.js';
import { observers } from '../engine/observer.js';
import type { Plan, ReplayOptions } from '../engine/plan.js';
import type { Entry } from '../engine/program.js';
import { type EntryRun, runEntries } from './entryRun.js';
import { type Comparison, compareWithReference } from './parity.js';

/** The settings of the environment for observing every run. */
export interface DebugSettings {
  /**
   * 1 adapter and losses; 2 each dispatch with shapes and milliseconds; 3 its WGSL, and from the CPU device the WebAssembly of each
   * kernel when it is compiled; 4 first values of each result
   */
  readonly level: number;
  /** run the reference after every dispatch and stop at the first disagreement */
  readonly parity: boolean;
  readonly print: (line: string) => void;
}

/**
 * `DEBUG=1..4` and `PARITY=1`. Other programs use DEBUG for names, so values other than 1 to 4 are ignored here. A
 * browser has no environment.
 */
export function debugSettings(
  env: Readonly<Record<string, string | undefined>> = typeof process === 'undefined' ? {} : process.env,
): DebugSettings | undefined {
  const level = /^[1-4]$/.test(env.DEBUG ?? '') ? Number(env.DEBUG) : 0;
  const parity = env.PARITY === '1';
  return level > 0 || parity ? { level, parity, print: (line) => console.error(line) } : undefined;
}

/** Observe every replay on a device, as set by `DEBUG` and `PARITY`. @returns the device */
export function observeAsAsked(device: Device, settings = debugSettings()): Device {
  if (settings !== undefined) observers.set(device, (plan, options) => debugReplay(plan, settings, options));
  return device;
}

const introduced = new WeakSet<Device>();
const shown = new WeakMap<Plan, Set<string>>();

/**
 * `Plan.replay` under these settings: it stops after each entry, or at level 1 only after each loss, to read it before
 * another tensor reuses its memory.
 *
 * @throws ParityError at the first dispatch that disagrees with its reference
 */
export async function debugReplay(plan: Plan, settings: DebugSettings, options: ReplayOptions): Promise<void> {
  const { level, parity, print } = settings;
  if (level >= 1 && !introduced.has(plan.device)) {
    introduced.add(plan.device);
    print(`adapter ${plan.device.name} (${plan.device.driver}, ${plan.device.subgroupSize} lanes per subgroup)`);
  }
  const stopAt = level <= 1 && !parity ? (entry: Entry) => lossesOf(entry).length > 0 : undefined;
  for await (const run of runEntries(plan, options, stopAt)) {
    printRun(plan, run, settings);
    if (parity) checkParity(run);
    if (level === 0) continue;
    for (const i of lossesOf(run.entry)) {
      const nats = run.outputs[i]!.data[0]!;
      print(`${run.entry.outputs[i]!.label} ${nats.toFixed(6)} nats = ${(nats / Math.LN2).toFixed(6)} bits per byte`);
    }
  }
}

/** Indices of an entry's outputs named `loss`. */
function lossesOf({ op, outputs }: Entry): number[] {
  return outputs.flatMap((_, i) => (op.outputs[i]! === 'loss' ? [i] : []));
}

function printRun(
  plan: Plan,
  { entry, prepared, inputs, outputs, nanoseconds }: EntryRun,
  settings: DebugSettings,
): void {
  const { level, print } = settings;
  const texts = shown.get(plan) ?? new Set();
  shown.set(plan, texts);
  const shapes = `${inputs.map((x) => formatShape(x.shape)).join(' ')} → ${outputs.map((y) => formatShape(y.shape)).join(' ')}`;
  for (const [i, { dispatch, text }] of prepared.entries()) {
    const time = nanoseconds === undefined ? '' : `${(nanoseconds[i]! / 1e6).toFixed(3)} ms  `;
    if (level >= 2) {
      const grid = dispatch.workgroups.join('×');
      print(
        `${String(entry.index).padStart(4)} ${entry.scope} ${dispatch.shader}  ${time}${grid} workgroups  ${shapes}`,
      );
    }
    // A kernel with the same constants runs many times in a plan: its text is printed only at the first run.
    if (level >= 3 && !texts.has(text)) {
      texts.add(text);
      print(text);
    }
  }
  if (level < 4) return;
  outputs.forEach(({ data }, i) => {
    const name = entry.op.outputs[i]!;
    const first = Array.from(data.subarray(0, 6), (value) => value.toPrecision(5)).join(' ');
    print(`       ${name} = ${first}${data.length > 6 ? ' …' : ''}`);
  });
}

/** @throws ParityError when an output differs from its reference by more than rounding allows */
export function checkParity(run: EntryRun): void {
  const { op, scope, index } = run.entry;
  const worst = compareWithReference(run).find(({ error, allowed }) => error > allowed);
  if (worst !== undefined) throw parityError(`entry ${index}, ${scope && `${scope} `}${op.name}`, run, worst);
}

function parityError(where: string, { entry, prepared }: EntryRun, worst: Comparison): ParityError {
  const { output, index, kernel, reference, error, allowed } = worst;
  const shaders = prepared.map(({ dispatch }) => `shaders/${dispatch.shader}.wgsl`).join(', ');
  return new ParityError(
    `PARITY: ${where}: ${output}[${index}] is ${kernel}, its reference ${reference}; ` +
      `off by ${error.toExponential(2)}, rounding allows ${allowed.toExponential(2)}. Look at ${shaders}`,
    { op: entry.op.name, scope: entry.scope, output, index, kernel, reference },
  );
}
