/**
 * The same training step in several libraries, on one device, taking turns: `npm install` here, then
 *
 *     npx tsx bench/peers/run.ts --workload small --rounds 5 --only ours,ours-1-thread,jax-js-wasm,torch
 *
 * Prints medians, spread, peak memory, and the ratio of each time to ours. `--record` also writes them to
 * results.json; `UPDATE_GOLDEN=1 npx vitest run test/readme.test.ts` then updates the README's table.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { FAST_TOGGLES } from '../../src/device/adapters.js';
import { merged, type PeerResult, type PeerResults } from './results.js';
import type { Report } from './worker.js';
import { ADAM, batchOf, WORKLOADS, weightsOf } from './workload.js';

const { values } = parseArgs({
  options: {
    workload: { type: 'string', default: 'small' },
    device: { type: 'string', default: 'cpu' },
    rounds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '2' },
    only: { type: 'string', default: 'ours,ours-1-thread,jax-js-wasm' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
});
const name = values.workload;
const workload = WORKLOADS[name];
if (workload === undefined) throw new Error(`--workload must be one of ${Object.keys(WORKLOADS)}; got ${name}`);
const rounds = Number(values.rounds);
const steps = Number(values.steps);
/** Warm-up steps: one for compilation, and a second one that may still allocate. */
const WARM = 2;

const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-peers-'));
const script = (file: string, ...words: readonly string[]) =>
  [process.execPath, ['--import', 'tsx', join(import.meta.dirname, file), name, ...words]] as const;
const LIBRARIES: Readonly<Record<string, () => readonly [string, readonly string[]]>> = {
  ours: () => script('ours.ts', values.device),
  'ours-1-thread': () => script('ours.ts', values.device, '1'),
  'jax-js': () => script('jaxJs.ts', values.device),
  'jax-js-wasm': () => script('jaxJs.ts', 'wasm'),
  tfjs: () => script('tfjs.ts', values.device),
  'tfjs-wasm': () => script('tfjs.ts', 'wasm'),
  torch: () => torch('cpu', 'float32'),
  'torch-bf16': () => torch('cpu', 'bf16'),
  'torch-cuda': () => torch('cuda', 'float32'),
  'torch-cuda-tf32': () => torch('cuda', 'tf32'),
  'torch-cuda-bf16': () => torch('cuda', 'bf16'),
};

/** How far losses may be from ours: float32 sums in another order, or products of fewer bits. */
const toleranceOf = (library: string) => (/bf16|tf32/.test(library) ? 5e-2 : 1e-3);

/** PyTorch, on weights and batches that it reads from files. */
function torch(device: string, precision: string): readonly [string, readonly string[]] {
  const weights = [...weightsOf(workload!)];
  const batches = Array.from({ length: WARM + rounds * steps }, (_, i) => batchOf(workload!, i));
  writeFileSync(join(folder, 'weights.json'), JSON.stringify(weights.map(([name, { shape }]) => [name, shape])));
  writeFileSync(join(folder, 'weights.bin'), Buffer.concat(weights.map(([, { data }]) => Buffer.from(data.buffer))));
  const bytes = batches.flatMap(({ x, y }) => [Buffer.from(x.buffer), Buffer.from(y.buffer)]);
  writeFileSync(join(folder, 'batches.bin'), Buffer.concat(bytes));
  const work = JSON.stringify({ ...workload, adam: ADAM });
  return [
    process.env.PYTHON ?? 'python3',
    [join(import.meta.dirname, 'torch_worker.py'), work, folder, device, precision],
  ];
}

/** One library in a process of its own. */
class Library {
  readonly milliseconds: number[] = [];
  readonly losses: number[] = [];
  first = 0;
  adapter = '';
  peakMemory = 0;
  readonly #process: ChildProcess;
  #answer: ((report: Report | undefined) => void) | undefined;
  #ended = false;

  constructor(readonly name: string) {
    const [command, words] = LIBRARIES[name]!();
    this.#process = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process.on('exit', () => {
      this.#ended = true;
      this.#answer?.(undefined);
    });
    this.#process.stdin!.on('error', () => {}); // it has ended, which `exit` reports
    createInterface({ input: this.#process.stdout! }).on('line', (line) => {
      if (line.startsWith('REPORT ')) this.#answer?.(JSON.parse(line.slice(7)) as Report);
    });
  }

  async run(count: number, timed: boolean): Promise<boolean> {
    const report = await new Promise<Report | undefined>((resolve) => {
      if (this.#ended) resolve(undefined);
      this.#answer = resolve;
      this.#process.stdin!.write(`steps ${count}\n`);
    });
    if (report === undefined) return false;
    if (timed) this.milliseconds.push(...report.milliseconds);
    else this.first ||= report.milliseconds[0]!;
    this.losses.push(...report.losses);
    this.adapter = report.adapter;
    this.peakMemory = report.peakMemory;
    return true;
  }

  end(): void {
    this.#process.stdin!.end();
  }
}

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;

const chosen = values.only.split(',');
const unknown = chosen.find((name) => !(name in LIBRARIES));
if (unknown !== undefined) throw new Error(`--only takes ${Object.keys(LIBRARIES)}; got ${unknown}`);
let libraries = chosen.map((name) => new Library(name));
const lost: string[] = [];
const turn = async (count: number, timed: boolean) => {
  for (const library of [...libraries]) {
    if (await library.run(count, timed)) continue;
    lost.push(library.name);
    libraries = libraries.filter((one) => one !== library);
  }
};
await turn(WARM, false);
for (let round = 0; round < rounds; round++) {
  await turn(steps, true);
  libraries.push(libraries.shift()!); // another goes first in the next round
}
for (const library of libraries) library.end();
rmSync(folder, { recursive: true });

const ours = libraries.find(({ name }) => name === 'ours');
const compared = ours && Math.min(...libraries.map(({ losses }) => losses.length));
const rows = libraries
  .sort((a, b) => chosen.indexOf(a.name) - chosen.indexOf(b.name))
  .map(({ name, adapter, milliseconds, first, peakMemory, losses }) => ({
    name,
    adapter,
    milliseconds: {
      median: median(milliseconds),
      least: Math.min(...milliseconds),
      most: Math.max(...milliseconds),
      first,
    },
    /** median over rounds of this library's time over ours, in the same round */
    ratio: ours && median(milliseconds.map((ms, i) => ms / ours.milliseconds[i]!)),
    peakMemory,
    loss: losses.at(-1)!,
    /** largest difference of a loss from ours */
    difference: ours && Math.max(...losses.slice(0, compared).map((loss, i) => Math.abs(loss - ours.losses[i]!))),
  }));
const git = (...words: string[]) => execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
/** Files that could affect the measurement. */
const CODE = [':/src', ':/shaders', '.', ':!results.json'];
const changed = git('status', '--porcelain', '--untracked-files=no', '--', ...CODE) !== '';
const result: PeerResult = {
  date: new Date().toISOString().slice(0, 10),
  commit: git('rev-parse', '--short', 'HEAD') + (changed ? '+' : ''),
  workload: { name, ...workload },
  device: values.device,
  toggles: FAST_TOGGLES,
  rounds,
  steps,
  load: Number(loadavg()[0]!.toFixed(1)),
  rows,
  lost,
};
if (values.json) {
  console.log(JSON.stringify(result, null, 2));
} else {
  console.log(`${name} ${JSON.stringify(workload)}, ${rounds} rounds of ${steps} steps, load ${result.load}`);
  for (const { name, adapter, milliseconds: ms, ratio, peakMemory, loss, difference } of rows) {
    console.log(
      `${name.padEnd(12)} ${ms.median.toFixed(1).padStart(8)} ms (${ms.least.toFixed(1)}..${ms.most.toFixed(1)}, first ${ms.first.toFixed(0)})  ` +
        `${ratio === undefined ? '' : `${ratio.toFixed(2)} × ours`.padEnd(14)} ${(peakMemory / 2 ** 20).toFixed(0).padStart(5)} MiB  ` +
        `loss ${loss.toFixed(6)} (off by ${difference?.toExponential(1)})  ${adapter}`,
    );
  }
  if (lost.length > 0) console.log(`ended early: ${lost.join(', ')}`);
}
for (const { name, difference } of rows) {
  if ((difference ?? 0) > toleranceOf(name))
    throw new Error(`${name}: its losses differ from ours by ${difference}; it computes something else`);
}
if (values.record) {
  const file = join(import.meta.dirname, 'results.json');
  const before: PeerResults = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  writeFileSync(file, `${JSON.stringify(merged(before, result), null, 2)}\n`);
}
