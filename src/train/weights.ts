import { FileError, InputError } from '../common/errors.js';
import { isRecord } from '../common/json.js';
import { checkConfig, type DecoderConfig } from '../model/config.js';
import { CHANNELS_WITH_BITS } from '../substrate/channels.js';
import { checkpointDigest } from './checkpoint.js';
import { type Checkpoint, configSchema, FORMAT, numbersOf, parseCheckpoint } from './checkpointFormat.js';
import { checked, issuesOf, whole } from './issues.js';
import { readSafetensors, type Safetensors } from './safetensors.js';

/** A decoder's weights from any safetensors file, and the size of its training windows. */
export type Weights = Omit<Checkpoint, 'step' | 'seed'> & { readonly step?: number };

/** Window size for weights without that information: that of `train`. */
const WINDOW = { prefix: 128, stream: 128 };

/** Maximum bytes of a window's prefix or stream. */
const MOST = 1 << 24;

/** Configuration of weights that carry none: everything that their names and shapes do not show. */
const givenSchema = configSchema
  .partial()
  .extend({ prefix: whole(0, MOST).exactOptional(), stream: whole(1, MOST).exactOptional() });

/**
 * Read weights: a checkpoint of ours, or a PyTorch state_dict of the same names in a safetensors file, in float32 or a
 * convertible dtype (F16, BF16, F64; reading the first two takes three times the file). A state_dict shows its `dim`,
 * `layers` and (if the door has parameters) its `door`; the rest comes from `given`: at least `heads`, and `K`, which
 * only a projected door shows.
 *
 * @param given a run's config.json, or an object such as { "door": "zero", "heads": 4, "K": 4 }, and optionally
 *     `prefix` and `stream`; undefined when nothing is given
 * @throws FileError as `readCheckpoint`
 * @throws InputError when the configuration lacks something, is not needed, or does not fit
 */
export function readWeights(path: string, given: unknown): Weights {
  const file = readSafetensors(path);
  if (file.metadata.format === FORMAT) {
    if (given !== undefined) throw new InputError(`${path}: carries its own configuration; leave out --config`);
    return parseCheckpoint(path, file, checkpointDigest(file));
  }
  const run = isRecord(given) && isRecord(given.decoder) ? given : undefined;
  const { prefix, stream } = isRecord(run?.options) ? run.options : {};
  const result = checked(
    givenSchema,
    run
      ? { ...(run.decoder as object), ...(prefix !== undefined && { prefix }), ...(stream !== undefined && { stream }) }
      : (given ?? {}),
  );
  if (!result.success) throw new InputError(issuesOf(result.error, '--config'));
  const { prefix: L = WINDOW.prefix, stream: T = WINDOW.stream, ...said } = result.data;
  const seen = seenIn(file.tensors);
  if (seen === undefined) {
    throw new FileError(
      `${path}: is not a checkpoint of byte-to-loss, nor weights of the same names: it has no norm.weight and ` +
        'blocks.0.norm1.weight. Give a file that `byte-to-loss train` wrote',
    );
  }
  const config = { ...seen, ...said };
  const missing = (['door', 'heads', 'K'] as const).filter((name) => config[name] === undefined);
  if (missing.length > 0) {
    const example = JSON.stringify({ ...(seen.door ? {} : { door: 'zero' }), heads: 4, ...(seen.K ? {} : { K: 4 }) });
    throw new InputError(
      `${path}: carries no configuration, and ${missing.join(', ')} cannot be seen in its weights (dim ${seen.dim}, ` +
        `${seen.layers} layers can); give --config FILE with the run's config.json, or with what they are, as ${example}`,
    );
  }
  const complete = config as DecoderConfig;
  checkConfig(complete);
  return { config: complete, prefix: L, stream: T, parameters: numbersOf(path, file, complete, ['']).get('')! };
}

/** The configuration that names and shapes show; undefined when they are not a decoder's. */
function seenIn(tensors: Safetensors['tensors']): Partial<DecoderConfig> | undefined {
  const dim = tensors.get('norm.weight')?.shape[0];
  let layers = 0;
  while (tensors.has(`blocks.${layers}.norm1.weight`)) layers++;
  if (dim === undefined || layers === 0) return undefined;
  if (tensors.has('door.embedding.weight')) return { dim, layers, door: 'bytes' };
  if (tensors.has('door.values.weight')) return { dim, layers, door: 'learned' };
  if (tensors.has('door.slotPrevious.weight')) return { dim, layers, door: 'bytes+previous' };
  if (tensors.has('door.slotBytes.weight')) return { dim, layers, door: 'bytes-untied' };
  const [slots, stream] = ['slots', 'stream'].map((part) => tensors.get(`door.${part}.weight`)?.shape[1]);
  if (slots === undefined || stream === undefined) return { dim, layers };
  // The stream takes one byte's channels, a slot K times as many.
  return {
    dim,
    layers,
    door: 'projected',
    K: slots / stream,
    ...(stream === CHANNELS_WITH_BITS && { includeBits: true }),
  };
}
