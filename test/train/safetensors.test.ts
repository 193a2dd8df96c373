import { constants } from 'node:buffer';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FileError, InputError } from '../../src/common/errors.js';
import { encodeSafetensors, parseSafetensors, readSafetensors } from '../../src/train/safetensors.js';

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file with this header and this many bytes of data. */
function file(header: string | object, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const one = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };

describe('safetensors', () => {
  it('writes the bytes of the published format', () => {
    const bytes = encodeSafetensors(
      { a: { dtype: 'F32', shape: [2, 1], data: Float32Array.of(1, -2) } },
      { step: '7' },
    );
    // {"__metadata__":{"step":"7"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}} is 84 bytes, padded to 88.
    const header = '{"__metadata__":{"step":"7"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}    ';
    expect([...bytes.subarray(0, 8)]).toEqual([88, 0, 0, 0, 0, 0, 0, 0]);
    expect(new TextDecoder().decode(bytes.subarray(8, 96))).toBe(header);
    expect([...bytes.subarray(96)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]); // 1 = 0x3f800000, -2 = 0xc0000000
  });

  it('sorts by width, then name, from any order', () => {
    const a = { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) } as const;
    const b = { dtype: 'F64', shape: [], data: Float64Array.of(4) } as const;
    const c = { dtype: 'F32', shape: [0, 5], data: new Float32Array(0) } as const;
    const bytes = encodeSafetensors(new Map([...Object.entries({ a, b, c })]), { y: '2', x: '1' });
    expect(encodeSafetensors({ c, b, a }, { x: '1', y: '2' })).toEqual(bytes);
    const { tensors, metadata } = parseSafetensors(bytes, 'memory');
    expect([...tensors.keys()]).toEqual(['b', 'c', 'a']);
    expect(tensors.get('b')).toEqual(b);
    expect(tensors.get('c')).toEqual(c);
    expect(tensors.get('a')).toEqual(a);
    expect({ ...metadata }).toEqual({ x: '1', y: '2' });
  });

  it('reads files that another implementation wrote', () => {
    const golden = join(import.meta.dirname, '../golden');
    const files = readdirSync(golden).filter((name) => name.startsWith('decoder-'));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files) {
      const { tensors, metadata } = readSafetensors(join(golden, name));
      expect(metadata.dim).toBe('56');
      expect(tensors.get('param.head.weight')?.shape).toEqual([258, 56]);
      const again = parseSafetensors(encodeSafetensors(tensors, metadata), name);
      expect(again.tensors).toEqual(tensors);
    }
  });

  it('reads tensors that are not aligned, inside a larger buffer', () => {
    const made = file({ a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] }, b: { ...one, data_offsets: [1, 9] } }, 9);
    made.set([9, ...new Uint8Array(Float32Array.of(0.5, 3).buffer)], made.length - 9);
    const within = new Uint8Array(made.length + 3);
    within.set(made, 3);
    const path = join(folder, 'unaligned.safetensors');
    writeFileSync(path, made);
    // From the disk the bytes are a Buffer, whose slice is no copy.
    for (const { tensors } of [parseSafetensors(within.subarray(3), 'memory'), readSafetensors(path)]) {
      expect([...tensors.get('a')!.data]).toEqual([9]);
      expect([...tensors.get('b')!.data]).toEqual([0.5, 3]);
    }
  });

  it.each<[string, Uint8Array, string]>([
    ['too short', new Uint8Array(7), '7 bytes are too few'],
    ['text', new TextEncoder().encode('hello, I am text'), 'not a safetensors file: its header would be'],
    ['a cut header', file({ a: one }, 8).subarray(0, 30), 'truncated: the header is 54 bytes and only 22 follow'],
    ['a cut tensor', file({ a: one }, 7), 'truncated: the tensors need 8 bytes and 7 are there'],
    ['bytes after', file({ a: one }, 9), '1 bytes after the last tensor belong to no tensor'],
    ['not an object', file('[1]', 0), 'does not start with "{"'],
    ['an empty header', file('', 8), 'does not start with "{"'],
    ['not JSON', file('{"a":', 0), 'the header is refused: not JSON'],
    ['not UTF-8', file('{"\u0000"}', 0).fill(0xff, 10, 11), 'the header is not UTF-8'],
    ['deep', file(`{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, 0), 'the header is refused: nested deeper than 3'],
    ['a long shape', file(`{"a":{"shape":[${'1,'.repeat(16)}1]}}`, 0), 'an array has more than 16 entries'],
    ['a name twice', file('{"a":{},"\\u0061":{}}', 0), 'the header is refused: key "a" appears twice'],
    ['a field twice', file('{"a":{"dtype":"F32","dtype":"U8"}}', 0), 'key "dtype" appears twice'],
    ['metadata', file({ __metadata__: { step: 1 } }, 0), '__metadata__ "step" must be text'],
    ['metadata list', file({ __metadata__: [] }, 0), '__metadata__ must map names to text'],
    ['no entry', file({ a: 3 }, 0), 'tensor "a": its header entry must be an object'],
    ['a strange field', file({ a: { ...one, eval: 1 } }, 8), 'tensor "a": unknown field "eval"'],
    ['a dtype', file({ a: { ...one, dtype: 'F31' } }, 8), 'tensor "a": unknown dtype "F31"'],
    ['an inherited dtype', file({ a: { ...one, dtype: 'toString' } }, 8), 'tensor "a": unknown dtype "toString"'],
    ['a negative size', file({ a: { ...one, shape: [-2] } }, 8), 'tensor "a": shape must be a list of whole numbers'],
    ['a fraction', file({ a: { ...one, shape: [1.5] } }, 8), 'tensor "a": shape must be a list of whole numbers'],
    ['no offsets', file({ a: { dtype: 'F32', shape: [2] } }, 8), 'tensor "a": data_offsets must be two whole numbers'],
    ['huge', file({ a: { ...one, shape: [1e9, 1e9] } }, 8), 'tensor "a": shape [1000000000, 1000000000] is too large'],
    ['size', file({ a: { ...one, shape: [3] } }, 8), 'tensor "a": data_offsets [0, 8] hold 8 bytes; F32 [3] needs 12'],
    ['backwards', file({ a: { ...one, data_offsets: [8, 0] } }, 8), 'tensor "a": data_offsets [8, 0] hold -8 bytes'],
    ['an overlap', file({ a: one, b: { ...one, data_offsets: [4, 12] } }, 12), 'tensor "b": bytes 4..12 overlap'],
    [
      'a hole',
      file({ a: one, b: { ...one, data_offsets: [9, 17] } }, 17),
      'tensor "b": bytes 8..9 before it belong to no',
    ],
    [
      'out of range',
      file({ a: { ...one, shape: [2 ** 40], data_offsets: [0, 2 ** 42] } }, 8),
      'truncated: the tensors need',
    ],
  ])('refuses %s', (_, bytes, message) => {
    const path = join(folder, 'bad.safetensors');
    writeFileSync(path, bytes);
    const read = () => readSafetensors(path);
    expect(read).toThrow(FileError);
    expect(read).toThrow(`${path}: `);
    expect(read).toThrow(message);
  });

  it('refuses a file that no memory could hold', () => {
    const path = join(folder, 'huge.safetensors');
    writeFileSync(path, '');
    truncateSync(path, constants.MAX_LENGTH + 1); // a hole: it takes no disk
    expect(() => readSafetensors(path)).toThrow(FileError);
    expect(() => readSafetensors(path)).toThrow(/huge.safetensors: has \d+ bytes; at most/);
  });

  it('names a missing file and a folder', () => {
    expect(() => readSafetensors(join(folder, 'nothing'))).toThrow('nothing: there is no such file');
    expect(() => readSafetensors(folder)).toThrow('is a folder; a file is needed');
  });

  it('refuses to write what does not fit', () => {
    const data = new Float32Array(3);
    expect(() => encodeSafetensors({ a: { dtype: 'F32', shape: [2], data } })).toThrow(
      'a has 3 elements; its shape [2]',
    );
    expect(() => encodeSafetensors({ a: { dtype: 'U32', shape: [3], data } })).toThrow(
      'a is U32, but its data is a Float32Array',
    );
    expect(() => encodeSafetensors({ __metadata__: { dtype: 'F32', shape: [3], data } })).toThrow(InputError);
  });

  it('raises only typed errors for mutated files', () => {
    const whole = encodeSafetensors(
      {
        a: { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) },
        b: { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
      },
      { k: 'v' },
    );
    let refused = 0;
    const mutation = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(mutation, fc.nat(whole.length), (changes, length) => {
        const bytes = whole.slice(0, length < 20 ? whole.length - length : whole.length);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          parseSafetensors(bytes, 'mutated');
        } catch (error) {
          refused++;
          if (!(error instanceof FileError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it('gives back what it was given', () => {
    const tensor = fc
      .array(fc.float({ noNaN: true }), { maxLength: 9 })
      .map((v) => ({ dtype: 'F32', shape: [v.length], data: Float32Array.from(v) }) as const);
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().filter((s) => s !== '__metadata__'),
          tensor,
        ),
        (given) => {
          const { tensors } = parseSafetensors(encodeSafetensors(given), 'memory');
          expect(Object.fromEntries(tensors)).toEqual({ ...given });
        },
      ),
      { numRuns: 200 },
    );
  });
});
