import type { Device } from '../../engine/device.js';
import { bitsOf } from '../../model/evaluator.js';
import { Generator } from '../../model/generate.js';
import { countParameters, doorSpecs, initialParameters, parameterSpecs } from '../../model/parameters.js';
import { type Checkpoint, writeCheckpoint } from '../checkpoint.js';
import { Judge, type Measures } from '../measures.js';
import { learningRate } from '../schedule.js';
import { Trainer } from '../trainer.js';
import type { Mix } from '../windows/mix.js';
import type { WindowSource } from '../windows/window.js';
import type { RunFolder } from './folder.js';
import { decoderConfigOf, type TrainOptions } from './options.js';

/** What a run tells while it goes: a progress bar, plain lines, or a test listens. */
export interface Listener {
  step(progress: Progress): void;
  validation(step: number, measures: Measures): void;
  saved(step: number, path: string): void;
}

export interface Progress {
  readonly step: number;
  readonly steps: number;
  /** of the step's own batch */
  readonly bitsPerByte: number;
  /** prefix and stream bytes a second, over the last steps */
  readonly bytesPerSecond: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
}

export interface RunResult {
  readonly step: number;
  /** of the last validation; empty when stopped before any */
  readonly measures: Measures;
  readonly sample: Uint8Array;
  readonly stopped: boolean;
}

const SAMPLE_BYTES = 200;

/** What a run learns from, and how it is judged. */
export interface RunData {
  readonly mix: Mix;
  /** held-out windows of each kind */
  readonly validation: readonly WindowSource[];
  /** ids of a held-out prefix that the sample goes on from */
  readonly prompt: Uint32Array;
}

/** Counts a reader wants before the run starts. */
export function parameterCounts(options: TrainOptions): { all: number; door: number } {
  const config = decoderConfigOf(options);
  return { all: countParameters(parameterSpecs(config)), door: countParameters(doorSpecs(config)) };
}

/**
 * Train from the first step to the last: update, validate, save. Everything random is a function of the seed and the step.
 *
 * @param stop checked after every step: when it says so, the run saves and ends
 */
export async function train(
  device: Device,
  options: TrainOptions,
  data: RunData,
  folder: RunFolder,
  listener: Listener,
  stop: () => boolean = () => false,
): Promise<RunResult> {
  const { batch: B, seed, steps, accumulate } = options;
  const config = decoderConfigOf(options);
  const window = data.mix.shares[0]!.source.size; // of the kind that the prompt is of
  const trainer = await Trainer.create(device, {
    config,
    batch: B,
    sizes: data.mix.sizes,
    parameters: initialParameters(config, seed),
    decay: options.decay,
  });
  const judge = await Judge.create(device, config, B, data.validation, trainer.plan);
  const save = async () => {
    const path = folder.checkpointPath(trainer.step);
    const checkpoint: Checkpoint = {
      config,
      step: trainer.step,
      seed,
      ...window,
      parameters: await trainer.parameters(),
    };
    writeCheckpoint(path, checkpoint, await trainer.moments());
    listener.saved(trainer.step, path);
  };
  let measures: Measures = {};
  const validate = async (all = false) => {
    measures = await judge.measure(all);
    folder.log({ step: trainer.step, ...measures });
    listener.validation(trainer.step, measures);
  };

  let stopped = false;
  let milliseconds = 0; // per step, smoothed
  while (trainer.step < steps && !stopped) {
    const step = trainer.step;
    const start = performance.now();
    const batches = Array.from({ length: accumulate }, (_, i) => data.mix.batch(seed, step, B, i * B));
    const lr = learningRate(options, step + 1);
    const { nats, gradientNorm } = await trainer.update(batches, lr);
    const took = performance.now() - start;
    milliseconds = milliseconds === 0 ? took : 0.9 * milliseconds + 0.1 * took;
    const { kind, size } = batches[0]!;
    const bytesPerSecond = (1000 * accumulate * B * (size.prefix + size.stream)) / milliseconds;
    const bitsPerByte = bitsOf(nats);
    folder.log({
      step: trainer.step,
      kind,
      bits_per_byte: bitsPerByte,
      learning_rate: lr,
      gradient_norm: gradientNorm,
      milliseconds: Math.round(took * 100) / 100,
    });
    listener.step({ step: trainer.step, steps, bitsPerByte, bytesPerSecond, learningRate: lr, gradientNorm });
    stopped = stop();
    const every = (n: number) => n > 0 && trainer.step % n === 0 && trainer.step < steps;
    if (every(options.evalEvery) && !stopped) await validate();
    if (every(options.saveEvery) && !stopped) await save();
  }
  await save();
  if (!stopped) await validate(true);

  const generator = new Generator(device, config, await trainer.parameters(), window);
  const sample = stopped ? new Uint8Array() : await writeSample(generator, data.prompt, seed);
  generator.free();
  if (!stopped) folder.writeSample(sample);
  judge.free();
  trainer.free();
  return { step: trainer.step, measures, sample, stopped };
}

/** A held-out prefix, and what the decoder writes after it. */
async function writeSample(generator: Generator, ids: Uint32Array, seed: number): Promise<Uint8Array> {
  const prompt = Uint8Array.from(ids.filter((id) => id < 256));
  const made: number[] = [];
  const options = { bytes: SAMPLE_BYTES, temperature: 0.8, topK: 40, seed };
  for await (const byte of generator.generate(prompt, options)) made.push(byte);
  return Uint8Array.from([...prompt, ...made]);
}
