import { InputError } from '../common/errors.js';
import type { Device } from '../device/device.js';
import { checkConfig, type DecoderConfig } from './config.js';
import { bitsOf, Evaluator } from './evaluator.js';
import { type GenerateOptions, Generator } from './generate.js';
import { initialParameters } from './parameters.js';

/** Options of a `Decoder` besides its configuration. */
export interface DecoderOptions {
  /** numbers by parameter name; default: the initial ones of training */
  readonly parameters?: ReadonlyMap<string, Float32Array>;
  /** random seed of the initial numbers. Default 0 */
  readonly seed?: number;
  /** bytes of prefix and stream in training; generation uses windows of this size */
  readonly window?: { readonly prefix: number; readonly stream: number };
}

/**
 * A decoder ready to use: it scores bytes and generates bytes. `recordForward` is the same decoder as a recorded
 * program.
 *
 *     const decoder = new Decoder(await openDevice(), { door: 'zero', dim: 128, layers: 2, heads: 4, K: 4 });
 *     await decoder.score(prefix, stream);   // bits of each stream byte
 */
export class Decoder {
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly #window: { readonly prefix: number; readonly stream: number };
  #generator: Generator | undefined;

  /** @throws InputError when the configuration cannot be built */
  constructor(
    readonly device: Device,
    readonly config: DecoderConfig,
    { parameters, seed = 0, window = { prefix: 128, stream: 128 } }: DecoderOptions = {},
  ) {
    checkConfig(config);
    this.parameters = parameters ?? initialParameters(config, seed);
    this.#window = window;
  }

  /**
   * The loss of each byte of a stream, in bits, after a prefix.
   *
   * @param prefix [L] bytes; an incomplete last slot is padded with 0x00
   * @param stream [T] bytes, at least one; a Uint32Array may hold EOS too
   * @returns [T] bits
   * @throws InputError when the stream has no byte   @throws DeviceError when memory does not suffice
   */
  async score(prefix: Uint8Array, stream: Uint8Array | Uint32Array): Promise<number[]> {
    if (stream.length === 0) throw new InputError('score: the stream has no byte; give at least one');
    const size = { B: 1, L: prefix.length, T: stream.length };
    const evaluator = await Evaluator.create(this.device, this.config, size, { parameters: this.parameters });
    try {
      const nats = await evaluator.nats({
        prefix: Uint32Array.from(prefix),
        targets: Uint32Array.from(stream),
        weights: new Float32Array(stream.length).fill(1),
      });
      return Array.from(nats, bitsOf);
    } finally {
      evaluator.free();
    }
  }

  /**
   * The bytes that follow a prompt, one by one as they are generated. A decoder generates one text at a time; leaving
   * the loop early ends the text.
   *
   * @throws InputError at the first byte, while another text is neither finished nor returned
   */
  generate(prompt: Uint8Array, options: GenerateOptions): AsyncGenerator<number> {
    this.#generator ??= new Generator(this.device, this.config, this.parameters, this.#window);
    return this.#generator.generate(prompt, options);
  }

  /** Free GPU memory. */
  free(): void {
    this.#generator?.free();
    this.#generator = undefined;
  }
}
