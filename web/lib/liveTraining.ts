import { InputError } from '../../src/common/errors.js';
import type { Device } from '../../src/device/device.js';
import { type DecoderConfig, SIZES } from '../../src/model/config.js';
import { bitsOf } from '../../src/model/evaluator.js';
import { Generator } from '../../src/model/generate.js';
import { initialParameters } from '../../src/model/parameters.js';
import type { Checkpoint } from '../../src/train/checkpointFormat.js';
import { learningRate } from '../../src/train/schedule.js';
import { Trainer } from '../../src/train/trainer.js';
import { rngAt } from '../../src/train/windows/draws.js';
import { assemble } from '../../src/train/windows/mix.js';
import { order0Entropy, Positions } from '../../src/train/windows/textWindow.js';
import type { WindowSize } from '../../src/train/windows/window.js';

/** The decoder that the page trains. */
export const CONFIG: DecoderConfig = { door: 'zero', ...SIZES.tiny };
/** Bytes of its windows. */
export const WINDOW: WindowSize = { prefix: 32, stream: 32 };
const BATCH = 4;

/** The settings that a visitor may choose. */
export interface Settings {
  readonly steps: number;
  readonly lr: number;
  readonly seed: number;
}

/** A tiny zero-door decoder that learns a pasted text, a step at a time: the trainer that `byte-to-loss train` uses. */
export class LiveTraining {
  /** bits per byte of byte frequencies alone */
  readonly entropy: number;
  /** bits per byte of each step's batch, before its update */
  readonly losses: number[] = [];
  readonly #generator: Generator;

  private constructor(
    readonly trainer: Trainer,
    private readonly device: Device,
    private readonly bytes: Uint8Array,
    private readonly positions: Positions,
    private readonly settings: Settings,
  ) {
    this.entropy = order0Entropy(bytes);
    this.#generator = new Generator(this.device, CONFIG, trainer.plan, WINDOW);
  }

  /** @throws InputError when the text is shorter than a window */
  static async create(device: Device, text: string, settings: Settings): Promise<LiveTraining> {
    const bytes = new TextEncoder().encode(text);
    const least = WINDOW.prefix + WINDOW.stream;
    if (bytes.length < least) {
      throw new InputError(`The text has ${bytes.length} bytes; a window takes ${least}. Paste some more.`);
    }
    const trainer = await Trainer.create(device, {
      config: CONFIG,
      batch: BATCH,
      sizes: [WINDOW],
      parameters: initialParameters(CONFIG, settings.seed),
    });
    const document = { source: 'pasted text', bytes, closed: false };
    return new LiveTraining(trainer, device, bytes, new Positions([document], WINDOW), settings);
  }

  /** One update. */
  async step(): Promise<void> {
    const { step } = this.trainer;
    const { seed, lr, steps } = this.settings;
    const windows = Array.from({ length: BATCH }, (_, i) =>
      this.positions.window(rngAt(seed, 'text', step, i).integer(this.positions.count)),
    );
    const rate = learningRate({ lr, warmup: Math.min(10, steps), steps }, step + 1);
    const { nats } = await this.trainer.update([assemble(windows)], rate);
    this.losses.push(bitsOf(nats));
  }

  /** The decoder's continuation of the text's beginning, as it is generated. */
  async *sample(bytes: number): AsyncGenerator<number> {
    const prompt = this.prompt;
    yield* this.#generator.generate(prompt, { bytes, temperature: 0.7, topK: 40, seed: this.trainer.step });
  }

  /** The present weights, as a checkpoint. */
  async checkpoint(): Promise<Checkpoint> {
    const { trainer, settings } = this;
    const parameters = await trainer.parameters();
    return { config: CONFIG, step: trainer.step, seed: settings.seed, ...WINDOW, parameters };
  }

  get prompt(): Uint8Array {
    return this.bytes.subarray(0, WINDOW.prefix);
  }

  free(): void {
    this.#generator.free();
    this.trainer.free();
  }
}
