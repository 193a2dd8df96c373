import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readable } from './data/readable.js';
import { parseSafetensors, type Safetensors, type StoredTensor, safetensorsChunks } from './safetensorsFormat.js';

export { encodeSafetensors, parseSafetensors, safetensorsChunks } from './safetensorsFormat.js';
export type { Safetensors, StoredTensor };

/**
 * Read and check a safetensors file.
 *
 * @throws FileError when it is missing, truncated, or breaks a rule of the format: the file, the tensor and the rule are named
 */
export function readSafetensors(path: string): Safetensors {
  readable(path);
  return parseSafetensors(readFileSync(path), path);
}

/**
 * SHA-256 over the tensors as they stand in a file (header without metadata, then every byte), in hex: what a checkpoint keeps
 * in its metadata to know later that nothing in it has changed.
 */
export function tensorsDigest(tensors: ReadonlyMap<string, StoredTensor>): string {
  const hash = createHash('sha256');
  for (const chunk of safetensorsChunks(tensors)) hash.update(chunk);
  return hash.digest('hex');
}
