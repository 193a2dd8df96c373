/*
 * G.711 μ-law: a sample in 14 bits (here scaled from 16) becomes a sign, a 3-bit exponent and a 4-bit mantissa, all inverted, so
 * that silence is 0xFF. Steps grow with loudness, as hearing does.
 */

/** The byte of silence: +0. */
export const SILENCE = 0xff;

/** Added before the exponent is taken, so that every exponent has a leading one. */
const bias = 132;
const fullScale = 32635; // 32767 - bias

/** One 16-bit sample to its byte. muLawEncode(0) // 0xFF, muLawEncode(32767) // 0x80 */
export function muLawEncode(sample: number): number {
  // 132 .. 32767: leading one at bit 7 .. 14
  const magnitude = Math.min(fullScale, Math.round(Math.abs(sample))) + bias;
  const exponent = 24 - Math.clz32(magnitude); // 0 .. 7
  const mantissa = (magnitude >> (exponent + 3)) & 15;
  return ~((sample < 0 ? 128 : 0) | (exponent << 4) | mantissa) & 255;
}

/** One byte to the 16-bit sample in the middle of its step. muLawDecode(0xFF) // 0 */
export function muLawDecode(byte: number): number {
  const bits = ~byte & 255;
  const exponent = (bits >> 4) & 7;
  const magnitude = (((bits & 15) << 3) + bias) * 2 ** exponent - bias;
  return bits & 128 ? -magnitude : magnitude;
}

/** The largest magnitude. `loudest(Float32Array.of(0.1, -0.5)) // 0.5` */
export function loudest(samples: Float32Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak;
}

/**
 * Samples in any scale to μ-law bytes, the loudest at full scale. Silence stays silence.
 *
 * @param samples [n]   @param peak magnitude at full scale, if louder samples are elsewhere   @returns [n] bytes
 */
export function muLawBytes(samples: Float32Array, peak = loudest(samples)): Uint8Array {
  const scale = peak > 0 ? fullScale / peak : 0;
  const bytes = new Uint8Array(samples.length);
  for (let n = 0; n < bytes.length; n++) bytes[n] = muLawEncode(samples[n]! * scale);
  return bytes;
}
