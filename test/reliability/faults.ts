import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isTemporary } from '../../src/common/atomicWrite.js';
import { DeviceError, FileError, NumberError } from '../../src/common/errors.js';
import { openDevice } from '../../src/device/adapters.js';
import type { Device } from '../../src/device/device.js';
import { Plan } from '../../src/engine/plan.js';
import { Checkpoints } from '../../src/train/run/checkpoints.js';
import { RunFolder } from '../../src/train/run/folder.js';
import type { TrainOptions } from '../../src/train/run/options.js';
import { type Listener, type RunData, type RunResult, train } from '../../src/train/run/train.js';
import { watchDispatches, withFailingWrite } from '../support/faults.js';
import { tinyRun } from '../support/tinyRun.js';
import type { Outcome } from './report.js';
import { hashes, metricsOf } from './runs.js';

const SILENT: Listener = { step() {}, validation() {}, saved() {} };
const CODES = ['ENOSPC', 'EROFS', 'EACCES', 'EIO'];

/** What an undisturbed run leaves, for comparison: hashes of all its checkpoints, its metrics and samples. */
interface Expected {
  readonly hashes: ReadonlyMap<string, string>;
  readonly metrics: readonly string[];
  readonly samples: readonly string[];
}

/** What a run differs in from the plain one. */
interface How {
  readonly options: TrainOptions;
  readonly data: RunData;
  readonly listener: Listener;
  readonly reopen: (() => Promise<Device>) | undefined;
}

/** A folder for runs, removed at the end. */
export class Faults {
  readonly folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-faults-'));
  readonly broken: string[] = [];
  #runs = 0;
  #expected: Expected | undefined;

  constructor(readonly run = tinyRun({ steps: 4, saveEvery: 1, evalEvery: 2, keep: 2 })) {}

  path(): string {
    return join(this.folder, `run-${this.#runs++}`);
  }

  /** Train into a new run folder, as the command does. */
  async train(device: Device, path: string, how: Partial<How> = {}): Promise<RunResult> {
    const { options, data, listener, reopen } = { ...this.run, listener: SILENT, reopen: undefined, ...how };
    const folder = RunFolder.create(path);
    try {
      folder.writeJson('config.json', { options });
      return await train(device, options, data, folder, listener, undefined, { ...(reopen && { reopen }) });
    } finally {
      folder.release();
    }
  }

  /** Trained once: the same run leaves the same bytes on every device of an adapter. */
  async expected(device: Device): Promise<Expected> {
    if (this.#expected === undefined) {
      const path = this.path();
      await this.train(device, path, { options: { ...this.run.options, keep: 0 } });
      this.#expected = { hashes: hashes(path), metrics: metricsOf(path), samples: metricsOf(path, 'samples.jsonl') };
    }
    return this.#expected;
  }

  /** Everything a disturbed run left on the disk must be as in the undisturbed one, and nothing half written. */
  check(what: string, path: string, expected: Expected): void {
    const checkpoints = join(path, 'checkpoints');
    for (const [name, hash] of hashes(path)) {
      if (expected.hashes.get(name) !== hash) this.broken.push(`${what}: ${name} differs`);
    }
    const reports: string[] = [];
    new Checkpoints(checkpoints, 0, (line) => reports.push(line)).newest();
    if (reports.length > 0) this.broken.push(`${what}: ${reports.join('; ')}`);
    const left = [path, checkpoints].flatMap((folder) => readdirSync(folder)).filter(isTemporary);
    if (left.length > 0) this.broken.push(`${what}: ${left.join(', ')} was left behind`);
  }

  /** The resumed run must end like the undisturbed one. */
  async finish(what: string, device: Device, path: string, expected: Expected): Promise<void> {
    const folder = RunFolder.open(path);
    const from = new Checkpoints(folder.checkpoints, 0).newest();
    const training = train(device, this.run.options, this.run.data, folder, SILENT, undefined, { from });
    await training.finally(() => folder.release());
    this.check(`${what}, resumed`, path, expected);
    this.same(what, path, expected);
    rmSync(path, { recursive: true });
  }

  same(what: string, path: string, expected: Expected): void {
    const last = [...expected.hashes.keys()].slice(-2);
    if (last.some((name) => !hashes(path).has(name))) this.broken.push(`${what}: no last checkpoint`);
    if (metricsOf(path).join() !== expected.metrics.join()) this.broken.push(`${what}: metrics differ at the end`);
    const samples = metricsOf(path, 'samples.jsonl').join();
    if (samples !== expected.samples.join()) this.broken.push(`${what}: samples differ at the end`);
  }

  free(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Every call that writes fails in turn. @returns how many did */
export async function failEveryWrite(faults: Faults, device: Device, every = 1): Promise<number> {
  const expected = await faults.expected(device);
  for (let n = 1; ; n += every) {
    const path = faults.path();
    const code = CODES[n % CODES.length]!;
    const { calls, failed, value } = await withFailingWrite(n, code, async () => {
      try {
        await faults.train(device, path);
        return undefined;
      } catch (error) {
        return error;
      }
    });
    if (calls < n) return Math.ceil((n - 1) / every);
    const what = `${code} at write ${n} (${failed})`;
    const clear = value instanceof FileError && value.message.includes(`(${code})`) && !value.message.includes('\n');
    if (value !== undefined && !clear) faults.broken.push(`${what}: ${value}`);
    // Without a configuration there is no run to resume.
    if (!readdirSync(faults.folder).includes(path.split('/').at(-1)!)) continue;
    if (!readdirSync(path).includes('config.json')) continue;
    faults.check(what, path, expected);
    await faults.finish(what, device, path, expected);
  }
}

/** Every op's outputs become NaN in turn, from the third step on. @returns how many ops, and how many were named */
export async function poisonEveryOp(
  faults: Faults,
  every = 1,
): Promise<{ ops: number; named: number; stopped: number }> {
  const device = await openDevice();
  const expected = await faults.expected(device);
  const training: { plan?: Plan | undefined } = {}; // of the step: the first plan that a run compiles
  const compile = Plan.compile;
  Plan.compile = async (...args) => {
    const compiled = await compile.apply(Plan, args);
    training.plan ??= compiled;
    return compiled;
  };
  let target = 0;
  let armed = false;
  const nan = device.gpu.createBuffer({ size: 1 << 20, usage: 0x4 | 0x8 });
  device.gpu.queue.writeBuffer(nan, 0, new Float32Array(1 << 18).fill(Number.NaN));
  watchDispatches(device.gpu, (bindGroup, encoder, interrupt) => {
    const { plan } = training;
    const entry = plan?.program.entries[target];
    const last = plan?.dispatches.findLast((prepared) => prepared.entry === entry);
    if (!armed || last === undefined || last.bindGroup !== bindGroup) return;
    interrupt(() => {
      for (const { storage } of entry!.outputs) {
        // biome-ignore lint/complexity/useLiteralKeys: a private field can be had only so
        const { buffer, offset } = plan!['buffers'].locate(storage);
        encoder.copyBufferToBuffer(nan, 0, buffer, offset, storage.length * 4);
      }
    });
  });
  const listener = { ...SILENT, step: ({ step }: { step: number }) => (armed = step >= 2) };
  let ops = 0;
  let named = 0;
  let stopped = 0;
  try {
    for (; ; target += every) {
      const path = faults.path();
      training.plan = undefined;
      armed = false;
      const error = await faults.train(device, path, { listener }).catch((thrown) => thrown);
      const { program, dispatches } = training.plan! as Plan;
      const entry = program.entries[target];
      if (entry === undefined) break;
      if (!dispatches.some((dispatch) => dispatch.entry === entry)) continue; // a view has nothing to run
      ops++;
      const what = `NaN from ${entry.scope} ${entry.op.name}`;
      if (error instanceof NumberError) stopped++;
      else faults.broken.push(`${what}: ${error}`);
      const right = error.details?.op === entry.op.name && error.details.scope === entry.scope;
      if (right && error.details.step === 3) named++;
      else faults.broken.push(`${what}: ${error.message}`);
      const newest = new Checkpoints(join(path, 'checkpoints'), 0).newest()?.checkpoint.step;
      if (newest !== 2) faults.broken.push(`${what}: the newest checkpoint is of step ${newest}`);
      faults.check(what, path, expected);
      rmSync(path, { recursive: true });
    }
  } finally {
    Plan.compile = compile;
    device.close();
  }
  return { ops, named, stopped };
}

/** The device is destroyed at every tenth dispatch in turn. @returns how often */
export async function loseEveryDevice(faults: Faults, every = 10, most = Number.POSITIVE_INFINITY) {
  const plain = await openDevice();
  const expected = await faults.expected(plain);
  plain.close();
  let losses = 0;
  for (let n = every; n <= most; n += every) {
    let dispatches = 0;
    const open = async () => {
      const device = await openDevice();
      watchDispatches(device.gpu, () => {
        if (++dispatches === n) device.gpu.destroy();
      });
      return device;
    };
    const path = faults.path();
    const device = await open();
    const error = await faults.train(device, path, { reopen: open }).then(
      () => undefined,
      (thrown) => thrown,
    );
    device.close();
    if (dispatches < n) return losses;
    losses++;
    const what = `device lost at dispatch ${n}`;
    if (error !== undefined) faults.broken.push(`${what}: ${error}`);
    faults.check(what, path, expected);
    faults.same(what, path, expected);
    rmSync(path, { recursive: true });
    if (losses % 50 === 0) console.log(`${losses} devices lost, ${faults.broken.length} broken`);
  }
  return losses;
}

/**
 * A device that is lost again and again ends the run at the fourth loss.
 *
 * @param at the dispatch of each device that it is lost at; 0 loses it before it has compiled anything
 */
export async function loseTooOften(faults: Faults, at = 200): Promise<void> {
  const options = { ...faults.run.options, saveEvery: 0 };
  let opened = 0;
  const open = async () => {
    opened++;
    const device = await openDevice();
    let dispatches = 0;
    watchDispatches(device.gpu, () => {
      if (++dispatches === at) device.gpu.destroy();
    });
    if (at === 0) device.gpu.destroy();
    return device;
  };
  const device = await open();
  const error = await faults.train(device, faults.path(), { options, reopen: open }).catch((thrown) => thrown);
  device.close();
  if (!(error instanceof DeviceError && error.fault === 'lost')) faults.broken.push(`lost four times: ${error}`);
  if (opened !== 4) faults.broken.push(`lost again and again: ${opened} devices were opened, not 4`);
}

/** All three kinds of fault, at every place. */
export async function faults(): Promise<Outcome> {
  const all = new Faults();
  const device = await openDevice();
  const writes = await failEveryWrite(all, device);
  console.log(`${writes} writes failed, ${all.broken.length} broken`);
  const { ops, named, stopped } = await poisonEveryOp(all);
  console.log(`${ops} ops gave NaN, ${all.broken.length} broken`);
  await loseTooOften(all);
  const losses = await loseEveryDevice(all);
  device.close();
  all.free();
  return {
    promise:
      'a failed write, a NaN, a lost device: a clear error or none, good checkpoints intact, the same bytes in the end',
    counts: {
      'writes failed in turn': writes,
      'ops gave NaN': ops,
      'stopped before the update': stopped,
      'named the op': named,
      'devices lost at every tenth dispatch': losses,
    },
    adapter: device.name,
    broken: all.broken,
  };
}
