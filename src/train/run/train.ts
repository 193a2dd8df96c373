import { DeviceError, NumberError } from '../../common/errors.js';
import type { Device } from '../../device/device.js';
import { bitsOf } from '../../model/evaluator.js';
import { Generator } from '../../model/generate.js';
import { countParameters, doorSpecs, initialParameters, parameterSpecs } from '../../model/parameters.js';
import type { Checkpoint } from '../checkpoint.js';
import { type Measures, type Validation, Validator } from '../measures.js';
import type { NonFinite } from '../nonFinite.js';
import { learningRate } from '../schedule.js';
import { type SubmittedStep, Trainer } from '../trainer.js';
import type { Batch, Mix } from '../windows/mix.js';
import type { WindowSource } from '../windows/window.js';
import { Checkpoints, type SavedState } from './checkpoints.js';
import type { RunFolder } from './folder.js';
import { COLLECT_EVERY, collectGarbage } from './garbage.js';
import { decoderConfigOf, type TrainOptions } from './options.js';
import { Skips } from './skips.js';
import { SPIKE_WINDOW, Spikes } from './spikes.js';

/** The events of a run, for a progress bar, plain lines, or a test. */
export interface Listener {
  step(progress: Progress): void;
  validation(step: number, measures: Measures): void;
  saved(step: number, path: string): void;
  /** any other event: a loss spike, a skipped step, a lost device, a damaged checkpoint */
  note?(line: string): void;
}

/** The state of a run after a step. */
export interface Progress {
  readonly step: number;
  readonly steps: number;
  /** loss of the step's own batch */
  readonly bitsPerByte: number;
  /** prefix and stream bytes a second, over the last steps */
  readonly bytesPerSecond: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
}

/** The result of a run. */
export interface RunResult {
  readonly step: number;
  /** of the last validation; empty when stopped before any */
  readonly measures: Measures;
  /** the same window by window */
  readonly scores: Validation['scores'];
  readonly sample: Uint8Array;
  /** skipped steps that were not finite, over the whole run */
  readonly skipped: number;
  readonly stopped: boolean;
}

/** Number of bytes in a sample. */
const SAMPLE_BYTES = { validation: 100, end: 200 };

/** The data of a run, for training and for validation. */
export interface RunData {
  readonly mix: Mix;
  /** held-out windows of each kind */
  readonly validation: readonly WindowSource[];
  /** ids of a held-out prefix that the sample continues */
  readonly prompt: Uint32Array;
  /** bytes of the sample at each validation, and at the end; default 100 and 200 */
  readonly sampleBytes?: { readonly validation: number; readonly end: number };
}

/** Counts to print before the run starts. */
export function parameterCounts(options: TrainOptions): { all: number; door: number } {
  const config = decoderConfigOf(options);
  return { all: countParameters(parameterSpecs(config)), door: countParameters(doorSpecs(config)) };
}

/** Optional inputs of a run besides its options and data. */
export interface TrainExtras {
  /** the newest checkpoint of an interrupted run; undefined starts from the first step */
  readonly from?: SavedState | undefined;
  /** opens a device like the lost one; without it a lost device ends the run */
  readonly reopen?: () => Promise<Device>;
  /**
   * true submits a step before the loss of the one before it is read. Default: on a GPU, which would wait otherwise
   */
  readonly runsAhead?: boolean;
}

/** How many times a run may resume after losing its device. */
const MAX_LOSSES = 3;

/**
 * Train from the first step to the last: update, validate, save. Everything random is a function of the seed and the step,
 * so a run resumed from a checkpoint ends with the same bytes as an uninterrupted one.
 *
 * @param folder whose lock the caller holds, and releases
 * @param stop called after every step and within a validation: when it returns true, the run saves and ends
 * @throws NumberError when a loss or a gradient is not finite: nothing was updated, and a checkpoint from before the
 * step is saved
 * @throws FileError when something could not be written, or the folder was taken over: the last good checkpoint is
 * unchanged
 * @throws DeviceError when the device failed, was lost for the fourth time or can only be replaced by another one, or
 * gave two results for one step
 */
export async function train(
  device: Device,
  options: TrainOptions,
  data: RunData,
  folder: RunFolder,
  listener: Listener,
  stop: () => boolean = () => false,
  { from, reopen, runsAhead = device.kind === 'gpu' }: TrainExtras = {},
): Promise<RunResult> {
  const report = (line: string) => listener.note?.(line);
  const checkpoints = new Checkpoints(folder.checkpoints, options.keep, report);
  const run: Attempt = { device, state: from, options, data, folder, listener, stop, checkpoints, runsAhead };
  const splits = data.mix.shares.flatMap(({ source }) => (source.split ? [[source.kind, source.split]] : []));
  try {
    if (from === undefined) folder.writeJson('split.json', Object.fromEntries(splits), 1);
    for (let losses = 1; ; losses++) {
      try {
        const result = await attempt(run);
        folder.check();
        return result;
      } catch (error) {
        const lost = error instanceof DeviceError && error.fault === 'lost';
        if (!lost || reopen === undefined || losses > MAX_LOSSES) throw error;
        report(`${error.message}: resuming from step ${run.state?.checkpoint.step ?? 0} on a new one`);
        const { name } = run.device;
        if (run.device !== device) run.device.close();
        run.device = await reopen();
        if (run.device.name !== name) {
          throw new DeviceError(
            `${error.message}; instead of ${name} only ${run.device.name} can be opened now. ` +
              `Resume with --device ${run.device.kind} to continue with it`,
            'lost',
          );
        }
      }
    }
  } finally {
    if (run.device !== device) run.device.close();
  }
}

interface Attempt {
  /** another one after a loss */
  device: Device;
  /** the last saved state, or the one to begin from; undefined for the first step */
  state: SavedState | undefined;
  readonly options: TrainOptions;
  readonly data: RunData;
  readonly folder: RunFolder;
  readonly listener: Listener;
  readonly stop: () => boolean;
  readonly checkpoints: Checkpoints;
  readonly runsAhead: boolean;
}

/** A step that was submitted. */
interface Sent {
  /** updates before it */
  readonly step: number;
  readonly batches: readonly Batch[];
  readonly lr: number;
  /** time at which it was begun, in milliseconds */
  readonly at: number;
  readonly submitted: SubmittedStep;
}

/** A run on one device, from a saved state to the end. Leaves each state that it saves in `run`. */
async function attempt(run: Attempt): Promise<RunResult> {
  const { device, options, data, folder, listener, stop, checkpoints, runsAhead } = run;
  const { batch: B, seed, steps, accumulate } = options;
  const sampleBytes = data.sampleBytes ?? SAMPLE_BYTES;
  const config = decoderConfigOf(options);
  const window = data.mix.shares[0]!.source.size; // size of the prompt's kind
  const start = run.state?.checkpoint.step ?? 0;
  const spikes = new Spikes();
  // A resumed run may have reported this step already.
  const validated = new Set<number>();
  const sampled = new Set<number>();
  const skips = new Skips();
  const damaged = folder.rewind(
    start,
    ({ step, kind, bits_per_byte: bits, ...line }) => {
      if ('learning_rate' in line) skips.add(line.skipped !== undefined);
      if (typeof bits === 'number') spikes.add(String(kind), bits);
      if ('learning_rate' in line) return;
      validated.add(Number(step));
      checkpoints.recall(Number(step), line as Measures);
    },
    ({ step }) => sampled.add(Number(step)),
  );
  for (const line of damaged) listener.note?.(line);
  checkpoints.recallBest(start);
  checkpoints.prune(start);
  const freed: { free(): void }[] = [];
  const owned = <T extends { free(): void }>(thing: T): T => {
    freed.push(thing);
    return thing;
  };
  try {
    const trainer = owned(
      await Trainer.create(device, {
        config,
        batch: B,
        accumulate,
        sizes: data.mix.sizes,
        parameters: run.state?.checkpoint.parameters ?? (() => initialParameters(config, seed, options.doorDeviation)),
        decay: options.decay,
        precision: options.precision,
      }),
    );
    if (run.state) trainer.restore(run.state.checkpoint.parameters, run.state.moments, start);
    const generator = owned(new Generator(device, config, trainer.plan, window));
    folder.writeJson('memory.json', memoryOf(trainer));
    const judge = owned(await Validator.create(device, config, B, data.validation, trainer.plan, stop));
    const save = async () => {
      const { step } = trainer;
      const checkpoint: Checkpoint = { config, step, seed, ...window, parameters: await trainer.parameters() };
      const moments = await trainer.moments();
      folder.flush();
      const path = checkpoints.save(checkpoint, moments);
      run.state = { checkpoint, moments };
      listener.saved(step, path);
      return path;
    };
    let measures: Measures = {};
    let scores: Validation['scores'] = {};
    let stopped = false;
    // These two return undefined when stopped, and write no line: the resumed run repeats them.
    const validate = async (all = false) => {
      const found = await judge.measure(all);
      if (found === undefined) return undefined;
      ({ measures, scores } = found);
      if (!validated.has(trainer.step)) folder.log({ step: trainer.step, ...measures });
      checkpoints.judge(trainer.step, measures);
      listener.validation(trainer.step, measures);
      return measures;
    };
    const keepSample = async (bytes: number) => {
      const written = await writeSample(generator, data.prompt, bytes, seed, stop);
      if (written === undefined) return undefined;
      const { prompt, made } = written;
      if (!sampled.has(trainer.step)) folder.logSample(trainer.step, prompt, made);
      return Uint8Array.from([...prompt, ...made]);
    };
    const look = async () => {
      if (await validate()) await keepSample(sampleBytes.validation);
      stopped = stop();
    };
    const due = (every: number) => every > 0 && trainer.step % every === 0 && trainer.step > 0 && trainer.step < steps;

    let milliseconds = 0; // per step, smoothed
    let read = 0; // time of the last result
    const send = async (): Promise<Sent> => {
      const { step } = trainer;
      const at = performance.now();
      const batches = Array.from({ length: accumulate }, (_, i) => data.mix.batch(seed, step, B, i * B));
      const lr = learningRate(options, step + 1);
      return { step, batches, lr, at, submitted: await trainer.submit(batches, lr) };
    };
    /** Wait for a step and log it. @returns false if it was skipped: the device held back any step after it */
    const finish = async ({ step, batches, lr, at, submitted }: Sent): Promise<boolean> => {
      const { nats, gradientNorm, finite } = await submitted.result();
      const now = performance.now();
      const took = now - Math.max(at, read); // a step submitted early begins when the one before it ends
      read = now;
      const { kind, size } = batches[0]!;
      const line = {
        step: step + 1,
        kind,
        learning_rate: lr,
        milliseconds: Math.round(took * 100) / 100,
        bytes_per_second: Math.round((1000 * accumulate * B * (size.prefix + size.stream)) / took),
      };
      skips.add(!finite);
      if (finite) {
        milliseconds = milliseconds === 0 ? took : 0.9 * milliseconds + 0.1 * took;
        const bytesPerSecond = (1000 * accumulate * B * (size.prefix + size.stream)) / milliseconds;
        const bitsPerByte = bitsOf(nats);
        const spike = spikes.add(kind, bitsPerByte);
        folder.log({
          ...line,
          bits_per_byte: bitsPerByte,
          gradient_norm: gradientNorm,
          ...(spike !== undefined && { spike }),
        });
        if (spike !== undefined) {
          const words = `${spike.toFixed(1)} deviations above the mean of the last ${SPIKE_WINDOW}`;
          listener.note?.(`step ${step + 1}  loss spike: ${bitsPerByte.toFixed(3)} bits/byte, ${words}`);
        }
        listener.step({ step: step + 1, steps, bitsPerByte, bytesPerSecond, learningRate: lr, gradientNorm });
      } else if (options.skipNonfinite && skips.most === undefined) {
        trainer.skip();
        folder.log({ ...line, skipped: 1 });
        listener.note?.(`step ${step + 1}  skipped: the ${notFinite(nats)}`);
      } else {
        const culprit = await trainer.locateNonFinite(batches, lr);
        if (culprit === undefined) {
          // A step gives the same numbers at each try, so this is no property of the run.
          const path = await save();
          throw new DeviceError(
            `step ${step + 1}: the ${notFinite(nats)}, but a second try of the same step was finite; nothing was updated; ` +
              `saved ${path}. The device is at fault: check it with byte-to-loss doctor, then resume`,
            'internal',
          );
        }
        const what = `the ${notFinite(nats)}; first not finite: ${culprit.words}`;
        const many = options.skipNonfinite && `${skips.most} were not finite`;
        throw await numberError(
          step + 1,
          many ? `${many}, the last since ${what}` : what,
          culprit,
          save,
          many ? LOWER : SKIP,
        );
      }
      return finite;
    };
    let ahead: Sent | undefined; // submitted, and not yet read
    // A stopped run has saved, but has omitted a due validation or its sample.
    if (due(options.evalEvery) && !(validated.has(start) && sampled.has(start))) await look();
    while (trainer.step < steps && !stopped) {
      const next = await send();
      const follows = ahead === undefined || (await finish(ahead));
      if (!follows) await next.submitted.result(); // it changed nothing, and is submitted again
      ahead = follows ? next : undefined;
      const isWaiting = !runsAhead || trainer.step === steps || due(options.evalEvery) || due(options.saveEvery);
      if (ahead !== undefined && isWaiting) {
        await finish(ahead);
        ahead = undefined;
      }
      if (trainer.step % COLLECT_EVERY === 0) collectGarbage();
      stopped = stop();
      if (due(options.evalEvery) && !stopped) await look();
      if (due(options.saveEvery) && !stopped) await save();
    }
    if (ahead !== undefined) await finish(ahead);
    const many = stopped ? undefined : skips.mostAtEnd;
    if (many !== undefined) throw await numberError(steps, `${many} were skipped: not finite`, undefined, save, LOWER);
    await save();
    const sample = !stopped && (await validate(true)) ? await keepSample(SAMPLE_BYTES.end) : undefined;
    const ended = { step: trainer.step, measures, scores, skipped: skips.count };
    if (sample === undefined) return { ...ended, sample: new Uint8Array(), stopped: true };
    const broken = Object.keys(measures).find((name) => !Number.isFinite(measures[name]));
    if (broken !== undefined)
      throw new NumberError(`the last validation found a ${broken} that is not finite. ${LOWER}`, { step: steps });
    folder.writeSample(sample);
    return { ...ended, sample, stopped: false };
  } finally {
    for (const thing of freed.reverse()) thing.free();
  }
}

function notFinite(nats: number): string {
  return Number.isFinite(nats) ? 'gradient norm is not finite' : `loss is ${nats}`;
}

const LOWER = 'Begin a new run with a lower --lr';
const SKIP = 'Take a lower --lr, or --skip-nonfinite to leave such steps out';

/** The error of a failed step. A checkpoint from before the step is saved if its numbers are still finite. */
async function numberError(
  step: number,
  what: string,
  culprit: NonFinite | undefined,
  save: () => Promise<string>,
  hint: string,
): Promise<NumberError> {
  const saved = await save().then(
    (path) => `nothing was updated; saved ${path}`,
    (error) => {
      if (error instanceof NumberError) return error.message;
      throw error;
    },
  );
  return new NumberError(`step ${step}: ${what}; ${saved}. ${hint}`, {
    step,
    ...(culprit && { op: culprit.op, scope: culprit.scope }),
  });
}

/** A held-out prefix, and the decoder's continuation; undefined when stopped. */
async function writeSample(
  generator: Generator,
  ids: Uint32Array,
  bytes: number,
  seed: number,
  stop: () => boolean,
): Promise<{ prompt: Uint8Array; made: Uint8Array } | undefined> {
  const prompt = Uint8Array.from(ids.filter((id) => id < 256));
  const made: number[] = [];
  const options = { bytes, temperature: 0.8, topK: 40, seed };
  for await (const byte of generator.generate(prompt, options)) {
    if (stop()) return undefined;
    made.push(byte);
  }
  return { prompt, made: Uint8Array.from(made) };
}

/** Bytes on the device, for one size of window, and of this process. */
function memoryOf(trainer: Trainer): Record<string, number> {
  const { total, flat, activations, unshared } = trainer.plan.bytes;
  return {
    device_bytes: total,
    parameter_bytes: flat,
    activation_bytes: activations,
    activation_bytes_unshared: unshared,
    process_bytes: process.memoryUsage.rss(),
  };
}
