import { readFileSync } from 'node:fs';
import { readable } from './data/readable.js';
import { parseSafetensors, type Safetensors, type StoredTensor } from './safetensorsFormat.js';

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
