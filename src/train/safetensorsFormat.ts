import { FileError, InputError } from '../common/errors.js';
import { isRecord, parseJson } from '../common/json.js';

/*
 * safetensors: [8 bytes: N, little-endian u64] [N bytes: JSON header] [the tensors' bytes, one after another]
 *
 *   header  { "__metadata__": { "key": "text", … }, "name": { "dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24] }, … }
 *
 * Offsets count from the end of the header, row-major, little-endian. The tensors cover the rest of the file: no hole, no
 * overlap. The header starts with "{" and may end in spaces; a key occurs once.
 * Source: https://github.com/huggingface/safetensors#format
 */

const views = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  F8_E5M2: Uint8Array,
  F8_E4M3: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  F32: Float32Array,
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
};

/** The dtypes of the format. F16, BF16 and the F8 kinds are carried as raw bits. */
export type Dtype = keyof typeof views;

/**
 * The published writer's order of dtypes: the widest is last here and written first, so that every tensor is aligned.
 */
const dtypeOrder = Object.keys(views) as Dtype[];

/** The numbers of a stored tensor. */
export type TensorData =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** One tensor: `data` holds the product of `shape` elements (one for `[]`), row-major. */
export interface StoredTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

type Fail = (what: string) => never;

/** The content of a safetensors file. */
export interface Safetensors {
  readonly tensors: Map<string, StoredTensor>;
  readonly metadata: Record<string, string>;
}

/** Limits on a file. A tensor takes some 700 bytes besides its numbers; no model of ours has nearly so many. */
export const limits = { headerBytes: 4 << 20, tensors: 16_384, axes: 16 };

/**
 * The chunks of a safetensors file: its header, then each tensor's own bytes, not copied.
 *
 * Same tensors and metadata, same bytes: tensors are sorted like those of the published writer, widest dtype first and
 * then by name; metadata is sorted by key; the header is compact JSON padded with spaces to a multiple of 8.
 *
 * @throws InputError when data does not fit its dtype or shape, or a name is `__metadata__`
 */
export function safetensorsChunks(
  tensors: ReadonlyMap<string, StoredTensor> | Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const sorted = [...(tensors instanceof Map ? tensors : Object.entries(tensors))].sort(
    (a, b) => dtypeOrder.indexOf(b[1].dtype) - dtypeOrder.indexOf(a[1].dtype) || byKey(a, b),
  ) as [string, StoredTensor][];
  const entries: string[] = [];
  if (Object.keys(metadata).length > 0) {
    entries.push(`"__metadata__":${JSON.stringify(Object.fromEntries(Object.entries(metadata).sort(byKey)))}`);
  }
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    if (name === '__metadata__') throw new InputError('safetensors: a tensor cannot be named __metadata__');
    if (!(data instanceof views[dtype]))
      throw new InputError(`safetensors: ${name} is ${dtype}, but its data is a ${data.constructor.name}`);
    if (data.length !== elements(shape)) {
      throw new InputError(
        `safetensors: ${name} has ${data.length} elements; its shape [${shape.join(', ')}] asks for ${elements(shape)}`,
      );
    }
    const end = offset + data.byteLength;
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`);
    chunks.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset = end;
  }
  const json = new TextEncoder().encode(`{${entries.join(',')}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(0x20, 8 + json.length);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, 8);
  return [header, ...chunks];
}

/** A whole safetensors file in memory: the chunks of `safetensorsChunks`, joined. */
export function encodeSafetensors(...args: Parameters<typeof safetensorsChunks>): Uint8Array {
  const chunks = safetensorsChunks(...args);
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/**
 * Read a safetensors file in memory. Aligned tensors are views of `bytes`, others are copies.
 *
 * @param file its name in errors
 * @throws FileError naming file, tensor and rule for every violation of the format; nothing is allocated beyond the
 * file's size
 */
export function parseSafetensors(bytes: Uint8Array, file: string): Safetensors {
  const fail: Fail = (what) => {
    throw new FileError(`${file}: ${what}`);
  };
  if (bytes.length < 8)
    fail(`${bytes.length} bytes are too few for a safetensors file, which opens with 8 bytes of header length`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  // Text or another format read as a length gives a number far beyond the limit, so that is the likelier reason.
  if (length > BigInt(limits.headerBytes))
    fail(`not a safetensors file: its header would be ${length} bytes (at most ${limits.headerBytes} are read)`);
  const start = 8 + Number(length);
  if (start > bytes.length) fail(`truncated: the header is ${length} bytes and only ${bytes.length - 8} follow`);
  if (bytes[8] !== 0x7b) fail('not a safetensors file: its header does not start with "{"');
  const header = parseHeader(bytes.subarray(8, start), fail);

  const metadata: Record<string, string> = Object.create(null);
  const found: { name: string; dtype: Dtype; shape: number[]; begin: number; end: number }[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isRecord(entry)) return fail('__metadata__ must map names to text');
      for (const [key, value] of Object.entries(entry)) {
        metadata[key] = typeof value === 'string' ? value : fail(`__metadata__ ${show(key)} must be text`);
      }
    } else {
      found.push({ name, ...parseEntry(entry, (what) => fail(`tensor ${show(name)}: ${what}`)) });
    }
  }
  if (found.length > limits.tensors) fail(`${found.length} tensors (at most ${limits.tensors} are read)`);

  // In file order each tensor must start where the one before it ended: that is "no overlap" and "no hole" in one rule.
  let at = 0;
  for (const { name, begin, end } of found.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < at) fail(`tensor ${show(name)}: bytes ${begin}..${end} overlap the tensor that ends at ${at}`);
    if (begin > at) fail(`tensor ${show(name)}: bytes ${at}..${begin} before it belong to no tensor`);
    at = end;
  }
  const rest = bytes.length - start;
  if (at > rest) fail(`truncated: the tensors need ${at} bytes and ${rest} are there`);
  if (at < rest) fail(`${rest - at} bytes after the last tensor belong to no tensor`);

  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of found) {
    const View = views[dtype];
    const from = bytes.byteOffset + start + begin;
    const aligned = from % View.BYTES_PER_ELEMENT === 0;
    const buffer = aligned ? bytes.buffer : new Uint8Array(bytes.subarray(start + begin, start + end)).buffer;
    tensors.set(name, { dtype, shape, data: new View(buffer as ArrayBuffer, aligned ? from : 0, elements(shape)) });
  }
  return { tensors, metadata };
}

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    // an object: it starts with "{"
    return parseJson(text, { depth: 3, items: limits.axes, values: 16 * limits.tensors }) as Record<string, unknown>;
  } catch (error) {
    return fail(`the header is ${error instanceof InputError ? `refused: ${error.message}` : 'not UTF-8'}`);
  }
}

function parseEntry(entry: unknown, fail: Fail): { dtype: Dtype; shape: number[]; begin: number; end: number } {
  if (!isRecord(entry)) return fail('its header entry must be an object');
  const unknown = Object.keys(entry).find((key) => !['dtype', 'shape', 'data_offsets'].includes(key));
  if (unknown !== undefined) fail(`unknown field ${show(unknown)}`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(views, dtype)) return fail(`unknown dtype ${show(dtype)}`);
  if (!isCounts(shape)) return fail(`shape must be a list of whole numbers, got ${show(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2)
    return fail(`data_offsets must be two whole numbers, got ${show(offsets)}`);
  const [begin, end] = offsets as [number, number];
  const needed = elements(shape) * views[dtype as Dtype].BYTES_PER_ELEMENT;
  if (!Number.isSafeInteger(needed)) fail(`shape [${shape.join(', ')}] is too large`);
  if (end - begin !== needed)
    fail(`data_offsets [${begin}, ${end}] hold ${end - begin} bytes; ${dtype} [${shape.join(', ')}] needs ${needed}`);
  return { dtype: dtype as Dtype, shape, begin, end };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** elements([2, 3]) // 6, elements([]) // 1 */
function elements(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** A value from the file, safe for an error message: JSON, control characters escaped, at most 80 characters. */
function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80);
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
