import { resolve } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../common/errors.js';
import {
  checkConfig,
  type DecoderConfig,
  DOOR_KINDS,
  type DoorKind,
  SIZES,
  type SizeName,
} from '../../model/config.js';
import { countParameters, parameterSpecs } from '../../model/parameters.js';
import { type ChannelGroup, channelGroups, channelIndices } from '../../substrate/groups.js';
import { checked, issuesOf, whole } from '../issues.js';
import { VALIDATION_PARTS } from '../windows/split.js';
import { WINDOW_KINDS, type WindowKind, type WindowSize } from '../windows/window.js';

/**
 * Numbers in one tensor of activations: 2 GiB, more than adapters bind. Beyond it not even the prediction of memory is
 * tried.
 */
const MAX_NUMBERS = 2 ** 29;
/** 1 GiB of weights, and twice that in the file of their moments, which must be read in one piece to resume. */
const MAX_PARAMETERS = 2 ** 28;

const kind = z.enum(WINDOW_KINDS);
const path = z.string().min(1);

/** Groups of channels that `channels` may name. */
export const CHANNEL_GROUPS = Object.keys(channelGroups(true)) as ChannelGroup[];

/**
 * The options of a training run, in a configuration file or as flags of the same names. Everything has a default;
 * missing sizes come from `size`.
 */
export const trainSchema = z.strictObject({
  /** text or JSONL files; none means the default text */
  text: z.array(path).default([]),
  /** a manifest of recordings and captions, or a folder of spoken digits; without one, audio windows are synthetic */
  audio: path.optional(),
  /** films or manifests of films; without one, video windows are synthetic */
  video: z.array(path).default([]),
  /** synthetic windows: sounds are audio windows, scenes are video windows */
  made: z.array(z.enum(['sounds', 'scenes'])).default([]),
  /** relative frequency of each kind in training; naming a kind includes it. Default 1 for each included kind */
  share: z.partialRecord(kind, z.number().positive()).default({}),
  /** bytes of prefix and stream for one kind, if different from `prefix` and `stream` */
  window: z.partialRecord(kind, z.strictObject({ prefix: whole(0), stream: whole(1) })).default({}),
  /** audio samples per second, and frames per second of films without a rate */
  rate: whole(1, 768_000).default(4000),
  fps: whole(1, 1000).default(8),
  /** number of held-out windows of each kind to score */
  validationWindows: whole(1, 1e6).default(32),
  /** the scored part of them: an experiment tunes on the even ones and reports the odd ones */
  validationPart: z.enum(VALIDATION_PARTS).default('all'),
  /** stop at the first bad line or file instead of skipping it */
  strict: z.boolean().default(false),
  size: z.enum(Object.keys(SIZES) as [SizeName, ...SizeName[]]).default('tiny'),
  door: z.enum(DOOR_KINDS).default('zero'),
  K: whole(1).optional(),
  dim: whole(1).optional(),
  layers: whole(1).optional(),
  heads: whole(1).optional(),
  /** groups of channels that a door of channels keeps; the columns of the others are zero; default all */
  channels: z.array(z.enum(CHANNEL_GROUPS)).min(1).optional(),
  /** prepend the raw bits: 35 channels in place of 27; `bits` among `channels` implies it */
  bits: z.boolean().default(false),
  /** standard deviation of the door's matrices at the start; default that of the others, 0.02 */
  doorDeviation: z.number().positive().max(100).optional(),
  /** a constant that the door's rows are multiplied by; default 1 */
  doorScale: z.number().positive().max(1e6).optional(),
  /** bytes of prefix and stream in windows of every kind; default by kind: `WINDOW_SIZES` */
  prefix: whole(0).optional(),
  stream: whole(1).optional(),
  /** windows per batch, and batches per update */
  batch: whole(1).default(8),
  accumulate: whole(1).default(1),
  steps: whole(0).default(300),
  lr: z.number().positive().default(2e-3),
  warmup: whole(0).default(20),
  decay: z.enum(['matrices', 'all']).default('matrices'),
  /**
   * precision of matrix products in training: float32, or f16 inputs with float32 sums if the device has matrix units
   */
  precision: z.enum(['full', 'mixed']).default('full'),
  seed: whole(0, Number.MAX_SAFE_INTEGER).default(0),
  evalEvery: whole(0).default(100),
  saveEvery: whole(0).default(100),
  /** checkpoints to keep, besides the best; 0 keeps all */
  keep: whole(0).default(3),
  /** skip updates whose loss or gradient is not finite, instead of ending the run */
  skipNonfinite: z.boolean().default(false),
  /** run folder; the default is named after the time */
  out: path.optional(),
  device: z.string().optional(),
  /** threads of the CPU device; results do not depend on it */
  threads: whole(1, 1024).optional(),
});

/** The options with defaults filled in. */
export type TrainOptions = z.output<typeof trainSchema>;
/** The options as given: everything is optional. */
export type TrainInput = z.input<typeof trainSchema>;

/**
 * Check options of any origin and fill the defaults in.
 *
 * @param from names the origin in messages: a file, or the command line
 * @throws InputError with a line per error
 */
export function resolveTrainOptions(input: unknown, from: string): TrainOptions {
  const result = checked(trainSchema, input);
  if (!result.success) throw new InputError(issuesOf(result.error, from));
  const config = buildable(result.data, from);
  const parameters = countParameters(parameterSpecs(config));
  if (parameters > MAX_PARAMETERS) {
    throw new InputError(
      `${from}: a ${config.door} decoder of ${config.layers} layers of dim ${config.dim} has ${parameters} parameters; ` +
        `at most ${MAX_PARAMETERS} are trained. Take a smaller --dim or fewer --layers`,
    );
  }
  const { batch } = result.data;
  for (const size of kindsOf(result.data).map((kind) => windowSizeOf(kind, result.data))) {
    const numbers = batch * (size.prefix + size.stream) * config.dim;
    if (numbers > MAX_NUMBERS) {
      throw new InputError(
        `${from}: --batch ${batch} windows of ${size.prefix} + ${size.stream} bytes in ${config.dim} columns are ${numbers} ` +
          `numbers in one tensor; at most ${MAX_NUMBERS} fit. Take a smaller --batch, shorter windows or a smaller --dim`,
      );
    }
  }
  return result.data;
}

/** Options whose paths do not depend on the working folder. */
export function withAbsolutePaths(options: TrainOptions): TrainOptions {
  const { text, audio, video, out } = options;
  return {
    ...options,
    text: text.map((path) => resolve(path)),
    video: video.map((path) => resolve(path)),
    ...(audio !== undefined && { audio: resolve(audio) }),
    ...(out !== undefined && { out: resolve(out) }),
  };
}

/** The decoder of options, checked; an error names the origin of the options. */
function buildable(options: TrainOptions, from: string): DecoderConfig {
  try {
    const config = decoderConfigOf(options);
    checkConfig(config);
    return config;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${from}: ${error.message}`, { cause: error });
  }
}

/**
 * The kinds of window of a run: those with files, and those that `made` or `share` names; only text if there are none.
 */
export function kindsOf({ text, audio, video, made, share }: TrainOptions): WindowKind[] {
  const given = {
    text: text.length > 0,
    audio: audio !== undefined || made.includes('sounds'),
    video: video.length > 0 || made.includes('scenes'),
  };
  const kinds = WINDOW_KINDS.filter((kind) => given[kind] || share[kind] !== undefined);
  return kinds.length > 0 ? kinds : ['text'];
}

/** A few lines of text; a quarter of a second of sound at 4 kHz and its caption; two moments of a film. */
const WINDOW_SIZES: Readonly<Record<WindowKind, WindowSize>> = {
  text: { prefix: 128, stream: 128 },
  audio: { prefix: 1024, stream: 64 },
  video: { prefix: 384, stream: 384 },
};

/**
 * Bytes of prefix and stream in windows of a kind: from `window`, else from `prefix` and `stream`, else the kind's
 * default.
 */
export function windowSizeOf(kind: WindowKind, { window, prefix, stream }: TrainOptions): WindowSize {
  const own = WINDOW_SIZES[kind];
  return window[kind] ?? { prefix: prefix ?? own.prefix, stream: stream ?? own.stream };
}

/**
 * The decoder that the options describe: a named size, with single numbers replaced.
 *
 * @throws InputError for channels with a door that has none
 */
export function decoderConfigOf(options: TrainOptions): DecoderConfig {
  const size = SIZES[options.size];
  const { dim = size.dim, layers = size.layers, heads = size.heads, K = size.K } = options;
  const { door, channels, doorScale, seed } = options;
  const includeBits = options.bits || (channels?.includes('bits') ?? false);
  if (NO_CHANNELS.includes(door) && (channels || includeBits)) {
    throw new InputError(
      `channels: the ${door} door has none; leave out --channels and --bits, or choose another door`,
    );
  }
  return {
    door,
    dim,
    layers,
    heads,
    K,
    ...(includeBits && { includeBits }),
    ...(channels && { columns: channelIndices(channels, includeBits) }),
    // Each run draws a table of its own, so that seeds differ in it too.
    ...((door === 'random' || door === 'permuted') && { tableSeed: seed }),
    ...(doorScale !== undefined && doorScale !== 1 && { doorScale }),
  };
}

/** Doors without HSL's channels. */
const NO_CHANNELS: readonly DoorKind[] = ['bytes', 'bytes-untied', 'bytes+previous', 'bits', 'bits+context'];
