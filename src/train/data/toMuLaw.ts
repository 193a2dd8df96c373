import { FileError } from '../../common/errors.js';
import { loudest, muLawBytes } from './mulaw.js';
import { resample } from './resample.js';
import type { StoredSound } from './wav.js';

/** Samples of the file in memory at once. */
const STRETCH = 1 << 16;

/**
 * The model's input for a recording: its beginning, resampled, with the loudest sample at full scale, as μ-law bytes.
 * Two passes, one for the loudest sample and one for the bytes, hold a part at a time.
 *
 * @param rate samples per second   @param most maximum number of bytes
 * @returns [min(most, samples at that rate)] bytes
 * @throws FileError when the result would be longer than the recording's own bytes: a slow recording at a fast rate
 */
export function toMuLaw(sound: StoredSound, rate: number, most = Infinity): Uint8Array {
  const heard = resample(sound, rate);
  const length = Math.min(most, heard.length);
  if (length > sound.bytes) {
    throw new FileError(
      `${sound.file}: ${sound.rate} samples a second are too few to hear ${rate}: ${length} would come of ` +
        `${sound.bytes} bytes. Take a lower --rate, or a better recording`,
    );
  }
  const step = Math.max(1, Math.floor((STRETCH * rate) / sound.rate));
  function* stretches(): Generator<[number, Float32Array]> {
    for (let at = 0; at < length; at += step) yield [at, heard.read(at, Math.min(step, length - at))];
  }
  let peak = 0;
  for (const [, stretch] of stretches()) peak = Math.max(peak, loudest(stretch));
  const bytes = new Uint8Array(length);
  for (const [at, stretch] of stretches()) bytes.set(muLawBytes(stretch, peak), at);
  return bytes;
}
