import type { Device } from '../../engine/device.js';
import { Generator } from '../../model/generate.js';
import { countParameters, doorSpecs, initialParameters, parameterSpecs } from '../../model/parameters.js';
import { type Checkpoint, writeCheckpoint } from '../checkpoint.js';
import { learningRate } from '../schedule.js';
import { bitsOf, Evaluator, Trainer } from '../trainer.js';
import { type Batch, mix } from '../windows/mix.js';
import type { TextSource } from '../windows/text.js';
import type { RunFolder } from './folder.js';
import { decoderConfigOf, type TrainOptions } from './options.js';

/** What a run tells while it goes: a progress bar, plain lines, or a test listens. */
export interface Listener {
  step(progress: Progress): void;
  validation(step: number, bitsPerByte: number): void;
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
  /** of the last validation; undefined when stopped before any */
  readonly validationBitsPerByte: number | undefined;
  readonly sample: Uint8Array;
  readonly stopped: boolean;
}

/** Windows of the fixed validation list that are scored. */
const VALIDATION_WINDOWS = 32;
const SAMPLE_BYTES = 200;

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
  source: TextSource,
  folder: RunFolder,
  listener: Listener,
  stop: () => boolean = () => false,
): Promise<RunResult> {
  const { batch: B, prefix: L, stream: T, seed, steps, accumulate } = options;
  const config = decoderConfigOf(options);
  const windows = mix([{ source, share: 1 }]);
  const trainer = await Trainer.create(device, {
    config,
    size: { B, L, T },
    parameters: initialParameters(config, seed),
    decay: options.decay,
  });
  const evaluator = await Evaluator.create(device, config, { B, L, T }, { shared: trainer.plan });
  const held = validationBatches(source, B);
  const save = async () => {
    const path = folder.checkpointPath(trainer.step);
    const checkpoint: Checkpoint = {
      config,
      step: trainer.step,
      seed,
      prefix: L,
      stream: T,
      parameters: await trainer.parameters(),
    };
    writeCheckpoint(path, checkpoint, await trainer.moments());
    listener.saved(trainer.step, path);
  };
  let validationBitsPerByte: number | undefined;
  const validate = async () => {
    const { nats, weight } = await evaluator.total(held);
    validationBitsPerByte = bitsOf(nats / weight);
    folder.log({ step: trainer.step, validation_bits_per_byte: validationBitsPerByte });
    listener.validation(trainer.step, validationBitsPerByte);
  };

  let stopped = false;
  let milliseconds = 0; // per step, smoothed
  while (trainer.step < steps && !stopped) {
    const step = trainer.step;
    const start = performance.now();
    const batches = Array.from({ length: accumulate }, (_, i) => windows.batch(seed, step, B, i * B));
    const lr = learningRate(options, step + 1);
    const { nats, gradientNorm } = await trainer.update(batches, lr);
    const took = performance.now() - start;
    milliseconds = milliseconds === 0 ? took : 0.9 * milliseconds + 0.1 * took;
    const bytesPerSecond = (1000 * accumulate * B * (L + T)) / milliseconds;
    const bitsPerByte = bitsOf(nats);
    folder.log({
      step: trainer.step,
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
  if (!stopped) await validate();

  const generator = new Generator(device, config, await trainer.parameters(), { prefix: L, stream: T });
  const sample = stopped ? new Uint8Array() : await writeSample(generator, source, L, seed);
  generator.free();
  if (!stopped) folder.writeSample(sample);
  evaluator.free();
  trainer.plan.free();
  return { step: trainer.step, validationBitsPerByte, sample, stopped };
}

/** The first held-out prefix, and what the decoder writes after it. */
async function writeSample(generator: Generator, source: TextSource, L: number, seed: number): Promise<Uint8Array> {
  const prompt = Uint8Array.from([...source.validation(0).prefix].filter((id) => id < 256)).slice(-L);
  const made: number[] = [];
  const options = { bytes: SAMPLE_BYTES, temperature: 0.8, topK: 40, seed };
  for await (const byte of generator.generate(prompt, options)) made.push(byte);
  return Uint8Array.from([...prompt, ...made]);
}

/** The fixed held-out windows in batches of B; the last one is filled up with windows of weight 0. */
function validationBatches(source: TextSource, B: number): Batch[] {
  const { prefix: L, stream: T } = source.size;
  const count = Math.min(VALIDATION_WINDOWS, source.validationCount);
  // Spread over the whole list, which goes through the held-out text in order.
  const at = Array.from({ length: count }, (_, i) => Math.floor((i * source.validationCount) / count));
  const batches: Batch[] = [];
  for (let first = 0; first < count; first += B) {
    const prefix = new Uint32Array(B * L);
    const targets = new Uint32Array(B * T);
    const weights = new Float32Array(B * T);
    for (const [b, index] of at.slice(first, first + B).entries()) {
      const window = source.validation(index);
      prefix.set(window.prefix, b * L);
      targets.set(window.stream, b * T);
      weights.set(window.weights, b * T);
    }
    batches.push({ kind: source.kind, size: source.size, windows: B, prefix, targets, weights });
  }
  return batches;
}
