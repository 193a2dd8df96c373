import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { resourceUsage } from 'node:process';
import { writeFileAtomic } from '../common/atomicWrite.js';
import { NumberError } from '../common/errors.js';
import { makeFolders } from '../common/folders.js';
import type { Device } from '../device/device.js';
import { checkpointDigest } from '../train/checkpoint.js';
import { ratioOf, type Validation } from '../train/measures.js';
import { Checkpoints } from '../train/run/checkpoints.js';
import { runConfig } from '../train/run/config.js';
import { openData } from '../train/run/data.js';
import { RunFolder } from '../train/run/folder.js';
import { differences, openRun, type ResumedRun } from '../train/run/resume.js';
import { type Listener, parameterCounts, train } from '../train/run/train.js';
import { readSafetensors } from '../train/safetensors.js';
import { printable } from '../train/windows/show.js';
import type { WindowSource } from '../train/windows/window.js';
import { commitOfCode } from './commit.js';
import { estimateCell } from './estimate.js';
import type { Cell } from './grid.js';
import { readMetrics, type ValidationLine } from './metrics.js';
import { type CellResult, readResult } from './result.js';

/** The result of an attempt at a cell. */
export type CellEnd = 'finished' | 'kept' | 'stopped';

/** Options for running a cell. */
export interface CellContext {
  readonly out: string;
  /** folder that also receives finished cells, one file each, to keep without the runs */
  readonly results?: string;
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

/** The file that keeps a finished cell, in the results of its experiment. */
export function cellFile(results: string, { id }: Cell): string {
  return join(results, 'cells', `${id}.json`);
}

/** Write the data of a finished cell for reports: its result, and its validations as `curve`. */
export function keepCell(results: string, cell: Cell, result: CellResult, curve: readonly ValidationLine[]): void {
  makeFolders(join(results, 'cells'));
  // A list on one line: five hundred windows would fill pages.
  const text = JSON.stringify({ ...result, curve }, null, 1).replace(/\[\s+([-\d.,e\s]+?)\s+\]/g, (_, list: string) => {
    return `[${list.replace(/\s+/g, ' ')}]`;
  });
  writeFileAtomic(cellFile(results, cell), `${text}\n`);
}

/**
 * Run one cell, unless it is finished. An interrupted run is resumed.
 *
 * @throws FileError, InputError when its data or folder cannot be used, or another process uses it
 * @throws DeviceError when there is no device
 */
export async function runCell(cell: Cell, context: CellContext): Promise<CellEnd> {
  const path = cellFolder(context.out, cell);
  const result = join(path, 'result.json');
  const kept = () => {
    const { results } = context;
    if (results !== undefined && !existsSync(cellFile(results, cell))) {
      keepCell(results, cell, readResult(result), readMetrics(path).validations);
    }
    return 'kept' as const;
  };
  if (existsSync(result)) return kept();
  const begun = existsSync(join(path, 'config.json')) ? openRun(path, {}) : undefined;
  const folder = begun?.folder ?? RunFolder.create(path);
  try {
    if (existsSync(result)) return kept(); // finished by the previous holder of the folder
    const measured = await runWhole(cell, folder, begun, context);
    if (measured === undefined) return 'stopped';
    folder.check();
    writeFileAtomic(result, `${JSON.stringify(measured)}\n`);
    if (context.results !== undefined) keepCell(context.results, cell, measured, readMetrics(path).validations);
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
    const from = begun && resume(begun, config, options.keep, note);
    if (begun === undefined) folder.writeJson('config.json', config);
    for (const reason of data.leftOut.reasons) note(`left out: ${printable(reason)}`);
    const end = await train(device, options, data, folder, listener, stop, { from, reopen: open }).catch(nonFinite);
    if ('stopped' in end && end.stopped) return undefined;
    const { bytes, milliseconds } = trainingTime(cell, folder.path, data.mix);
    const commit = commitOfCode();
    return {
      arm: cell.arm,
      K: cell.K,
      seed: cell.seed,
      steps: cell.steps,
      lr: cell.lr,
      ...('reason' in end ? { measures: {}, scores: {}, non_finite: end.reason } : rounded(end)),
      parameters: parameterCounts(options),
      weights_sha256: weightsDigest(new Checkpoints(folder.checkpoints, options.keep)),
      data_sha256: config.data_sha256,
      ...(commit !== undefined && { commit }),
      flops: estimateCell(cell, data).flops,
      bytes_per_second: milliseconds > 0 ? (1000 * bytes) / milliseconds : 0,
      training_milliseconds: milliseconds,
      seconds: Math.round((performance.now() - start) / 1000),
      peak_memory_bytes: resourceUsage().maxRSS * 1024,
      left_out: data.leftOut.count,
      left_out_reasons: data.leftOut.reasons,
      ...(data.entropy !== undefined && { order0_entropy: data.entropy }),
      ...captionFloor(data.validation),
      adapter: device.name,
    };
  } finally {
    device.close();
  }
}

/** A run with a non-finite number has ended with that as its result: it is counted, not repeated. */
function nonFinite(error: unknown): { reason: string } {
  if (!(error instanceof NumberError)) throw error;
  const { step, op = 'the loss or a measure', scope } = error.details;
  return { reason: `step ${step}: ${scope ? `${scope} ` : ''}${op} is not finite` };
}

/**
 * Seven digits of each window, as stored, and the measures computed from them, so that they can be reproduced. The
 * windows of P(EOS) are not kept: no conclusion uses them.
 */
function rounded({ measures, scores }: Validation): Pick<CellResult, 'measures' | 'scores'> {
  const short = (values: readonly number[]) => values.map((value) => Number(value.toPrecision(7)));
  const kept = Object.entries(scores)
    .filter(([name]) => !/_(end|middle)$/.test(name))
    .map(([name, { sums, weights }]) => [name, { sums: short(sums), weights: short(weights) }] as const);
  return {
    measures: { ...measures, ...Object.fromEntries(kept.map(([name, each]) => [name, ratioOf(each)])) },
    scores: Object.fromEntries(kept),
  };
}

/** The entropy of the held-out captions, over their bytes and EOS. Nothing without captions. */
function captionFloor(sources: readonly WindowSource[]): { caption_floor?: number } {
  const audio = sources.find(({ kind }) => kind === 'audio');
  if (audio === undefined) return {};
  const windows = Array.from({ length: audio.validationCount }, (_, i) => audio.validation(i));
  const counts = new Map<string, number>();
  for (const { info } of windows) counts.set(info.caption!, (counts.get(info.caption!) ?? 0) + 1);
  const bits = windows.reduce((sum, { info }) => sum - Math.log2(counts.get(info.caption!)! / windows.length), 0);
  const bytes = windows.reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b, 0), 0);
  return { caption_floor: bits / bytes };
}

/** The newest checkpoint of an interrupted run. */
function resume(run: ResumedRun, config: ReturnType<typeof runConfig>, keep: number, note: (line: string) => void) {
  for (const line of differences(run, config)) note(line);
  const from = new Checkpoints(run.folder.checkpoints, keep, note).newest();
  note(`resuming from step ${from?.checkpoint.step ?? 0}`);
  return from;
}

/**
 * Bytes read by the run's steps, and their time, from its metrics, so that steps before an interruption count too.
 */
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

/** Step of the newest checkpoint: the last step, or the last one with finite numbers. */
function weightsDigest(checkpoints: Checkpoints): string {
  const newest = checkpoints.newestWeights();
  if (newest === undefined) return 'none';
  return checkpointDigest({ tensors: readSafetensors(checkpoints.path(newest.step)).tensors, metadata: {} });
}
