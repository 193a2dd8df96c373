import { createHash } from 'node:crypto';
import { existsSync, unlinkSync } from 'node:fs';
import { quietly, writeFileAtomic } from '../common/atomicWrite.js';
import { NumberError } from '../common/errors.js';
import { parameterSpecs } from '../model/parameters.js';
import {
  type Checkpoint,
  type CheckpointInfo,
  metadataOf,
  numbersOf,
  parseCheckpoint,
  parseInfo,
  summed,
  weightsOf,
} from './checkpointFormat.js';
import { readSafetensors, type Safetensors, type StoredTensor } from './safetensors.js';
import { safetensorsChunks } from './safetensorsFormat.js';
import type { Moments } from './trainer.js';

export type { Checkpoint, CheckpointInfo } from './checkpointFormat.js';

/** The optimiser's file of a checkpoint: `step-000100.safetensors` → `step-000100.optimiser.safetensors`. */
export function optimiserPath(path: string): string {
  return path.replace(/\.safetensors$/, '.optimiser.safetensors');
}

/**
 * Write a checkpoint: the weights as a PyTorch state_dict, and the optimiser's moments in a second file. The moments
 * are written first, so that weights always have their moments. Each file is replaced whole or not at all.
 *
 * @throws NumberError when a number is not finite: such a checkpoint would only displace a good one
 * @throws FileError when a file could not be written
 */
export function writeCheckpoint(path: string, checkpoint: Checkpoint, { m, v }: Moments): void {
  const { parameters, ...info } = checkpoint;
  for (const [kind, values] of Object.entries({ parameter: parameters, m, v })) {
    for (const [name, data] of values) {
      const at = data.findIndex((value) => !Number.isFinite(value));
      if (at < 0) continue;
      const what = kind === 'parameter' ? name : `moment ${kind} of ${name}`;
      const message = `${path}: was not written, since ${what} is ${data[at]} at ${at}; adamW changed it last`;
      throw new NumberError(message, { step: info.step, op: 'adamW', scope: 'optimiser' });
    }
  }
  const stored = new Map<string, StoredTensor>();
  for (const [kind, values] of Object.entries({ m, v })) {
    for (const { name, shape } of parameterSpecs(info.config)) {
      stored.set(`${kind}.${name}`, { dtype: 'F32', shape: [...shape], data: values.get(name)! });
    }
  }
  write(optimiserPath(path), stored, info);
  try {
    write(path, weightsOf(checkpoint, 'F32'), info);
  } catch (error) {
    // Moments without weights are useless, and a full disk needs the space. Weights of an earlier save keep their
    // moments.
    if (!existsSync(path)) quietly(() => unlinkSync(optimiserPath(path)));
    throw error;
  }
}

/**
 * Write only the weights, each as float16: half the size, for use and not for resuming. It reads as any checkpoint
 * does.
 *
 * @throws InputError when a weight is beyond the range of float16; FileError when the file could not be written
 */
export function writeHalfWeights(path: string, checkpoint: Checkpoint): void {
  write(path, weightsOf(checkpoint, 'F16'), checkpoint);
}

function write(path: string, tensors: Map<string, StoredTensor>, info: CheckpointInfo): void {
  writeFileAtomic(path, checkpointChunks(tensors, info));
}

/** The chunks of a checkpoint's file, as `safetensorsChunks`, its checksum included. */
export function checkpointChunks(tensors: Map<string, StoredTensor>, info: CheckpointInfo): Uint8Array[] {
  const metadata = metadataOf(info);
  const checksum = checkpointDigest({ tensors, metadata: { ...metadata, checksum: '' } });
  return safetensorsChunks(tensors, { ...metadata, checksum });
}

/** SHA-256 over the content that a checkpoint's checksum covers, in hex. */
export function checkpointDigest(stored: Safetensors): string {
  const { tensors, metadata } = summed(stored);
  const hash = createHash('sha256');
  for (const chunk of safetensorsChunks(tensors, metadata)) hash.update(chunk);
  return hash.digest('hex');
}

/**
 * Read and check a checkpoint.
 *
 * @throws FileError when it is missing, truncated, changed, not a checkpoint of this program, or lacks a parameter
 */
export function readCheckpoint(path: string): Checkpoint {
  const file = readSafetensors(path);
  return parseCheckpoint(path, file, checkpointDigest(file));
}

/** Read the moments of a checkpoint. @throws FileError as `readCheckpoint`, or when they are of another step */
export function readMoments(path: string): Moments & CheckpointInfo {
  const momentsPath = optimiserPath(path);
  const file = readSafetensors(momentsPath);
  const info = parseInfo(momentsPath, file, checkpointDigest(file));
  const moments = numbersOf(momentsPath, file, info.config, ['m.', 'v.']);
  return { ...info, m: moments.get('m.')!, v: moments.get('v.')! };
}
