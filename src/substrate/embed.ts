/**
 * Bytes to channels, the fast implementation: one pass over the byte string, every column looked up or counted, nothing
 * allocated per byte.
 *
 * `codec.ts` computes the same channels from their definitions, bit by bit; the shader hslFeatures computes them in
 * parallel. All agree to the bit.
 */
import { InputError } from '../common/errors.js';
import {
  bitOf,
  channelCount,
  EOS,
  gray,
  headOnes,
  momentum,
  tailOnes,
  VALUE_CHANNELS,
  VOCABULARY,
} from './channels.js';
import { contextTable, FIRST_BYTE, scaledCosine, valueTable } from './table.js';

/** Options shared by all functions that compute channels. */
export interface EmbedOptions {
  /** Prepend the raw bits: 35 columns in place of 27. Default false. */
  readonly includeBits?: boolean;
  /** Scale the two phase columns by r = 1/2 + |v - v_prev|/512. Default false. */
  readonly momentumPhase?: boolean;
  /** Another 256 × 18 value table in place of HSL's, see controls.ts. Context columns and raw bits are unchanged. */
  readonly table?: Float32Array;
}

/** Options of the functions that return rows, `embed` and `embedIds`. */
export interface OutOptions extends EmbedOptions {
  /**
   * Write the features to the start of this array in place of a new one, and return a view of it. Worthwhile for
   * megabytes: allocating new memory takes longer than computing the channels.
   */
  readonly out?: Float32Array;
}

/** The channels of one byte string. */
export interface Embedding {
  /** [length, channels], row-major. */
  readonly features: Float32Array;
  readonly length: number;
  /** 27, or 35 with raw bits. */
  readonly channels: number;
  /** [length], the angle 2πv/256 of each byte in radians, the float32 nearest to it. 0 without a byte. */
  readonly phase: Float32Array;
}

/** Ids as integers: 0..255 are bytes, 256 is MASK, 257 is EOS. */
export type Ids = Uint8Array | Uint16Array | Uint32Array | Int32Array | readonly number[];

const VALUES = valueTable();
const CONTEXT = contextTable();
/** BITS[v*8 + i] = bit i of v. */
const BITS = Float32Array.from({ length: 256 * 8 }, (_, at) => bitOf(at >> 3, at & 7));
const GRAY = Uint8Array.from({ length: 256 }, (_, v) => gray(v));
const HEAD = Uint8Array.from({ length: 256 }, (_, v) => headOnes(v));
const TAIL = Uint8Array.from({ length: 256 }, (_, v) => tailOnes(v));
const ANGLES = Float32Array.from({ length: 256 }, (_, v) => (v * Math.PI) / 128);

/** One run of ids: `ids[from .. from + count)`, then 0x00 bytes up to `padTo` rows (default: none). */
export interface Run {
  readonly ids: Ids;
  readonly from: number;
  readonly count: number;
  readonly padTo?: number;
}

/** The positions of rows: row t at `out[at + floor(t / perSlot)·stride + (t mod perSlot)·channels]`. */
export interface Place {
  readonly out: Float32Array;
  readonly at: number;
  readonly perSlot: number;
  readonly stride: number;
}

/**
 * Write the channels of one run of ids, which starts at the anchor. Gaps between the rows are not written.
 *
 * The row of an id above 255 is zero, and the byte after it starts a new run. The caller must check ids and bounds.
 */
export function writeChannels(run: Run, place: Place, options: EmbedOptions = {}): void {
  const { ids, from, count, padTo = count } = run;
  const { out, at, perSlot, stride } = place;
  const { includeBits = false, momentumPhase = false, table = VALUES } = options;
  const exactPhase = table === VALUES;
  const channels = channelCount(includeBits);
  // The anchor: a run starts after a virtual 0x00, and its first boundary window has no earlier bits.
  let previous = 0;
  let dxorBefore = 0;
  // offset of the numerator in CONTEXT: the five-bit part, or the previous byte's share of nine bits
  let base = FIRST_BYTE;
  let slot = at;
  let row = at;
  let left = perSlot; // remaining rows of this slot
  for (let t = 0; t < padTo; t++) {
    const v = t < count ? ids[from + t]! : 0;
    if (v > 255) {
      out.fill(0, row, row + channels);
      previous = 0;
      dxorBefore = 0;
      base = FIRST_BYTE;
    } else {
      const dxor = GRAY[v]!;
      const d2xor = dxor ^ dxorBefore;
      const head = 2 * HEAD[dxor]! + HEAD[d2xor]!;
      let to = row;
      if (includeBits) {
        copyEight(out, to, BITS, 8 * v);
        to += 8;
      }
      const value = v * VALUE_CHANNELS;
      copyEight(out, to, table, value); // dxor
      copyEight(out, to + 8, BITS, 8 * d2xor);
      out[to + 16] = CONTEXT[base + head]!;
      copyEight(out, to + 17, table, value + 8); // Fourier
      if (!momentumPhase) {
        out[to + 25] = table[value + 16]!;
        out[to + 26] = table[value + 17]!;
      } else {
        const m = momentum(v, previous);
        // HSL's phase is scaled before its one rounding; a control's float32 entry times m is exact in float64, so it
        // is also rounded once.
        out[to + 25] = exactPhase ? scaledCosine(v, m) : (table[value + 16]! * m) / 512;
        out[to + 26] = exactPhase ? scaledCosine(v - 64, m) : (table[value + 17]! * m) / 512;
      }
      base = 2 * TAIL[dxor]! + TAIL[d2xor]!;
      dxorBefore = dxor;
      previous = v;
    }
    row += channels;
    if (--left === 0) {
      left = perSlot;
      slot += stride;
      row = slot;
    }
  }
}

/** Copy eight floats, unrolled: twice as fast as a loop, and three copies are nearly a whole row. */
function copyEight(out: Float32Array, to: number, from: Float32Array, at: number): void {
  out[to] = from[at]!;
  out[to + 1] = from[at + 1]!;
  out[to + 2] = from[at + 2]!;
  out[to + 3] = from[at + 3]!;
  out[to + 4] = from[at + 4]!;
  out[to + 5] = from[at + 5]!;
  out[to + 6] = from[at + 6]!;
  out[to + 7] = from[at + 7]!;
}

/**
 * The channels of a byte string, one row per byte. Invertible: `decode` needs only the dxor columns.
 *
 * An empty byte string gives zero rows; the published package pads it to one.
 *
 *     embed(new Uint8Array([72])).features.length   // 27
 *
 * @param bytes [length]
 * @returns features [length, 27 or 35], phase [length] in radians
 * @throws InputError when `bytes` is not a Uint8Array, a table is not 256 × 18, or `out` is too short
 */
export function embed(bytes: Uint8Array, options: OutOptions = {}): Embedding {
  checkBytes('embed', bytes);
  return embedRun('embed', bytes, bytes.length, options);
}

/**
 * The same from ids, where MASK (256) and EOS (257) give all-zero rows and the byte after one starts a new run.
 *
 * @param ids [length], or [rows, rowLength] when `rowLength` is given: every row then starts at the anchor
 * @throws InputError for an id outside 0..257 or a fractional one, for floats, or a rowLength that does not divide the
 * ids
 */
export function embedIds(ids: Ids, options: OutOptions & { readonly rowLength?: number } = {}): Embedding {
  checkIds('embedIds', ids);
  return embedRun('embedIds', ids, options.rowLength ?? ids.length, options);
}

function embedRun(who: string, ids: Ids, rowLength: number, options: OutOptions): Embedding {
  checkTable(who, options.table);
  const length = ids.length;
  if (length > 0 && (!Number.isInteger(rowLength) || rowLength < 1 || length % rowLength !== 0)) {
    throw new InputError(`${who}: rowLength must divide the number of ids; got rowLength ${rowLength}, ${length} ids`);
  }
  const channels = channelCount(options.includeBits);
  const { out } = options;
  if (out !== undefined) checkOut(who, out, length * channels);
  const features = out === undefined ? new Float32Array(length * channels) : out.subarray(0, length * channels);
  const phase = new Float32Array(length);
  for (let from = 0; from < length; from += rowLength) {
    const place = { out: features, at: from * channels, perSlot: 1, stride: channels };
    writeChannels({ ids, from, count: rowLength }, place, options);
  }
  writePhase(ids, 0, length, phase, 0);
  return { features, length, channels, phase };
}

/** Angles of ids[from .. from + count) into `out` from `at` on; 0 for an id that is not a byte. */
export function writePhase(ids: Ids, from: number, count: number, out: Float32Array, at: number): void {
  for (let t = 0; t < count; t++) {
    const v = ids[from + t]!;
    out[at + t] = v > 255 ? 0 : ANGLES[v]!;
  }
}

/** @throws InputError when `bytes` is not a Uint8Array */
export function checkBytes(who: string, bytes: unknown): asserts bytes is Uint8Array {
  if (bytes instanceof Uint8Array) return;
  throw new InputError(
    `${who}: bytes must be a Uint8Array; got ${describe(bytes)}. new TextEncoder().encode(text) gives the bytes of a text`,
  );
}

/** @throws InputError when `ids` is not an array of integers 0..257 */
export function checkIds(who: string, ids: unknown): asserts ids is Ids {
  const integers =
    ids instanceof Uint8Array || ids instanceof Uint16Array || ids instanceof Uint32Array || ids instanceof Int32Array;
  if (!integers && !Array.isArray(ids)) {
    throw new InputError(`${who}: ids must be an integer array or an array of numbers; got ${describe(ids)}`);
  }
  for (let i = 0; i < ids.length; i++) {
    const id: unknown = ids[i];
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < VOCABULARY) continue;
    throw new InputError(`${who}: ids must be integers 0..${EOS} (256 MASK, 257 EOS); got ${String(id)} at index ${i}`);
  }
}

/** @throws InputError when `table` is given and not 256 × 18 float32 */
export function checkTable(who: string, table: unknown): void {
  if (table === undefined) return;
  const size = 256 * VALUE_CHANNELS;
  if (table instanceof Float32Array && table.length === size) return;
  throw new InputError(`${who}: table must be 256 × 18 float32, ${size} entries; got ${describe(table)}`);
}

function checkOut(who: string, out: unknown, size: number): void {
  if (out instanceof Float32Array && out.length >= size) return;
  throw new InputError(`${who}: out must be a Float32Array of at least ${size} entries; got ${describe(out)}`);
}

/** A value in a few words for an error line: `Float32Array of 5`, `string "abc"`. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 20))}`;
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    return `${value.constructor.name} of ${'length' in value ? value.length : value.byteLength}`;
  }
  return value === null || typeof value !== 'object' ? String(value) : `an object of type ${value.constructor?.name}`;
}
