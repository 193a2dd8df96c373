import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/common/errors.js';
import { decode, encode, type Frame } from '../../src/substrate/codec.js';

const byteString = fc.uint8Array({ maxLength: 300 });

describe('codec', () => {
  it('takes 0x40 apart as a head does', () => {
    // 0100 0000: the second bit differs from the first, the third from the second.
    const frame = encode(new Uint8Array([0x40, 0x40]));
    expect([...frame.bits.subarray(0, 8)]).toEqual([0, 1, 0, 0, 0, 0, 0, 0]);
    expect([...frame.delta.subarray(0, 8)]).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
    expect([...frame.delta2.subarray(8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(frame.signal.length).toBe(17);
    expect(frame.signal[16]).toBe(1);
    // First byte: (1 + 1 + 1/2 + 1/2) / 5. Second: the window takes four zeros from the first and no delta2: (1 + 1) / 9.
    expect([...frame.boundary]).toEqual([Math.fround(3 / 5), Math.fround(2 / 9)]);
  });

  it('gives back every byte string, the empty one included', () => {
    expect(decode(encode(new Uint8Array(0)))).toEqual(new Uint8Array(0));
    fc.assert(
      fc.property(byteString, (bytes) => {
        expect(decode(encode(bytes))).toEqual(bytes);
      }),
    );
  });

  it('refuses a frame with any one entry changed', () => {
    const change = fc.record({
      bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      name: fc.constantFrom('bits', 'signal', 'delta', 'delta2', 'boundary'),
      at: fc.nat(),
      by: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(change, ({ bytes, name, at, by }) => {
        const frame = encode(bytes);
        const array = frame[name as 'bits'].slice();
        array[at % array.length]! += by;
        expect(() => decode({ ...frame, [name]: array })).toThrow(InputError);
      }),
    );
  });

  it('refuses a truncated array, a missing one, and a length that does not fit', () => {
    const frame = encode(new Uint8Array([1, 2, 3]));
    for (const name of ['bits', 'signal', 'delta', 'delta2', 'boundary'] as const) {
      expect(() => decode({ ...frame, [name]: frame[name].slice(0, -1) })).toThrow(`decode: ${name} must have`);
      expect(() => decode({ ...frame, [name]: undefined } as unknown as Frame)).toThrow('got undefined');
    }
    expect(() => decode({ ...frame, length: 4 })).toThrow('must have 33 entries for 4 bytes; got Uint8Array of 25');
    expect(() => decode({ ...frame, length: 2.5 })).toThrow('decode: length must be a whole number of bytes; got 2.5');
    expect(() => decode(null as unknown as Frame)).toThrow('decode: frame must be an object; got null');
  });

  it('says what is wrong', () => {
    const frame = encode(new Uint8Array([1, 2]));
    const changed = (name: 'signal' | 'delta' | 'bits' | 'boundary', at: number, value: number) => {
      const array = frame[name].slice();
      array[at] = value;
      return () => decode({ ...frame, [name]: array });
    };
    expect(changed('signal', 16, 0)).toThrow('decode: the closing bit, signal[16], must be 1; got 0');
    expect(changed('delta', 3, 2)).toThrow('decode: delta must be 0 or 1; got 2 at index 3');
    expect(changed('bits', 0, 1)).toThrow('decode: bits[0] is 1, but delta gives 0; the frame was changed');
    expect(changed('delta', 8, 1)).toThrow('decode: bits[8] is 0, but delta gives 1; the frame was changed');
    expect(changed('boundary', 1, 0.5)).toThrow('decode: boundary[1] is 0.5');
    expect(() => encode('H' as unknown as Uint8Array)).toThrow(
      'encode: bytes must be a Uint8Array; got the string "H"',
    );
  });
});
