/** What the channels promise, on random byte strings and, where the domain is small, on all of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integers } from '../../src/common/random.js';
import { EOS, fourierPairs, gray, MASK } from '../../src/substrate/channels.js';
import { encode } from '../../src/substrate/codec.js';
import { embed, embedIds } from '../../src/substrate/embed.js';
import { channelIndices, selectChannels } from '../../src/substrate/groups.js';

const byteString = fc.uint8Array({ minLength: 1, maxLength: 200 });
const options = fc.record({ includeBits: fc.boolean(), momentumPhase: fc.boolean() });
const concat = (...parts: ArrayLike<number>[]) => parts.flatMap((part) => Array.from(part));

describe('channels', () => {
  it('move one dxor when a value moves by one', () => {
    for (let v = 0; v < 255; v++) {
      const changed = gray(v) ^ gray(v + 1);
      expect(changed & (changed - 1)).toBe(0);
      expect(changed).not.toBe(0);
    }
  });

  it('give the byte back by the inverse DFT, in integers', () => {
    for (let v = 0; v < 256; v++) {
      const [re0, re1, re2, re3, re4, im1, im2, im3] = fourierPairs(v) as [number, number][];
      const [re, im] = [
        [re0!, re1!, re2!, re3!, re4!, re3!, re2!, re1!], // X[8-k] is the conjugate of X[k]
        [[0, 0], im1!, im2!, im3!, [0, 0], minus(im3!), minus(im2!), minus(im1!)],
      ];
      for (let n = 0; n < 8; n++) {
        // 8·bit[n] = Σ Re X[k]·cos(2πkn/8) - Im X[k]·sin(2πkn/8), and (a + b√½)(c + d√½) = ac + bd/2 + (ad + bc)√½
        let [twice, root] = [0, 0];
        for (let k = 0; k < 8; k++) {
          const [a, b] = re[k] as [number, number];
          const [e, f] = im[k] as [number, number];
          const [c, d] = COSINES[(k * n) % 8]!;
          const [g, h] = COSINES[(k * n + 6) % 8]!; // sin x = cos(x - a quarter turn)
          twice += 2 * a * c + b * d - 2 * e * g - f * h;
          root += a * d + b * c - e * h - f * g;
        }
        expect([twice, root]).toEqual([16 * ((v >> (7 - n)) & 1), 0]);
      }
    }
  });

  it('keep the value columns of a byte after any prefix, at any position', () => {
    fc.assert(
      fc.property(byteString, fc.nat({ max: 255 }), fc.boolean(), (prefix, v, includeBits) => {
        const value = (rows: Float32Array, channels: number) => selectChannels(rows, channels, 'value').slice(-width);
        const width = channelIndices('value', includeBits).length;
        const [alone, after] = [[v], concat(prefix, [v])].map((bytes) =>
          embed(Uint8Array.from(bytes), { includeBits }),
        );
        expect(value(after!.features, after!.channels)).toEqual(value(alone!.features, alone!.channels));
      }),
    );
  });

  it('make Δ² the XOR of neighbouring dxor', () => {
    fc.assert(
      fc.property(byteString, (bytes) => {
        const { features } = embed(bytes);
        for (let at = 0; at < bytes.length * 27; at++) {
          if (at % 27 >= 8) continue;
          const before = at < 27 ? 0 : features[at - 27]!;
          expect(features[at + 8]).toBe(Math.abs(features[at]! - before));
        }
      }),
    );
  });

  it('average the boundary as a brute-force window over the bit sequence does, over 2 MB too', () => {
    const check = (bytes: Uint8Array) => {
      const { features } = embed(bytes);
      const { boundary } = encode(bytes);
      let wrong = 0;
      for (let t = 0; t < bytes.length; t++) if (features[27 * t + 16] !== boundary[t]) wrong++;
      expect(wrong).toBe(0);
    };
    fc.assert(
      fc.property(byteString, (bytes) => {
        check(bytes);
      }),
    );
    check(Uint8Array.from(integers(7, 'bytes', 2 * 2 ** 20 + 3, 256)));
  });

  it('are finite and within their bounds', () => {
    fc.assert(
      fc.property(byteString, options, (bytes, chosen) => {
        const { features, channels } = embed(bytes, chosen);
        const columns = (group: Parameters<typeof selectChannels>[2]) => selectChannels(features, channels, group);
        const within = (values: Float32Array, least: number, most: number) =>
          expect(values.every((value) => value >= least && value <= most)).toBe(true);
        expect(columns(['dxor', 'd2xor']).every((value) => value === 0 || value === 1)).toBe(true);
        within(columns('boundary'), 0, 1.5);
        within(columns('fourier'), -4, 8);
        within(columns('phase'), -1, 1);
      }),
    );
  });

  it('are constant on a constant stream from the third byte on, and from the second but for the boundary', () => {
    for (let v = 0; v < 256; v++) {
      const { features } = embed(new Uint8Array(6).fill(v));
      const row = (t: number) => features.slice(27 * t, 27 * t + 27);
      for (const t of [3, 4, 5]) expect(row(t)).toEqual(row(2));
      expect(row(1).with(16, 0)).toEqual(row(2).with(16, 0));
      expect([...row(1).subarray(8, 16)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    }
  });
});

const COSINES = [
  [1, 0],
  [0, 1],
  [0, 0],
  [0, -1],
  [-1, 0],
  [0, -1],
  [0, 0],
  [0, 1],
] as const; // cos(2πj/8) = a + b·√½
const minus = ([a, b]: [number, number]): [number, number] => [-a, -b];

describe('embed', () => {
  it("shows 'H' as a head computes it", () => {
    // 72 = 0100 1000. dxor 0110 1100. First byte, so d2xor is the same; boundary (1+1+1 + half of that) / 5 = 0.9.
    const { features, length, channels, phase } = embed(new TextEncoder().encode('H'));
    expect([length, channels]).toEqual([1, 27]);
    expect([...features.subarray(0, 17)]).toEqual([0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, Math.fround(0.9)]);
    // bits 1 and 4: X[0] = 2, X[4] = -1 + 1 = 0, X[2] = e^(-πi/2) + e^(-2πi) = 1 - i
    expect([features[17], features[21], features[19], features[23]]).toEqual([2, 0, 1, -1]);
    expect(phase[0]).toBe(Math.fround((72 / 128) * Math.PI));
  });

  it('gives zero rows for no bytes, where the published package pads to one', () => {
    expect(embed(new Uint8Array(0))).toEqual({
      features: new Float32Array(0),
      length: 0,
      channels: 27,
      phase: new Float32Array(0),
    });
  });

  it('starts a new run behind MASK and EOS, whose rows are zero', () => {
    fc.assert(
      fc.property(byteString, byteString, fc.constantFrom(MASK, EOS), options, (before, after, id, chosen) => {
        const [one, two] = [embed(before, chosen), embed(after, chosen)];
        const both = embedIds(concat(before, [id], after), chosen);
        expect(both.features).toEqual(
          Float32Array.from(concat(one.features, new Float32Array(one.channels), two.features)),
        );
        expect(both.phase).toEqual(Float32Array.from(concat(one.phase, [0], two.phase)));
      }),
    );
  });

  it('starts every row of a batch at the anchor, for every kind of integer array', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), options, (row, chosen) => {
        const want = concat(embed(row, chosen).features, embed(row, chosen).features);
        const twice = concat(row, row);
        const kinds = [
          twice,
          Uint8Array.from(twice),
          Uint16Array.from(twice),
          Uint32Array.from(twice),
          Int32Array.from(twice),
        ];
        for (const ids of kinds) {
          expect(embedIds(ids, { ...chosen, rowLength: 6 }).features).toEqual(Float32Array.from(want));
        }
      }),
    );
  });

  it('reads a view in place and changes nothing', () => {
    const all = Uint8Array.from([9, 8, 72, 105, 7]);
    expect(embed(all.subarray(2, 4)).features).toEqual(embed(Uint8Array.of(72, 105)).features);
    expect([...all]).toEqual([9, 8, 72, 105, 7]);
  });

  it('refuses what are not bytes or ids, naming the value', () => {
    const wrong = (value: unknown) => value as never;
    expect(() => embed(wrong('H'))).toThrow('embed: bytes must be a Uint8Array; got the string "H"');
    expect(() => embed(wrong([72]))).toThrow('got Array of 1');
    expect(() => embed(wrong(undefined))).toThrow('got undefined');
    expect(() => embedIds([1, 258])).toThrow(
      'embedIds: ids must be integers 0..257 (256 MASK, 257 EOS); got 258 at index 1',
    );
    expect(() => embedIds([-1])).toThrow('got -1 at index 0');
    expect(() => embedIds(Int32Array.of(0, -5))).toThrow('got -5 at index 1');
    expect(() => embedIds([0.5])).toThrow('got 0.5 at index 0');
    expect(() => embedIds([Number.NaN])).toThrow('got NaN at index 0');
    expect(() => embedIds(wrong(['7']))).toThrow('got 7 at index 0');
    expect(() => embedIds(wrong(new Float32Array(3)))).toThrow('got Float32Array of 3');
    expect(() => embedIds([1, 2, 3], { rowLength: 2 })).toThrow(
      'rowLength must divide the number of ids; got rowLength 2, 3 ids',
    );
    expect(() => embed(new Uint8Array(1), { table: new Float32Array(18) })).toThrow('got Float32Array of 18');
  });
});
