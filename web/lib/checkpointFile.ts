import { type Checkpoint, metadataOf, parseCheckpoint, summed, weightsOf } from '../../src/train/checkpointFormat.js';
import { encodeSafetensors, parseSafetensors, type Safetensors } from '../../src/train/safetensorsFormat.js';

/**
 * Read and check a checkpoint in memory: one that was dropped on the page, or is part of it.
 *
 * @param name its name in errors
 * @throws FileError as `readCheckpoint`: not safetensors, truncated, changed, or not of this program
 */
export async function readCheckpointBytes(bytes: Uint8Array, name: string): Promise<Checkpoint> {
  const stored = parseSafetensors(bytes, name);
  return parseCheckpoint(name, stored, await digestOf(stored));
}

/** A checkpoint in the command line's format, without the optimiser's file: for use, not for resuming. */
export async function checkpointBytes(checkpoint: Checkpoint): Promise<Uint8Array> {
  const tensors = weightsOf(checkpoint, 'F32');
  const metadata = metadataOf(checkpoint);
  const checksum = await digestOf({ tensors, metadata: { ...metadata, checksum: '' } });
  return encodeSafetensors(tensors, { ...metadata, checksum });
}

/** SHA-256 over the content that a checkpoint's checksum covers, in hex. */
async function digestOf(stored: Safetensors): Promise<string> {
  const { tensors, metadata } = summed(stored);
  const bytes = encodeSafetensors(tensors, metadata);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
