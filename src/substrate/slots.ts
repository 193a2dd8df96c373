/**
 * The zero door on plain arrays: K bytes per slot, their channels side by side, zeros up to the width of the model. No
 * parameter, no copy: channels are written directly to their position in the slot.
 */
import { InputError } from '../common/errors.js';
import { CHANNELS } from './channels.js';
import { checkBytes, writeChannels } from './embed.js';

/** Handling of an incomplete last slot: pad it with 0x00 bytes, or drop its bytes. */
export type Tail = 'pad' | 'drop';

/** Options for the layout of slots. */
export interface ZeroInputOptions {
  /** Bytes per slot. Default 8. */
  readonly K?: number;
  /** Width of a slot, C of the decoder; at least 27·K. Default 512. */
  readonly dim?: number;
  /** Default 'pad'. */
  readonly tail?: Tail;
}

/**
 * From raw bytes to slots in one call. Byte k of a slot owns columns 27k .. 27k+26, the rest is zero.
 *
 *     zeroInput(bytesOf300, { K: 8, dim: 256 }).shape   // [1, 38, 256]
 *
 * @param bytes [L]
 * @returns data [1, P, dim] with P = ceil(L/K), or floor(L/K) for tail 'drop'; no bytes give no slots
 * @throws InputError when K·27 > dim (it names the largest K), or an option is invalid
 */
export function zeroInput(
  bytes: Uint8Array,
  { K = 8, dim = 512, tail = 'pad' }: ZeroInputOptions = {},
): { data: Float32Array; shape: [1, number, number] } {
  checkBytes('zeroInput', bytes);
  const P = slotCount(bytes.length, K, dim, tail);
  const data = new Float32Array(P * dim);
  // 'pad' continues after the last byte with 0x00; 'drop' stops at the last whole slot.
  const run = { ids: bytes, from: 0, count: Math.min(bytes.length, P * K), padTo: P * K };
  writeChannels(run, { out: data, at: 0, perSlot: K, stride: dim });
  return { data, shape: [1, P, dim] };
}

/**
 * P for L bytes; the only function that checks a door's options.
 *
 *     slotCount(300, 8, 256, 'pad')   // 38
 *
 * @param channels number of channels per byte: 27, or 35 with raw bits
 * @throws InputError, see zeroInput
 */
export function slotCount(L: number, K: number, dim: number, tail: Tail, channels = CHANNELS): number {
  if (!Number.isInteger(K) || K < 1) throw new InputError(`zeroInput: K must be an integer, at least 1; got ${K}`);
  if (!Number.isInteger(dim) || dim < channels) {
    throw new InputError(`zeroInput: dim must be an integer, at least ${channels}; got ${dim}`);
  }
  if (K * channels > dim) {
    const largest = Math.floor(dim / channels);
    throw new InputError(
      `zeroInput: K·${channels} must be at most dim; got K ${K}, dim ${dim}. The largest K that fits is ${largest}`,
    );
  }
  if (tail !== 'pad' && tail !== 'drop') throw new InputError(`zeroInput: tail must be pad or drop; got ${tail}`);
  return tail === 'pad' ? Math.ceil(L / K) : Math.floor(L / K);
}
