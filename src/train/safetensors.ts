import { constants } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { FileError } from '../common/errors.js';
import { readable } from '../common/readable.js';
import { parseSafetensors, type Safetensors, type StoredTensor } from './safetensorsFormat.js';

export { encodeSafetensors, parseSafetensors } from './safetensorsFormat.js';
export type { Safetensors, StoredTensor };

/**
 * Read and check a safetensors file.
 *
 * @throws FileError when it is missing, truncated, or breaks a rule of the format: the file, the tensor and the rule are named
 */
export function readSafetensors(path: string): Safetensors {
  return parseSafetensors(readWhole(path), path);
}

/**
 * Maximum bytes of one read call: the system reads less than 2 GiB at once, and `readFileSync` less than that in total.
 */
const MAX_READ = 1 << 26;

/** @throws FileError when it cannot be read, or is larger than one buffer can be */
function readWhole(path: string): Uint8Array {
  const size = readable(path);
  if (size > constants.MAX_LENGTH) {
    throw new FileError(`${path}: has ${size} bytes; at most ${constants.MAX_LENGTH} can be read by this Node`);
  }
  const bytes = new Uint8Array(size);
  const file = openSync(path, 'r');
  try {
    let at = 0;
    while (at < size) {
      const count = readSync(file, bytes, at, Math.min(size - at, MAX_READ), at);
      if (count === 0) break; // it has become shorter meanwhile
      at += count;
    }
    return bytes.subarray(0, at);
  } finally {
    closeSync(file);
  }
}
