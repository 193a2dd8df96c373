import { Command, Option } from 'commander';
import { OP_GROUPS, type OpGroup, type OpTime, timeOps } from '../bench/ops.js';
import { benchWindows, type StepTime, timeStep } from '../bench/step.js';
import { InputError } from '../common/errors.js';
import type { AdapterProfile, KernelKind } from '../engine/kernel.js';
import { sizeInWords } from '../engine/prediction.js';
import type { Spread } from '../inspect/profile.js';
import { DOOR_KINDS, type DoorKind, SIZES, type SizeName } from '../model/config.js';
import { atLeast, wholeNumber } from './arguments.js';
import { type DeviceFlags, deviceOf, withDevice } from './device.js';

interface BenchFlags extends DeviceFlags {
  readonly size: SizeName;
  readonly door: DoorKind;
  readonly only: readonly string[];
  readonly batch?: number;
  readonly prefix?: number;
  readonly stream?: number;
  readonly replays: number;
  readonly kernels?: KernelKind;
  readonly variant?: string;
  readonly robust?: boolean;
  readonly json?: boolean;
}

const KERNEL_KINDS = ['readable', 'cpu', 'gpu'] as const;
const PARTS = [...OP_GROUPS, 'step'];

/** `byte-to-loss bench`: times of every op and of the whole step on this machine's adapter. */
export function benchCommand(): Command {
  return withDevice(
    new Command('bench').description('time the ops and the training step on this device, after checking every kernel'),
  )
    .addOption(new Option('--size <name>', 'decoder size').choices(Object.keys(SIZES)).default('tiny'))
    .addOption(new Option('--door <kind>', 'input embedding').choices(DOOR_KINDS).default('zero'))
    .option('--only <part...>', `of ${PARTS.join(', ')}`)
    .option('--batch <n>', 'windows per batch (default: 8; lean: 12, or 1 on a CPU driver)', atLeast(1, wholeNumber))
    .option('--prefix <bytes>', 'bytes before (default: 128; lean: 512)', wholeNumber)
    .option('--stream <bytes>', 'bytes predicted (default: 128; lean: 256)', atLeast(1, wholeNumber))
    .option('--replays <n>', 'replays to take medians over', atLeast(1, wholeNumber), 9)
    .addOption(
      new Option(
        '--kernels <kind>',
        "the readable kernels, those for the CPU device or for GPUs (default: the device's)",
      ).choices(KERNEL_KINDS),
    )
    .addOption(new Option('--variant <n>', 'deprecated number for --kernels').choices(['1', '2', '3']).hideHelp())
    .option('--robust', 'check the bounds of every access in shaders, as tests do')
    .option('--json', 'print JSON')
    .action(bench);
}

async function bench({ only = PARTS, size: name, door, ...flags }: BenchFlags): Promise<void> {
  const unknown = only.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) throw new InputError(`--only takes ${PARTS.join(', ')}; got ${unknown}`);
  const robust = flags.robust ?? false;
  const device = await deviceOf(flags, { robust });
  const print = (line: string) => {
    if (!flags.json) console.log(line);
  };
  try {
    const windows = benchWindows(name, device.kind);
    const size = {
      B: flags.batch ?? windows.B,
      L: flags.prefix ?? windows.L,
      T: flags.stream ?? windows.T,
    };
    const config = { door, ...SIZES[name] };
    const kernels = flags.kernels ?? KERNEL_KINDS[Number(flags.variant) - 1];
    const profile: AdapterProfile = kernels === undefined ? device : { ...device, kernels };
    const options = { config, size, profile, replays: flags.replays };
    print(`${device.name} (${device.driver}), bounds checks ${robust ? 'on' : 'off'}`);
    print(
      `${name}: ${size.B} windows of ${size.L} + ${size.T} bytes, ${flags.replays} replays: median (least..most)\n`,
    );

    // The step runs first, so that its first step includes all compilation.
    const step = only.includes('step') ? await timeStep(device, options) : undefined;
    if (step !== undefined) print(`${stepTable(step)}\n`);
    const groups = OP_GROUPS.filter((group) => only.includes(group));
    const ops: OpTime[] = [];
    let group: OpGroup | undefined;
    for await (const time of timeOps(device, { ...options, groups })) {
      if (time.group !== group) print(heading(time));
      group = time.group;
      print(opLine(time));
      ops.push(time);
    }
    if (!flags.json) return;
    const adapter = { name: device.name, driver: device.driver, kind: device.kind, robust };
    const sizes = { name, ...config, ...size };
    console.log(
      JSON.stringify({ adapter, size: sizes, replays: flags.replays, kernels: kernels ?? null, step, ops }, null, 2),
    );
  } finally {
    device.close();
  }
}

const spread = ({ median, least, most }: Spread) =>
  `${median.toFixed(3)} ms (${least.toFixed(3)}..${most.toFixed(3)})`.padEnd(32);

function heading({ group, clock }: OpTime): string {
  return `${group} (${clock === 'device' ? "the device's clock" : "the host's clock"})`;
}

/** Arithmetic limits products and attention, memory limits the other ops. */
function opLine({ group, name, op, kernels, milliseconds, flops, bytes, proved }: OpTime): string {
  const perSecond = (amount: number) => `${(amount / milliseconds.median / 1e6).toFixed(1)}`.padStart(8);
  const speed =
    group === 'matmul' || group === 'attention' ? `${perSecond(flops)} GFLOP/s` : `${perSecond(bytes)} GB/s   `;
  const mark = proved === 'here' ? '' : '  (checked with fewer rows)';
  return `  ${name.padEnd(30)} ${op.padEnd(26)} ${spread(milliseconds)} ${speed}  ${kernels.join(', ')}${mark}`;
}

function stepTable(time: StepTime): string {
  const { step, first, dispatches, pipelines, flops, bytes, peakMemory, parameters, ops } = time;
  const lines = [
    `step: ${spread(step).trim()}, ${(flops / step.median / 1e6).toFixed(1)} GFLOP/s; the first one ${first.toFixed(0)} ms`,
    `  ${parameters.toLocaleString('en')} parameters, ${dispatches} dispatches in one submit, ${pipelines} pipelines, ` +
      `${time.encodeMicroseconds.toFixed(2)} µs to encode a dispatch`,
    `  ${sizeInWords(bytes.total)} on the device (activations ${sizeInWords(bytes.activations)}, unshared ` +
      `${sizeInWords(bytes.unshared)}); peak resident memory of the process ${sizeInWords(peakMemory)}`,
  ];
  if (ops === undefined) return [...lines, '  this device has no timestamps: no time by op'].join('\n');
  for (const { op, kernel, dispatches, milliseconds, share, gflops } of ops) {
    const speed = gflops > 0 ? `${gflops.toFixed(1).padStart(9)} GFLOP/s` : '';
    lines.push(
      `  ${op.padEnd(26)} ${kernel.padEnd(34)} ${String(dispatches).padStart(3)} × ${milliseconds.toFixed(2).padStart(9)} ms ` +
        `${(100 * share).toFixed(1).padStart(5)} %${speed}`,
    );
  }
  return lines.join('\n');
}
