import { type Checkpoint, parseCheckpoint, summed } from '../../src/train/checkpointFormat.js';
import { encodeSafetensors, parseSafetensors } from '../../src/train/safetensorsFormat.js';

/**
 * Read and check a checkpoint that was dropped on the page.
 *
 * @throws FileError as `readCheckpoint` does: not safetensors, cut short, changed, or not of this program
 */
export async function readCheckpointFile(file: File): Promise<Checkpoint> {
  const stored = parseSafetensors(new Uint8Array(await file.arrayBuffer()), file.name);
  const { tensors, metadata } = summed(stored);
  const bytes = encodeSafetensors(tensors, metadata);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return parseCheckpoint(file.name, stored, hex);
}
