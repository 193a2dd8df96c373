import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { resourceUsage } from 'node:process';
import { writeFileAtomic } from '../common/atomicWrite.js';
import type { Device } from '../device/device.js';
import { checkpointDigest } from '../train/checkpoint.js';
import type { Measures } from '../train/measures.js';
import { Checkpoints } from '../train/run/checkpoints.js';
import { runConfig } from '../train/run/config.js';
import { openData } from '../train/run/data.js';
import { RunFolder } from '../train/run/folder.js';
import { differences, openRun, type ResumedRun } from '../train/run/resume.js';
import { type Listener, parameterCounts, train } from '../train/run/train.js';
import { readSafetensors } from '../train/safetensors.js';
import { printable } from '../train/windows/show.js';
import type { Cell } from './grid.js';
import { readMetrics } from './metrics.js';

/** What a finished cell leaves beside its run, in result.json. */
export interface CellResult {
  readonly arm: string;
  readonly K: number;
  readonly seed: number;
  readonly steps: number;
  readonly measures: Measures;
  readonly parameters: { readonly all: number; readonly door: number };
  /** SHA-256 of the last weights, whatever else their file says: the same seeds on the same adapter give the same */
  readonly weights_sha256: string;
  /** prefix and stream bytes a second, over all training steps; validation and saving are not counted */
  readonly bytes_per_second: number;
  /** milliseconds of all training steps */
  readonly training_milliseconds: number;
  /** from opening the data to the last validation, of the attempt that finished */
  readonly seconds: number;
  /** of the process, at its highest: bytes of memory in use, a software driver's buffers among them */
  readonly peak_memory_bytes: number;
  /** lines and files of the data that could not be used */
  readonly left_out: number;
  /** why, each with its file and line: the first hundred of each kind. Results written by 0.1.0 before it was kept lack it */
  readonly left_out_reasons?: readonly string[];
  readonly order0_entropy?: number;
  readonly adapter: string;
}

/** How an attempt at a cell ended. */
export type CellEnd = 'finished' | 'kept' | 'stopped';

/** What a cell runs with. */
export interface CellContext {
  readonly out: string;
  readonly open: () => Promise<Device>;
  readonly version: string;
  readonly listener: Listener;
  readonly stop: () => boolean;
  /** stop at the first bad line or file of the data */
  readonly strict: boolean;
}

/** The run folder of a cell, in the folder of its experiment. */
export function cellFolder(out: string, { id }: Cell): string {
  return join(out, id);
}

/**
 * Run one cell, unless it is finished. A run that was broken off is gone on with.
 *
 * @throws FileError, InputError when its data or folder cannot be used, or another process is at it
 * @throws DeviceError when there is no device
 */
export async function runCell(cell: Cell, context: CellContext): Promise<CellEnd> {
  const path = cellFolder(context.out, cell);
  const result = join(path, 'result.json');
  if (existsSync(result)) return 'kept';
  const begun = existsSync(join(path, 'config.json')) ? openRun(path, {}) : undefined;
  const folder = begun?.folder ?? RunFolder.create(path);
  try {
    if (existsSync(result)) return 'kept'; // finished by whoever held the folder before
    const measured = await runWhole(cell, folder, begun, context);
    if (measured === undefined) return 'stopped';
    folder.check();
    writeFileAtomic(result, `${JSON.stringify(measured, null, 2)}\n`);
    return 'finished';
  } finally {
    folder.release();
  }
}

async function runWhole(
  cell: Cell,
  folder: RunFolder,
  begun: ResumedRun | undefined,
  { open, version, listener, strict, stop }: CellContext,
): Promise<CellResult | undefined> {
  const options = { ...cell.options, strict: strict || cell.options.strict };
  const start = performance.now();
  const data = openData(options);
  const device = await open();
  try {
    const config = runConfig(options, data, device, version);
    const note = (line: string) => listener.note?.(line);
    const from = begun && takeUp(begun, config, options.keep, note);
    if (begun === undefined) folder.writeConfig(config);
    for (const reason of data.leftOut.reasons) note(`left out: ${printable(reason)}`);
    const { measures, stopped } = await train(device, options, data, folder, listener, stop, { from, reopen: open });
    if (stopped) return undefined;
    const { bytes, milliseconds } = trainingTime(cell, folder.path, data.mix);
    return {
      arm: cell.arm,
      K: cell.K,
      seed: cell.seed,
      steps: cell.steps,
      measures,
      parameters: parameterCounts(options),
      weights_sha256: weightsDigest(new Checkpoints(folder.checkpoints, options.keep).path(cell.steps)),
      bytes_per_second: (1000 * bytes) / milliseconds,
      training_milliseconds: milliseconds,
      seconds: Math.round((performance.now() - start) / 1000),
      peak_memory_bytes: resourceUsage().maxRSS * 1024,
      left_out: data.leftOut.count,
      left_out_reasons: data.leftOut.reasons,
      ...(data.entropy !== undefined && { order0_entropy: data.entropy }),
      adapter: device.name,
    };
  } finally {
    device.close();
  }
}

/** The newest checkpoint of a run that was broken off. */
function takeUp(run: ResumedRun, config: ReturnType<typeof runConfig>, keep: number, note: (line: string) => void) {
  for (const line of differences(run, config)) note(line);
  const from = new Checkpoints(run.folder.checkpoints, keep, note).newest();
  note(`going on from step ${from?.checkpoint.step ?? 0}`);
  return from;
}

/** Bytes that the run's steps read, and how long they took, from its metrics: so that steps before a break count too. */
function trainingTime({ options }: Cell, path: string, mix: ReturnType<typeof openData>['mix']) {
  const windows = options.batch * options.accumulate;
  const sizes = new Map(mix.shares.map(({ source }) => [source.kind as string, source.size]));
  let bytes = 0;
  let milliseconds = 0;
  for (const line of readMetrics(path).steps) {
    const { prefix, stream } = sizes.get(line.kind)!;
    bytes += windows * (prefix + stream);
    milliseconds += line.milliseconds;
  }
  return { bytes, milliseconds };
}

function weightsDigest(path: string): string {
  const { tensors } = readSafetensors(path);
  return checkpointDigest({ tensors, metadata: {} });
}
