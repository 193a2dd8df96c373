/** zeroInput and pack: the same channels as embed, elsewhere. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EOS, MASK } from '../../src/substrate/channels.js';
import { embed, embedIds } from '../../src/substrate/embed.js';
import { pack } from '../../src/substrate/pack.js';
import { slotCount, type Tail, zeroInput } from '../../src/substrate/slots.js';

describe('zeroInput', () => {
  it('puts byte k of a slot in columns 27k .. 27k+26 and zeros behind', () => {
    const any = fc.record({
      bytes: fc.uint8Array({ maxLength: 60 }),
      K: fc.integer({ min: 1, max: 9 }),
      spare: fc.nat({ max: 30 }),
      tail: fc.constantFrom<Tail>('pad', 'drop'),
    });
    fc.assert(
      fc.property(any, ({ bytes, K, spare, tail }) => {
        const dim = 27 * K + spare;
        const P = tail === 'pad' ? Math.ceil(bytes.length / K) : Math.floor(bytes.length / K);
        const { data, shape } = zeroInput(bytes, { K, dim, tail });
        expect(shape).toEqual([1, P, dim]);
        // The reference: embed the bytes completed with 0x00 or cut, then move rows.
        const filled = new Uint8Array(P * K);
        filled.set(bytes.subarray(0, P * K));
        const { features } = embed(filled);
        const want = new Float32Array(P * dim);
        for (let t = 0; t < P * K; t++) {
          want.set(features.subarray(27 * t, 27 * t + 27), Math.floor(t / K) * dim + 27 * (t % K));
        }
        expect(data).toEqual(want);
      }),
    );
  });

  it('has K 8 and dim 512 when nothing is said, and 38 slots for 300 bytes', () => {
    expect(zeroInput(new Uint8Array(300)).shape).toEqual([1, 38, 512]);
    expect(zeroInput(new Uint8Array(300), { tail: 'drop' }).shape).toEqual([1, 37, 512]);
    expect(zeroInput(new Uint8Array(0))).toEqual({ data: new Float32Array(0), shape: [1, 0, 512] });
  });

  it('refuses options that do not fit, naming the largest K', () => {
    const bytes = new Uint8Array(3);
    expect(() => zeroInput(bytes, { K: 19 })).toThrow('got K 19, dim 512. The largest K that fits is 18');
    expect(() => zeroInput(bytes, { K: 0 })).toThrow('K must be an integer, at least 1; got 0');
    expect(() => zeroInput(bytes, { K: 1.5 })).toThrow('got 1.5');
    expect(() => zeroInput(bytes, { K: 1, dim: 26 })).toThrow('dim must be an integer, at least 27; got 26');
    expect(() => zeroInput(bytes, { tail: 'keep' as Tail })).toThrow('tail must be pad or drop; got keep');
    expect(() => zeroInput([1] as unknown as Uint8Array)).toThrow('zeroInput: bytes must be a Uint8Array');
    expect(slotCount(16, 8, 216, 'pad')).toBe(2);
  });
});

describe('out', () => {
  it('receives the features, independent of its old content, and is returned as a view', () => {
    const out = new Float32Array(5 * 27 + 3).fill(7);
    const ids = [72, MASK, 101, EOS, 0];
    const { features, channels } = embedIds(ids, { out });
    expect([features.buffer, features.byteOffset, channels]).toEqual([out.buffer, 0, 27]);
    expect(features).toEqual(embedIds(ids).features);
    expect([...out.subarray(5 * 27)]).toEqual([7, 7, 7]);
    expect(embed(Uint8Array.of(9), { out }).features).toEqual(embed(Uint8Array.of(9)).features);
  });

  it('is refused when it is too short, or no Float32Array', () => {
    const bytes = new Uint8Array(2);
    const short = { out: new Float32Array(53) };
    expect(() => embed(bytes, short)).toThrow(
      'embed: out must be a Float32Array of at least 54 entries; got Float32Array of 53',
    );
    expect(() => embed(bytes, { out: [] as unknown as Float32Array })).toThrow('got Array of 0');
  });
});

describe('pack', () => {
  it('starts every string at the anchor, cuts the long and fills the short with zero rows', () => {
    const lists = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 });
    const options = fc.record({ includeBits: fc.boolean(), momentumPhase: fc.boolean() });
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 12 }), options, (list, maxLength, chosen) => {
        const packed = pack(list, maxLength, chosen);
        const channels = chosen.includeBits ? 35 : 27;
        expect(packed.shape).toEqual([list.length, maxLength, channels]);
        list.forEach((bytes, n) => {
          const { features, phase, length } = embed(bytes.subarray(0, maxLength), chosen);
          const rows = (values: Float32Array, width: number) =>
            values.subarray(n * maxLength * width, (n + 1) * maxLength * width);
          const filled = (values: Float32Array, size: number) => {
            const out = new Float32Array(size);
            out.set(values);
            return out;
          };
          expect(rows(packed.features, channels)).toEqual(filled(features, maxLength * channels));
          expect(rows(packed.phase, 1)).toEqual(filled(phase, maxLength));
          const mask = packed.mask.subarray(n * maxLength, (n + 1) * maxLength);
          expect([...mask]).toEqual(Array.from({ length: maxLength }, (_, t) => Number(t < length)));
        });
      }),
    );
  });

  it('takes the longest string for maxLength, and one row when all are empty', () => {
    expect(pack([Uint8Array.of(1, 2, 3), Uint8Array.of(4)]).shape).toEqual([2, 3, 27]);
    expect(pack([new Uint8Array(0)]).shape).toEqual([1, 1, 27]);
    expect(pack([]).shape).toEqual([0, 1, 27]);
  });

  it('tells a real 0x00 from padding', () => {
    const { features, mask } = pack([Uint8Array.of(0)], 2);
    expect([features[25], features[52], ...mask]).toEqual([1, 0, 1, 0]);
  });

  it('refuses what it cannot pack', () => {
    expect(() => pack([new Uint8Array(1)], 0)).toThrow('pack: maxLength must be an integer, at least 1; got 0');
    expect(() => pack([new Uint8Array(1)], 2.5)).toThrow('got 2.5');
    expect(() => pack([new Uint8Array(1), 'H' as unknown as Uint8Array], 4)).toThrow(
      'pack: item 1: bytes must be a Uint8Array; got the string "H"',
    );
    expect(() => pack('H' as unknown as Uint8Array[], 4)).toThrow('pack: list must be an array of Uint8Array');
  });
});
