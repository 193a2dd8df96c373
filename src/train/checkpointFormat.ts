import { z } from 'zod';
import { FileError, InputError } from '../common/errors.js';
import { parseJson } from '../common/json.js';
import { sameShape } from '../common/shape.js';
import { checkConfig, type DecoderConfig, DOOR_KINDS, MAX_SIZES, OWN_DOOR } from '../model/config.js';
import { parameterSpecs } from '../model/parameters.js';
import { checked, issuesOf, whole } from './issues.js';
import { narrow } from './narrow.js';
import type { Safetensors, StoredTensor } from './safetensorsFormat.js';
import { widen } from './widen.js';

/** Name of the format in the metadata of a checkpoint. */
export const FORMAT = 'byte-to-loss 1';

/** A decoder's configuration in a file of any origin. */
export const configSchema = z.strictObject({
  door: z.enum([...DOOR_KINDS, OWN_DOOR]),
  dim: whole(1, MAX_SIZES.dim),
  layers: whole(1, MAX_SIZES.layers),
  heads: whole(1, MAX_SIZES.heads),
  K: whole(1, MAX_SIZES.K),
  includeBits: z.boolean().exactOptional(),
  momentumPhase: z.boolean().exactOptional(),
  doorScale: z.number().positive().max(1e6).exactOptional(),
  columns: z.array(whole(0, 34)).max(35).exactOptional(),
  tableSeed: z.number().int().min(0).exactOptional(),
});

/** The metadata of a checkpoint. */
export interface CheckpointInfo {
  readonly config: DecoderConfig;
  /** updates done; also the data position, since every batch is a function of seed and step */
  readonly step: number;
  /** seed of initial weights and batches: with `step` it is the whole random state */
  readonly seed: number;
  /** bytes of prefix and stream the decoder was trained with */
  readonly prefix: number;
  readonly stream: number;
}

/** The weights of a decoder, with the data needed to use them and to resume training. */
export interface Checkpoint extends CheckpointInfo {
  readonly parameters: Map<string, Float32Array>;
}

/**
 * The content that the checksum of a checkpoint covers, as a safetensors file: everything but the checksum. Older files
 * have a checksum `sha256` over their tensors alone.
 */
export function summed({ tensors, metadata }: Safetensors): Safetensors {
  const { checksum, ...rest } = metadata;
  return { tensors, metadata: checksum === undefined ? {} : rest };
}

/** The metadata of a checkpoint's file, checksum aside. */
export function metadataOf({ config, step, seed, prefix, stream }: CheckpointInfo): Record<string, string> {
  const numbers = Object.entries({ step, seed, prefix, stream }).map(([name, value]) => [name, String(value)]);
  return { format: FORMAT, config: JSON.stringify(config), ...Object.fromEntries(numbers) };
}

/** The weights of a checkpoint as the tensors of its file: a PyTorch state_dict. @throws InputError as `narrow` */
export function weightsOf({ config, parameters }: Checkpoint, dtype: 'F32' | 'F16'): Map<string, StoredTensor> {
  return new Map(
    parameterSpecs(config).map(({ name, shape }) => {
      const data = parameters.get(name)!;
      return [name, { dtype, shape: [...shape], data: dtype === 'F16' ? narrow(data) : data }];
    }),
  );
}

/**
 * The checkpoint in a safetensors file in memory.
 *
 * @param file its name in errors   @param digest SHA-256 in hex of the file that `summed` returns
 * @throws FileError when anything in it changed, it is no checkpoint of this program, or it lacks a parameter
 */
export function parseCheckpoint(file: string, stored: Safetensors, digest: string): Checkpoint {
  const info = parseInfo(file, stored, digest);
  return { ...info, parameters: numbersOf(file, stored, info.config, ['']).get('')! };
}

/** The metadata of a checkpoint or its optimiser's file. @throws FileError as `parseCheckpoint` */
export function parseInfo(path: string, { metadata }: Safetensors, digest: string): CheckpointInfo {
  if (metadata.format !== FORMAT) {
    throw new FileError(
      `${path}: is not a checkpoint of byte-to-loss: its metadata has no format '${FORMAT}'. ` +
        'Give a file that `byte-to-loss train` wrote, under checkpoints/ in its run folder',
    );
  }
  if ((metadata.checksum ?? metadata.sha256) !== digest) {
    throw new FileError(`${path}: has changed since it was written (checksum); take an older checkpoint`);
  }
  const number = (name: string) => {
    const value = Number(metadata[name]);
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new FileError(`${path}: metadata ${name} must be a whole number; got ${metadata[name]}`);
    }
    return value;
  };
  const config = configOf(path, metadata.config ?? '');
  return { config, step: number('step'), seed: number('seed'), prefix: number('prefix'), stream: number('stream') };
}

function configOf(path: string, json: string): DecoderConfig {
  try {
    const result = checked(configSchema, parseJson(json, { depth: 2, items: 35 }));
    if (!result.success) throw new InputError(issuesOf(result.error, ''));
    checkConfig(result.data);
    return result.data;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new FileError(`${path}: metadata config cannot be used: ${error.message}`);
  }
}

/**
 * Every parameter under each of the given name prefixes, and nothing else: the file's tensors must fit the
 * configuration.
 *
 * @returns float32 numbers; narrower or wider stored numbers are converted by `widen`
 * @throws FileError naming a tensor that is missing, foreign, of another shape or dtype, or not finite
 */
export function numbersOf(
  path: string,
  { tensors }: Pick<Safetensors, 'tensors'>,
  config: DecoderConfig,
  prefixes: readonly string[],
): Map<string, Map<string, Float32Array>> {
  if (config.layers > tensors.size) {
    throw new FileError(`${path}: its configuration has ${config.layers} layers, but it holds ${tensors.size} tensors`);
  }
  const specs = parameterSpecs(config);
  const expected = new Set(prefixes.flatMap((prefix) => specs.map(({ name }) => prefix + name)));
  const foreign = [...tensors.keys()].find((name) => !expected.has(name));
  if (foreign !== undefined) {
    throw new FileError(
      `${path}: holds ${foreign.slice(0, 80)}, which a ${config.door} decoder of this configuration does not have`,
    );
  }
  const read = (prefix: string) =>
    specs.map(({ name, shape }): [string, Float32Array] => {
      const tensor = tensors.get(prefix + name);
      const wanted = `${prefix}${name} [${shape.join(', ')}] F32`;
      if (tensor === undefined) throw new FileError(`${path}: lacks ${wanted}`);
      const data = widen(tensor);
      if (data === undefined || !sameShape(tensor.shape, shape)) {
        const got = `[${tensor.shape.join(', ')}] ${tensor.dtype}`;
        throw new FileError(`${path}: needs ${wanted} for its configuration; it holds ${got}`);
      }
      const at = data.findIndex((value) => !Number.isFinite(value));
      if (at >= 0) throw new FileError(`${path}: ${prefix}${name} is ${data[at]} at ${at}; take another file`);
      return [name, data];
    });
  return new Map(prefixes.map((prefix) => [prefix, new Map(read(prefix))]));
}
