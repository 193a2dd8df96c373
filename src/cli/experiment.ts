import { fork } from 'node:child_process';
import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { reason, writeFileAtomic } from '../common/atomicWrite.js';
import { FileError, InputError } from '../common/errors.js';
import { makeFolders } from '../common/folders.js';
import { readJsonFile } from '../common/jsonFile.js';
import { type CellEnd, cellFile, cellFolder, keepCell, runCell } from '../experiment/cell.js';
import { collect } from '../experiment/collect.js';
import { estimateCells, measureRate } from '../experiment/estimate.js';
import { type Cell, type Grid, readGrid } from '../experiment/grid.js';
import { jsonOf, makeReport, markdownOf } from '../experiment/report.js';
import { compareResults } from '../experiment/verify.js';
import { parameterCounts } from '../train/run/train.js';
import { path } from './arguments.js';
import { type DeviceFlags, deviceOf, withDevice } from './device.js';
import { duration, showProgress } from './progress.js';
import { fitted, StatusLine } from './statusLine.js';
import { onStop } from './stop.js';
import { version } from './version.js';

interface Flags extends DeviceFlags {
  readonly grid: string;
  /** optional for a dry run only, which then shows no states */
  readonly out?: string;
  /** folder for finished cells and the report; default the same as `out` */
  readonly results?: string;
  readonly verify?: string;
  readonly dryRun?: boolean;
  /** true if no number was given: a cluster's variable holds it */
  readonly cell?: string | true;
  readonly collect?: boolean;
  readonly strict?: boolean;
}

type ExperimentFlags = Flags & { readonly out: string };

/** `byte-to-loss experiment`: a grid of runs and its report, on this machine or on a cluster. */
export function experimentCommand(): Command {
  return withDevice(
    new Command('experiment').description(
      'train every cell of a grid (arms × K × seeds × steps) and report the results',
    ),
  )
    .requiredOption('--grid <file>', 'JSON: name, arms, K, seeds, steps, settings (see grids/)', path)
    .option('--out <folder>', 'folder for runs and report; finished cells in it are kept', path)
    .option('--results <folder>', 'folder that keeps finished cells, one small file each, and the report', path)
    .addOption(task('--verify <n>', 'train cell n of --results again and compare its weights'))
    .addOption(task('--dry-run', 'print cells, parameters, memory, FLOPs and estimated time, then stop'))
    .addOption(task('--cell [n]', 'run only cell n (without n: SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX)'))
    .addOption(task('--collect', 'write the report of the finished cells'))
    .option('--strict', 'stop at the first bad line or file of the data instead of skipping it')
    .action(async ({ out, ...given }: Flags, command: Command) => {
      const grid = readGrid(readJsonFile(given.grid), given.grid);
      if (given.dryRun) return dryRun(grid, { ...given, ...(out !== undefined && { out }) });
      if (out === undefined) return command.error("error: required option '--out <folder>' not specified");
      const flags = { ...given, out };
      if (flags.verify !== undefined) await verify(grid, flags.verify, flags);
      else if (flags.cell !== undefined) await oneCell(cellOf(grid, flags.cell), flags);
      else if (flags.collect) await writeReport(grid, flags);
      else await wholeGrid(grid, flags);
    });
}

/** An option that replaces the whole grid by another task: a command line has one of them at most. */
function task(flags: string, help: string): Option {
  const option = new Option(flags, help);
  return option.conflicts(['verify', 'dryRun', 'cell', 'collect'].filter((name) => name !== option.attributeName()));
}

/** @throws InputError when there is no such cell, or no number */
function cellOf({ cells, name }: Grid, flag: string | true): Cell {
  const { SLURM_ARRAY_TASK_ID: slurm, JOB_COMPLETION_INDEX: kubernetes } = process.env;
  const text = flag === true ? (slurm ?? kubernetes) : flag;
  if (text === undefined) {
    throw new InputError(
      '--cell: give a number, or run under a Slurm array or a Kubernetes Indexed Job, which set one',
    );
  }
  const cell = /^\d{1,9}$/.test(text) ? cells[Number(text)] : undefined;
  if (cell === undefined) throw new InputError(`--cell: ${name} has cells 0 to ${cells.length - 1}; got '${text}'`);
  return cell;
}

async function dryRun(grid: Grid, flags: Flags): Promise<void> {
  const { cells } = grid;
  const estimates = estimateCells(cells, flags.strict ?? false);
  const device = await deviceOf(flags);
  const rate = await measureRate(device, cells[0]!).finally(() => device.close());
  const states =
    flags.out === undefined
      ? cells.map(() => 'not begun')
      : collect(grid, flags.out, flags.results).map(({ state }) => state);
  const rows = cells.map((cell, i) => {
    const { flops, memory } = estimates[i]!;
    const counts = parameterCounts(cell.options);
    return {
      cell: `${cell.index}`,
      folder: cell.id,
      arm: cell.arm,
      K: `${cell.K}`,
      seed: `${cell.seed}`,
      steps: `${cell.steps}`,
      parameters: counts.all.toLocaleString('en'),
      'of the door': counts.door.toLocaleString('en'),
      memory: `${(memory / 2 ** 20).toFixed(0)} MiB`,
      TFLOP: (flops / 1e12).toFixed(1),
      time: duration(flops / rate),
      state: states[i]!,
    };
  });
  printTable([Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))]);
  const open = estimates.filter((_, i) => states[i] !== 'finished');
  const flops = open.reduce((sum, estimate) => sum + estimate.flops, 0);
  console.log(
    `\n${open.length} of ${cells.length} cells to run: ${(flops / 1e12).toFixed(1)} TFLOP, about ${duration(flops / rate)} ` +
      `at ${(rate / 1e9).toFixed(1)} GFLOP/s, measured over two updates on ${device.name}`,
  );
}

function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => row[c]!.length)));
  for (const row of rows)
    console.log(
      row
        .map((text, c) => text.padEnd(widths[c]!))
        .join('  ')
        .trimEnd(),
    );
}

/** The messages of a cell's process to its parent. */
interface Told {
  readonly step: number;
  readonly bitsPerByte: number;
}

/**
 * Set by the grid's process for the process of a cell: the cell's folder. A channel without it belongs to another program: do
 * not use or close it.
 */
const PARENT = 'BYTE_TO_LOSS_EXPERIMENT';

function hasParent(): boolean {
  return process.env[PARENT] !== undefined && process.connected;
}

const RESUME = 'to resume: run the same command again, from the same folder; finished cells are kept';

async function oneCell(cell: Cell, flags: ExperimentFlags): Promise<void> {
  if (hasParent() && process.env[PARENT] !== cell.id) {
    throw new InputError(`${flags.grid}: was changed while its cells run; start the command again`);
  }
  console.log(`cell ${cell.index}: ${cell.arm}, K ${cell.K}, seed ${cell.seed}, ${cell.steps} steps → ${cell.id}`);
  const end = await runShown(cell, flags);
  console.log(`cell ${cell.index}: ${end}`);
  if (end === 'stopped') console.log(RESUME);
}

/** Run a cell in this process and show its progress, here and to the grid's process if that started this one. */
async function runShown(cell: Cell, flags: ExperimentFlags): Promise<CellEnd> {
  const shown = showProgress();
  const stop = onStop(shown, RESUME);
  const parent = hasParent() ? process : undefined;
  // A cell whose parent has ended stops at the next step, as after a stop message.
  let alone = false;
  parent?.once('disconnect', () => {
    alone = true;
  });
  const tell = (told: Told) => {
    if (parent?.connected) parent.send!(told);
  };
  try {
    return await runCell(cell, {
      out: flags.out,
      ...(flags.results !== undefined && { results: flags.results }),
      open: () => deviceOf(flags),
      version,
      strict: flags.strict ?? false,
      stop: () => stop.signal !== undefined || alone,
      listener: {
        ...shown,
        step(progress) {
          shown.step(progress);
          tell({ step: progress.step, bitsPerByte: progress.bitsPerByte });
        },
      },
    });
  } finally {
    shown.end();
    stop.off();
    if (parent?.connected) parent.disconnect(); // the open channel would keep this process alive
  }
}

/**
 * Run the cells one after another, each in a process of its own, so that neither memory nor a crash affects the others.
 */
async function wholeGrid(grid: Grid, flags: ExperimentFlags): Promise<void> {
  makeOut(flags.out);
  const { cells } = grid;
  const before = collect(grid, flags.out, flags.results);
  const todo = cells.filter((_, i) => before[i]!.state !== 'finished');
  console.log(`${grid.name}: ${cells.length} cells, ${cells.length - todo.length} of them finished before`);
  // opens all data, so that errors of the data stop the command before any cell
  const estimates = estimateCells(todo, flags.strict ?? false);
  const flops = new Map(estimates.map((estimate, i) => [todo[i]!, estimate.flops]));
  const clock = new Clock([...flops.values()].reduce((sum, each) => sum + each, 0));
  const stop = onStop(clock, RESUME);
  const failed: Cell[] = [];
  for (const cell of todo) {
    if (stop.signal !== undefined) break;
    const name = `cell ${cell.index + 1}/${cells.length}  ${cell.arm}  K ${cell.K}  seed ${cell.seed}`;
    const code = await inItsOwnProcess(cell, flags, stop, ({ step, bitsPerByte }) => {
      const left = clock.left((flops.get(cell)! * step) / cell.steps);
      clock.show({ name, step: `step ${step}/${cell.steps}`, bits: `${bitsPerByte.toFixed(3)} bits/byte`, left });
    });
    clock.done(flops.get(cell)!);
    if (code === 0 && existsSync(join(cellFolder(flags.out, cell), 'result.json'))) clock.print(`${name}  finished`);
    else if (stop.signal === undefined) {
      failed.push(cell);
      clock.print(`${name}  did not finish (exit ${code}): see ${logOf(flags, cell)}`);
    }
  }
  clock.end();
  stop.off();
  await writeReport(grid, flags);
  if (stop.signal !== undefined) console.log(RESUME);
  else if (failed.length > 0) process.exitCode = 1;
}

const logOf = ({ out }: ExperimentFlags, { id }: Cell) => join(out, `${id}.log`);

function inItsOwnProcess(
  cell: Cell,
  flags: ExperimentFlags,
  stop: ReturnType<typeof onStop>,
  told: (told: Told) => void,
): Promise<number | null> {
  const args = ['experiment', '--grid', flags.grid, '--out', flags.out, '--cell', `${cell.index}`];
  if (flags.device !== undefined) args.push('--device', flags.device);
  if (flags.threads !== undefined) args.push('--threads', String(flags.threads));
  if (flags.results !== undefined) args.push('--results', flags.results);
  if (flags.strict) args.push('--strict');
  const entry = new URL(import.meta.url.endsWith('.ts') ? '../cli.ts' : '../cli.js', import.meta.url);
  // A process group of its own: a Ctrl-C reaches it once, through this process.
  const env = { ...process.env, [PARENT]: cell.id };
  const log = openLog(logOf(flags, cell));
  const child = fork(entry, args, { stdio: ['ignore', log, log, 'ipc'], detached: true, env });
  closeSync(log); // the child has its own
  child.on('message', (message) => told(message as Told));
  const off = stop.listen((signal) => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      off();
      resolve(code);
    });
  });
}

/** @throws FileError when it cannot be created */
function makeOut(out: string): void {
  try {
    makeFolders(out);
  } catch (error) {
    throw new FileError(`${out}: cannot be created: ${reason(error)}; choose another folder with --out`);
  }
}

/** A log file to which each process appends its output. */
function openLog(path: string): number {
  try {
    return openSync(path, 'a');
  } catch (error) {
    throw new FileError(`${path}: could not be written: ${reason(error)}`);
  }
}

/** Shows the progress of a grid, and computes the time left from the operations done so far. */
class Clock {
  readonly #status = new StatusLine();
  #begun: { at: number; done: number } | undefined;
  #done = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** @param all operations of all cells */
  constructor(private readonly all: number) {}

  /** Time left, by the pace since the first reported step: the time before it was compilation. */
  left(ofCell: number): string {
    const done = this.#done + ofCell;
    this.#begun ??= { at: performance.now(), done };
    const { at, done: before } = this.#begun;
    if (done === before) return '';
    return `${duration((((performance.now() - at) / 1000) * (this.all - done)) / (done - before))} left`;
  }

  done(flops: number): void {
    this.#done += flops;
  }

  /** Rewrites the last line of a terminal; elsewhere prints a line every half minute. */
  show(parts: Record<'name' | 'step' | 'bits' | 'left', string>): void {
    this.#status.show((columns) => fitted(parts, ['bits', 'name'], columns));
    if (this.#status.visible || performance.now() - this.#last < 30_000) return;
    this.#last = performance.now();
    this.print(fitted(parts, [], Number.POSITIVE_INFINITY));
  }

  print(text: string): void {
    this.#status.print(text);
  }

  end(): void {
    this.#status.end();
  }
}

/**
 * Train a finished cell again, in a folder of its own below --out, and compare. Prints the result as one line; the exit
 * code is 0 if the weights are the same to the bit, else 1.
 *
 * @throws InputError when there is no such cell or no result of it
 */
async function verify(grid: Grid, flag: string, flags: ExperimentFlags): Promise<void> {
  const cell = cellOf(grid, flag);
  const { result } = collect({ ...grid, cells: [cell] }, flags.out, flags.results)[0]!;
  if (result === undefined) {
    throw new InputError(
      `--verify: cell ${cell.index} has not finished; give --results the folder that keeps its result`,
    );
  }
  const { results: _, ...others } = flags; // runCell would replace the kept result
  const out = join(flags.out, 'verify');
  const before = cellFolder(out, cell);
  if (existsSync(join(before, 'result.json'))) rmSync(before, { recursive: true }); // from an earlier check
  const end = await runShown(cell, { ...others, out });
  if (end === 'stopped') return console.log(RESUME);
  const { differences, note } = compareResults(result, collect({ ...grid, cells: [cell] }, out)[0]!.result!);
  const words = differences.length === 0 ? `the same weights and measures, to the bit` : differences.join('; ');
  console.log(`cell ${cell.index} (${cell.arm}, seed ${cell.seed}): ${words}${note}`);
  if (differences.length > 0) process.exitCode = 1;
}

async function writeReport(grid: Grid, { grid: file, out, results, strict, device }: ExperimentFlags): Promise<void> {
  const { htmlOf } = await import('../experiment/reportHtml.js'); // the drawing library is slow to load
  const to = results ?? out;
  makeOut(to);
  const flags = `${results === undefined ? '' : ` --results ${results}`}${strict ? ' --strict' : ''}${device ? ` --device ${device}` : ''}`;
  const cells = collect(grid, out, results);
  for (const { cell, result, curve } of cells) {
    if (results !== undefined && result !== undefined && !existsSync(cellFile(results, cell))) {
      keepCell(results, cell, result, curve); // it finished in a command without --results
    }
  }
  const report = makeReport(grid, cells, `byte-to-loss experiment --grid ${file} --out ${out}${flags}`, version);
  writeFileAtomic(join(to, 'report.md'), markdownOf(report));
  writeFileAtomic(join(to, 'report.json'), jsonOf(report));
  writeFileAtomic(join(to, 'report.html'), htmlOf(report));
  const finished = report.cells.filter(({ state }) => state === 'finished').length;
  console.log(
    `${finished} of ${report.cells.length} cells finished; report: ${join(to, 'report.html')}, .md and .json`,
  );
}
