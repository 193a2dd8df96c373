/**
 * The codec: bytes to a frame of bits, differences and boundaries, and back. It follows the definitions bit by bit along the whole bit
 * sequence, so it is the version to read first, and the fast implementations are compared with it.
 */
import { InputError } from '../common/errors.js';
import { bitOf } from './channels.js';
import { checkBytes, describe } from './embed.js';

/** The frame of a byte string of L bytes. */
export interface Frame {
  /** L, in bytes. */
  readonly length: number;
  /** [8L], 0 or 1, the most significant bit of each byte first. */
  readonly bits: Uint8Array;
  /** [8L + 1], the bits and one closing 1. */
  readonly signal: Uint8Array;
  /** [8L], bit XOR the bit before it in the same byte, 0 before the first: dxor. */
  readonly delta: Uint8Array;
  /** [8L], delta XOR the delta one byte earlier, which is 0 before the first byte: d2xor. */
  readonly delta2: Uint8Array;
  /** [L], mean of delta + delta2/2 over positions 8i-4 .. 8i+4 of the sequence, clipped at its start. */
  readonly boundary: Float32Array;
}

/** Bit positions on either side of a byte's first bit in its boundary average. */
export const WINDOW_RADIUS = 4;

/**
 * Encode a byte string as a frame. Accepts every byte string; `decode` is the inverse.
 *
 *     encode(new Uint8Array([0x40])).delta   // 0 1 1 0 0 0 0 0
 *
 * @param bytes [L], may be empty
 * @throws InputError when `bytes` is not a Uint8Array
 */
export function encode(bytes: Uint8Array): Frame {
  checkBytes('encode', bytes);
  const length = bytes.length;
  const N = 8 * length;
  const bits = new Uint8Array(N);
  const delta = new Uint8Array(N);
  const delta2 = new Uint8Array(N);
  for (let n = 0; n < N; n++) {
    bits[n] = bitOf(bytes[n >> 3]!, n & 7);
    // Before every byte's first bit comes a 0, not the last bit of the byte before.
    delta[n] = bits[n]! ^ (n % 8 === 0 ? 0 : bits[n - 1]!);
    delta2[n] = delta[n]! ^ (n < 8 ? 0 : delta[n - 8]!);
  }
  const signal = new Uint8Array(N + 1);
  signal.set(bits);
  signal[N] = 1;
  const boundary = Float32Array.from({ length }, (_, i) => {
    const start = Math.max(0, 8 * i - WINDOW_RADIUS);
    const end = 8 * i + WINDOW_RADIUS + 1;
    let twice = 0; // integers until the one division
    for (let n = start; n < end; n++) twice += 2 * delta[n]! + delta2[n]!;
    return twice / (2 * (end - start));
  });
  return { length, bits, signal, delta, delta2, boundary };
}

/**
 * Decode a frame to its byte string: per byte, the running XOR of `delta` from 0. Everything else in the frame must
 * agree with the result, so any changed frame is refused.
 *
 * @returns [L] bytes
 * @throws InputError with the wrong array, the position, and the error
 */
export function decode(frame: Frame): Uint8Array {
  if (typeof frame !== 'object' || frame === null) {
    throw new InputError(`decode: frame must be an object; got ${describe(frame)}`);
  }
  const { length } = frame;
  if (!Number.isInteger(length) || length < 0) {
    throw new InputError(`decode: length must be a whole number of bytes; got ${length}`);
  }
  const N = 8 * length;
  const sizes = { signal: N + 1, bits: N, delta: N, delta2: N, boundary: length };
  for (const [name, size] of Object.entries(sizes)) {
    const array = frame[name as keyof typeof sizes];
    if (array?.length !== size) {
      throw new InputError(`decode: ${name} must have ${size} entries for ${length} bytes; got ${describe(array)}`);
    }
  }
  if (frame.signal[N] !== 1) {
    throw new InputError(`decode: the closing bit, signal[${N}], must be 1; got ${frame.signal[N]}`);
  }

  const bytes = new Uint8Array(length);
  let bit = 0;
  for (let n = 0; n < N; n++) {
    const delta = frame.delta[n]!;
    if (delta !== 0 && delta !== 1) throw new InputError(`decode: delta must be 0 or 1; got ${delta} at index ${n}`);
    bit = delta ^ (n % 8 === 0 ? 0 : bit);
    bytes[n >> 3] = (bytes[n >> 3]! << 1) | bit;
  }

  const expected = encode(bytes);
  for (const name of ['bits', 'signal', 'delta2', 'boundary'] as const) {
    const at = expected[name].findIndex((value, i) => value !== frame[name][i]);
    if (at >= 0) {
      const [right, wrong] = [expected[name][at], frame[name][at]];
      throw new InputError(`decode: ${name}[${at}] is ${wrong}, but delta gives ${right}; the frame was changed`);
    }
  }
  return bytes;
}
