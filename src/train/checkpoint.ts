import { z } from 'zod';
import { FileError, InputError, NumberError } from '../engine/errors.js';
import { sameShape } from '../engine/shape.js';
import { checkConfig, type DecoderConfig, DOOR_KINDS, LARGEST } from '../model/config.js';
import { parameterSpecs } from '../model/parameters.js';
import { writeFileAtomic } from './atomicWrite.js';
import { parseJson } from './data/json.js';
import {
  readSafetensors,
  type Safetensors,
  type StoredTensor,
  safetensorsChunks,
  tensorsDigest,
} from './safetensors.js';
import type { Moments } from './trainer.js';

const FORMAT = 'byte-to-loss 1';

const whole = (most: number) => z.number().int().min(1).max(most);

/** A decoder's configuration as it may stand in a file that anybody wrote. */
export const configSchema = z.strictObject({
  door: z.enum(DOOR_KINDS),
  dim: whole(LARGEST.dim),
  layers: whole(LARGEST.layers),
  heads: whole(LARGEST.heads),
  K: whole(LARGEST.K),
  includeBits: z.boolean().exactOptional(),
  momentumPhase: z.boolean().exactOptional(),
  columns: z.array(z.number().int().min(0).max(34)).max(35).exactOptional(),
  tableSeed: z.number().int().min(0).exactOptional(),
});

/** What a checkpoint's metadata holds beside the weights. */
export interface CheckpointInfo {
  readonly config: DecoderConfig;
  /** updates done; also the data position, since every batch is a function of seed and step */
  readonly step: number;
  /** of initial weights and batches: with `step` it is the whole random state */
  readonly seed: number;
  /** bytes of prefix and stream the decoder was trained with */
  readonly prefix: number;
  readonly stream: number;
}

export interface Checkpoint extends CheckpointInfo {
  readonly parameters: Map<string, Float32Array>;
}

/** The optimiser's file beside a checkpoint: `step-000100.safetensors` → `step-000100.optimiser.safetensors`. */
export function optimiserPath(path: string): string {
  return path.replace(/\.safetensors$/, '.optimiser.safetensors');
}

/**
 * Write a checkpoint: the weights as a PyTorch state_dict, and beside them the optimiser's moments. The moments are written
 * first, so that where there are weights there are moments too. Each file is replaced whole or not at all.
 *
 * @throws NumberError when a number is not finite: such a checkpoint would only push out a good one
 * @throws FileError when a file could not be written
 */
export function writeCheckpoint(path: string, checkpoint: Checkpoint, moments: Moments): void {
  const { parameters, ...info } = checkpoint;
  for (const [kind, values] of Object.entries({ parameter: parameters, ...moments })) {
    for (const [name, data] of values) {
      const at = data.findIndex((value) => !Number.isFinite(value));
      if (at < 0) continue;
      const what = kind === 'parameter' ? name : `moment ${kind} of ${name}`;
      throw new NumberError(`${path}: was not written, since ${what} is ${data[at]} at ${at}`, { step: info.step });
    }
  }
  const stored = new Map<string, StoredTensor>();
  for (const [kind, values] of Object.entries(moments)) {
    for (const { name, shape } of parameterSpecs(info.config)) {
      stored.set(`${kind}.${name}`, { dtype: 'F32', shape: [...shape], data: values.get(name)! });
    }
  }
  write(optimiserPath(path), stored, info);
  const weights = new Map<string, StoredTensor>();
  for (const { name, shape } of parameterSpecs(info.config)) {
    weights.set(name, { dtype: 'F32', shape: [...shape], data: parameters.get(name)! });
  }
  write(path, weights, info);
}

function write(path: string, tensors: Map<string, StoredTensor>, info: CheckpointInfo): void {
  const metadata = {
    format: FORMAT,
    sha256: tensorsDigest(tensors),
    config: JSON.stringify(info.config),
    step: String(info.step),
    seed: String(info.seed),
    prefix: String(info.prefix),
    stream: String(info.stream),
  };
  writeFileAtomic(path, safetensorsChunks(tensors, metadata));
}

/**
 * Read and check a checkpoint.
 *
 * @throws FileError when it is missing, truncated, changed, not a checkpoint of this program, or lacks a parameter
 */
export function readCheckpoint(path: string): Checkpoint {
  const file = readSafetensors(path);
  const info = readInfo(path, file);
  return { ...info, parameters: numbersOf(path, file, info.config, ['']).get('')! };
}

/** Read the moments beside a checkpoint. @throws FileError as `readCheckpoint`, or when they are of another step */
export function readMoments(path: string): Moments & CheckpointInfo {
  const beside = optimiserPath(path);
  const file = readSafetensors(beside);
  const info = readInfo(beside, file);
  const moments = numbersOf(beside, file, info.config, ['m.', 'v.']);
  return { ...info, m: moments.get('m.')!, v: moments.get('v.')! };
}

function readInfo(path: string, { metadata, tensors }: Safetensors): CheckpointInfo {
  if (metadata.format !== FORMAT) {
    throw new FileError(
      `${path}: is not a checkpoint of byte-to-loss: its metadata has no format '${FORMAT}'. ` +
        'Give a file that `byte-to-loss train` wrote, under checkpoints/ in its run folder',
    );
  }
  if (metadata.sha256 !== tensorsDigest(tensors)) {
    throw new FileError(`${path}: its numbers have changed since it was written (checksum); take an older checkpoint`);
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
    const result = configSchema.safeParse(parseJson(json, { depth: 2, items: 35 }));
    if (!result.success) throw new InputError(z.prettifyError(result.error));
    checkConfig(result.data);
    return result.data;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new FileError(`${path}: metadata config cannot be used: ${error.message}`);
  }
}

/** Every parameter under each of some prefixes of names, and nothing else: the file's tensors must fit the configuration. */
function numbersOf(
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
      `${path}: holds ${foreign}, which a ${config.door} decoder of this configuration does not have`,
    );
  }
  const read = (prefix: string) =>
    specs.map(({ name, shape }): [string, Float32Array] => {
      const tensor = tensors.get(prefix + name);
      const wanted = `${prefix}${name} [${shape.join(', ')}] F32`;
      if (tensor === undefined) throw new FileError(`${path}: lacks ${wanted}`);
      if (tensor.dtype !== 'F32' || !sameShape(tensor.shape, shape)) {
        const got = `[${tensor.shape.join(', ')}] ${tensor.dtype}`;
        throw new FileError(`${path}: needs ${wanted} for its configuration; it holds ${got}`);
      }
      return [name, tensor.data as Float32Array];
    });
  return new Map(prefixes.map((prefix) => [prefix, new Map(read(prefix))]));
}
