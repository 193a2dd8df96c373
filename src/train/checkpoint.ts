import { FileError } from '../engine/errors.js';
import { sameShape } from '../engine/shape.js';
import { checkConfig, type DecoderConfig } from '../model/config.js';
import { parameterSpecs } from '../model/parameters.js';
import { writeFileAtomic } from './atomicWrite.js';
import {
  readSafetensors,
  type Safetensors,
  type StoredTensor,
  safetensorsChunks,
  tensorsDigest,
} from './safetensors.js';
import type { Moments } from './trainer.js';

const FORMAT = 'byte-to-loss 1';

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
 */
export function writeCheckpoint(path: string, checkpoint: Checkpoint, moments: Moments): void {
  const { parameters, ...info } = checkpoint;
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
  return { ...info, parameters: numbersOf(path, file, info.config, '') };
}

/** Read the moments beside a checkpoint. @throws FileError as `readCheckpoint`, or when they are of another step */
export function readMoments(path: string): Moments & CheckpointInfo {
  const beside = optimiserPath(path);
  const file = readSafetensors(beside);
  const info = readInfo(beside, file);
  return { ...info, m: numbersOf(beside, file, info.config, 'm.'), v: numbersOf(beside, file, info.config, 'v.') };
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
  let config: DecoderConfig;
  try {
    config = JSON.parse(metadata.config ?? '') as DecoderConfig;
    checkConfig(config);
  } catch (error) {
    throw new FileError(`${path}: metadata config cannot be used: ${(error as Error).message}`);
  }
  return { config, step: number('step'), seed: number('seed'), prefix: number('prefix'), stream: number('stream') };
}

function numbersOf(
  path: string,
  { tensors }: Safetensors,
  config: DecoderConfig,
  kind: string,
): Map<string, Float32Array> {
  const specs = parameterSpecs(config);
  const expected = new Set(specs.map(({ name }) => kind + name));
  const foreign = [...tensors.keys()].find((name) => !expected.has(name));
  if (foreign !== undefined) {
    throw new FileError(
      `${path}: holds ${foreign}, which a ${config.door} decoder of this configuration does not have`,
    );
  }
  return new Map(
    specs.map(({ name, shape }) => {
      const tensor = tensors.get(kind + name);
      const wanted = `${kind}${name} [${shape.join(', ')}] F32`;
      if (tensor === undefined) throw new FileError(`${path}: lacks ${wanted}`);
      if (tensor.dtype !== 'F32' || !sameShape(tensor.shape, shape)) {
        const got = `[${tensor.shape.join(', ')}] ${tensor.dtype}`;
        throw new FileError(`${path}: needs ${wanted} for its configuration; it holds ${got}`);
      }
      return [name, tensor.data as Float32Array];
    }),
  );
}
