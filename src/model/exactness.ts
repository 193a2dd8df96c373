/**
 * The claims of the substrate, each with its check: in TypeScript, and on a device. `byte-to-loss verify` prints them,
 * tests run them, and mutants of the shader must fail them.
 */

import { integers, normals } from '../common/random.js';
import type { Device } from '../device/device.js';
import { hslFeatures } from '../engine/ops/hslFeatures.js';
import { Program } from '../engine/program.js';
import type { Tensor } from '../engine/tensor.js';
import { CHANNELS_WITH_BITS, channelCount, EOS, MASK, VALUE_CHANNELS } from '../substrate/channels.js';
import { decode, encode } from '../substrate/codec.js';
import { CONTROL_KINDS } from '../substrate/controls.js';
import { type EmbedOptions, embed, embedIds } from '../substrate/embed.js';
import {
  everyByte,
  everyPair,
  exactChannels,
  exactCosine,
  exactValueTable,
  firstDifference,
} from '../substrate/proof.js';
import { zeroInput } from '../substrate/slots.js';
import { packedTable, scaledCosine, valueTable } from '../substrate/table.js';
import { ControlEmbedding } from './controlEmbedding.js';
import { type EmbeddingOptions, HslEmbedding } from './embedding.js';
import { ZeroInput } from './zeroInput.js';

/** A sentence, and a check that it is true. */
export interface ExactnessCheck {
  readonly path: 'TypeScript' | 'device';
  readonly what: string;
  /** Compares numbers, and counts them. @throws Fault at the first wrong number */
  readonly check: (count: Count) => void | Promise<void>;
}

/** Called with the count of correct numbers. */
export type Count = (numbers: number) => void;

/** A claim that fails, with the first wrong number. */
export class Fault extends Error {
  override name = 'Fault';
}

type Options = { readonly includeBits: boolean; readonly momentumPhase: boolean };
const OPTIONS: readonly Options[] = [false, true].flatMap((includeBits) =>
  [false, true].map((momentumPhase) => ({ includeBits, momentumPhase })),
);

/** Rows of ids, [ids.length / rowLength, rowLength]. */
interface Rows {
  readonly ids: Uint32Array;
  readonly rowLength: number;
}

const BYTES: Rows = { ids: everyByte(), rowLength: 1 };
const PAIRS: Rows = { ids: everyPair(), rowLength: 2 };
/**
 * The boundary reaches two bytes back: four bits of each of the two, and five of the byte itself. All 8,192 windows.
 */
const WINDOWS: Rows = {
  ids: Uint32Array.from({ length: 3 * 8192 }, (_, at) => {
    const n = Math.floor(at / 3);
    return [n & 15, (n >> 4) & 15, (n >> 8) << 3][at % 3]!;
  }),
  rowLength: 3,
};
/** Bytes with MASK and EOS between them: at a row's start, at its end, alone and side by side. */
const GAPS: Rows = {
  ids: integers(1, 'gaps', 512 * 33, 400).map((id) => (id < 256 ? id : id % 2 === 0 ? MASK : EOS)),
  rowLength: 33,
};

const known = new Map<string, Float32Array>();

/** The exact channels of rows, computed once. Without the raw bits, which come first, the other channels are the same. */
function exact(rows: Rows, options: Options): Float32Array {
  const key = `${rows.ids.length} ${options.includeBits} ${options.momentumPhase}`;
  const found =
    known.get(key) ??
    (options.includeBits
      ? exactChannels(rows.ids, rows.rowLength, options)
      : withoutBits(exact(rows, { ...options, includeBits: true })));
  known.set(key, found);
  return found;
}

/** Rows of 35 channels without their first eight. */
function withoutBits(all: Float32Array): Float32Array {
  const rows = all.length / CHANNELS_WITH_BITS;
  const out = new Float32Array(rows * (CHANNELS_WITH_BITS - 8));
  for (let t = 0, to = 0; t < rows; t++) {
    for (let c = 8; c < CHANNELS_WITH_BITS; c++) out[to++] = all[CHANNELS_WITH_BITS * t + c]!;
  }
  return out;
}

/** Every number the same to the bit. */
function same(got: Float32Array, want: Float32Array, { ids }: Rows, count: Count, includeBits = false): void {
  const fault = firstDifference(got, want, ids, includeBits);
  if (fault !== undefined) throw new Fault(fault);
  count(got.length);
}

const inTypeScript = (what: string, check: ExactnessCheck['check']): ExactnessCheck => ({
  path: 'TypeScript',
  what,
  check,
});

const TYPESCRIPT: readonly ExactnessCheck[] = [
  inTypeScript('table: its 4,608 bytes decode to the float32 nearest each exact value', (count) => {
    if (packedTable().byteLength !== 4608) throw new Fault(`the table has ${packedTable().byteLength} bytes`);
    const [got, want] = [valueTable(), exactValueTable()];
    const at = got.findIndex((value, i) => !Object.is(value, want[i]));
    if (at >= 0) throw new Fault(`entry ${at} is ${got[at]}, exact is ${want[at]}`);
    count(got.length);
  }),
  inTypeScript('phase: every angle times every momentum is the nearest float32', (count) => {
    for (let m = 256; m <= 512; m++) {
      for (let i = 0; i < 256; i++) {
        const [got, want] = [Math.fround(scaledCosine(i, m)), exactCosine(i, m)];
        if (got !== want) throw new Fault(`cos(2π·${i}/256)·${m}/512 is ${got}, exact is ${want}`);
      }
    }
    count(257 * 256);
  }),
  inTypeScript('embed: every byte, pair and boundary window exact, under every option', (count) => {
    for (const options of OPTIONS) {
      for (const rows of [BYTES, PAIRS, WINDOWS, GAPS]) {
        const { features } = embedIds(rows.ids, { ...options, rowLength: rows.rowLength });
        same(features, exact(rows, options), rows, count, options.includeBits);
      }
    }
  }),
  inTypeScript('codec: the same bits, differences and boundaries; decode undoes encode', (count) => {
    const want = exact(PAIRS, { includeBits: true, momentumPhase: false });
    for (let row = 0; row < PAIRS.ids.length; row += 2) {
      const bytes = Uint8Array.from(PAIRS.ids.subarray(row, row + 2));
      const frame = encode(bytes);
      if (decode(frame).join() !== bytes.join()) throw new Fault(`decode(encode([${bytes}])) is [${decode(frame)}]`);
      for (let t = 0; t < 2; t++) {
        const part = (array: Uint8Array) => array.subarray(8 * t, 8 * t + 8);
        const got = [...part(frame.bits), ...part(frame.delta), ...part(frame.delta2), frame.boundary[t]!];
        const at = got.findIndex((value, c) => value !== want[(row + t) * 35 + c]);
        if (at >= 0) throw new Fault(`encode([${bytes}]): column ${at} of byte ${t} is ${got[at]}`);
      }
      count(2 * 25);
    }
  }),
];

/** The claims about a device, which cover every shader between ids and slots. */
function deviceClaims(device: Device): ExactnessCheck[] {
  /** Channels of rows on the device. */
  const run = async (
    { ids, rowLength }: Rows,
    body: (ids: Tensor) => Tensor,
    parameters?: Map<string, Float32Array>,
  ) => {
    const program = new Program({ device, ...(parameters && { parameters }) });
    const { data } = await body(program.constant('ids', [ids.length / rowLength, rowLength], ids)).value();
    program.runner.free();
    return data as Float32Array;
  };
  const isExact = async (rows: Rows, options: Options, count: Count) => {
    const got = await run(rows, (ids) => new HslEmbedding(options).features(ids));
    same(got, exact(rows, options), rows, count, options.includeBits);
  };
  const exactOver =
    (...all: Rows[]) =>
    async (count: Count) => {
      for (const options of OPTIONS) for (const rows of all) await isExact(rows, options, count);
    };
  const claim = (what: string, check: ExactnessCheck['check']): ExactnessCheck => ({ path: 'device', what, check });

  return [
    claim('shader: every byte and every pair exact, under every option', exactOver(BYTES, PAIRS)),
    claim('shader: every boundary window of three bytes exact', exactOver(WINDOWS)),
    claim('shader: MASK and EOS are rows of zeros, the byte after one starts a new run', exactOver(GAPS)),
    claim('shader: a row of 1 MB has the same bits as embed', async (count) => {
      const ids = integers(2, 'long', 2 ** 20, 256);
      const rows = { ids, rowLength: ids.length };
      const got = await run(rows, (tensor) => new HslEmbedding().features(tensor));
      same(got, embed(Uint8Array.from(ids)).features, rows, count);
    }),
    claim('shader: excluded columns are zero, the others unchanged', async (count) => {
      for (const includeBits of [false, true]) {
        const all = embedIds(GAPS.ids, { includeBits, rowLength: GAPS.rowLength }).features;
        const channels = channelCount(includeBits);
        const alone = Array.from({ length: channels }, (_, column) => ({ columns: [column] }));
        for (const chosen of [{ groups: 'phase' }, { groups: ['d2xor', 'fourier'] }, ...alone] as EmbeddingOptions[]) {
          const embedding = new HslEmbedding({ includeBits, ...chosen });
          const want = new Float32Array(all.length);
          for (const column of embedding.columns!) {
            for (let at = column; at < all.length; at += channels) want[at] = all[at]!;
          }
          same(await run(GAPS, (ids) => embedding.features(ids)), want, GAPS, count, includeBits);
        }
      }
    }),
    claim("controls: context columns are HSL's, value columns the table's own", async (count) => {
      const hsl = exact(PAIRS, { includeBits: false, momentumPhase: false });
      for (const kind of CONTROL_KINDS) {
        const embedding = new ControlEmbedding(kind, { seed: 5 });
        const got = await run(PAIRS, (ids) => embedding.features(ids), embedding.parameters());
        const want = hsl.slice();
        PAIRS.ids.forEach((v, n) => {
          const row = embedding.table.subarray(v * VALUE_CHANNELS, (v + 1) * VALUE_CHANNELS);
          want.set(row.subarray(0, 8), 27 * n);
          want.set(row.subarray(8), 27 * n + 17); // 8..16 are context
        });
        same(got, want, PAIRS, count);
      }
    }),
    claim('controls: phase times momentum is rounded once, ties to even', async (count) => {
      const table = hardTable();
      for (const includeBits of [false, true]) {
        const options: EmbedOptions = { includeBits, momentumPhase: true };
        const got = await run(PAIRS, (ids) =>
          hslFeatures(ids, { ...options, table: ids.program.constant('hard values', [256, VALUE_CHANNELS], table) }),
        );
        // In float64 the product of 24 and 9 bits is exact, so that storing it rounds once.
        same(got, embedIds(PAIRS.ids, { ...options, table, rowLength: 2 }).features, PAIRS, count, includeBits);
      }
    }),
    claim('ZeroInput: slots and streams hold the same bits, for any last slot', async (count) => {
      for (const L of [1, 7, 8, 9, 300]) {
        const ids = integers(3, `slots ${L}`, L, 256);
        const rows = { ids, rowLength: L };
        for (const tail of ['pad', 'drop'] as const) {
          const zero = new ZeroInput({ K: 8, dim: 224, tail });
          const want = zeroInput(Uint8Array.from(ids), { K: 8, dim: 224, tail }).data;
          const got = await run(rows, (tensor) => zero.forward(tensor));
          if (!sameBits(got, want)) throw new Fault(`forward of ${L} bytes, tail ${tail}, differs from zeroInput`);
          count(got.length);
        }
        const got = await run(rows, (tensor) => new ZeroInput({ K: 1, dim: 40 }).stream(tensor));
        const want = zeroInput(Uint8Array.from(ids), { K: 1, dim: 40 }).data;
        if (!sameBits(got, want)) throw new Fault(`stream of ${L} bytes differs from zeroInput with K 1`);
        count(got.length);
      }
    }),
  ];
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, at) => Object.is(value, b[at]));
}

/** Values whose products with 256..511 are hard to round: ties, both zeros, subnormals, the largest, and any others. */
function hardTable(): Float32Array {
  const table = normals(4, 'hard', 256 * VALUE_CHANNELS);
  const words = new Uint32Array(table.buffer);
  const drawn = integers(4, 'words', 2 * 256, 2 ** 32);
  for (let v = 0; v < 256; v++) {
    for (const phase of [16, 17]) {
      const word = drawn[2 * v + phase - 16]!;
      const sign = word & 0x80000000;
      const hard = [
        sign, // ±0
        sign | (word & 0x7fffff), // subnormal
        sign | 0x00800000 | (word & 0xff), // the smallest normal ones, which become subnormal
        sign | 0x7f7fffff, // the largest
        sign | 0x3f800000 | (word & 0x1ff), // few bits at the end: ties
        sign | 0x3fffff00 | (word & 0xff), // near a power of two: rounded up to it
        sign | 0x3f800000 | (word & 0x7fff00),
      ];
      words[v * VALUE_CHANNELS + phase] = hard[(v + phase) % 8] ?? word & 0xbfffffff; // any number below 2
    }
  }
  return table;
}

/** Every claim in order, including those about a device if one is given. */
export function exactnessChecks(device?: Device): ExactnessCheck[] {
  return [...TYPESCRIPT, ...(device ? deviceClaims(device) : [])];
}

/** The result of one check. */
export interface Verdict {
  readonly claim: ExactnessCheck;
  /** how many were compared, and right */
  readonly numbers: number;
  readonly seconds: number;
  /** the first number that is wrong */
  readonly fault?: string;
}

/** Check one claim. */
export async function judge(claim: ExactnessCheck): Promise<Verdict> {
  const started = performance.now();
  let numbers = 0;
  let fault: string | undefined;
  try {
    await claim.check((right) => {
      numbers += right;
    });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    fault = error.message;
  }
  return { claim, numbers, seconds: (performance.now() - started) / 1000, ...(fault !== undefined && { fault }) };
}
