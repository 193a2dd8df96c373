import { InputError, ShapeError } from '../../common/errors.js';
import { lastOf } from '../../common/shape.js';
import { CHANNELS, channelCount, momentum, VALUE_CHANNELS, VOCABULARY } from '../../substrate/channels.js';
import { encode } from '../../substrate/codec.js';
import { contextTable, scaledCosine, valueTable, waveTable } from '../../substrate/table.js';
import { onePerInvocation, onePerWorkgroup } from '../kernel.js';
import type { Op, Value } from '../op.js';
import type { OpRow } from '../registry.js';
import type { Tensor } from '../tensor.js';

/** The channels that the op computes. */
export interface HslOptions {
  /** prepend the raw bits: 35 columns in place of 27 */
  readonly includeBits?: boolean;
  /** scale the two phase columns by r = 1/2 + |v - v_prev|/512 */
  readonly momentumPhase?: boolean;
  /** columns to keep, the others are zero; default all */
  readonly columns?: readonly number[];
  /** another [256, 18] value table in place of HSL's: a control, or a trainable one */
  readonly table?: Tensor;
}

interface HslAttributes extends Record<string, boolean | number> {
  includeBits: boolean;
  momentumPhase: boolean;
  /** columns 0..31 and 32..34 as bit masks: bit c is 1 where column c is kept */
  columns0: number;
  columns1: number;
}

interface ForwardAttributes extends HslAttributes {
  /** true if `table` is HSL's own, whose scaled phase is exact */
  hslTable: boolean;
}

/**
 * The substrate's channels of each byte. Every row of ids is a sequence that starts at the anchor; ids 256 (MASK) and 257
 * (EOS) give zero rows. Exact: each entry is the float32 nearest to its exact value, the same bits as `embed`.
 *
 * @param ids [..., L] u32
 * @returns [..., L, 27], or 35 columns with `includeBits`
 * @throws ShapeError when ids are not u32 or table is not [256, 18]; InputError for a column that is not there
 * @see hsl-embedding, Jinhyun Woo
 */
export function hslFeatures(ids: Tensor, options: HslOptions = {}): Tensor {
  const { program } = ids;
  const { includeBits = false, momentumPhase = false, columns } = options;
  const table = options.table ?? program.constant('HSL values', [256, VALUE_CHANNELS], valueTable());
  const [columns0, columns1] = columnMasks(columns, channelCount(includeBits));
  const context = contextTable();
  const wave = waveTable();
  const inputs = [
    ids,
    table,
    program.constant('boundary values', [context.length], context),
    program.constant('quarter wave', [wave.length], wave),
  ];
  const hslTable = options.table === undefined;
  return program.record(hslFeaturesForward, inputs, { includeBits, momentumPhase, hslTable, columns0, columns1 })[0]!;
}

function columnMasks(columns: readonly number[] | undefined, channels: number): [number, number] {
  const masks: [number, number] = [0, 0];
  for (const c of columns ?? Array.from({ length: channels }, (_, i) => i)) {
    if (!Number.isInteger(c) || c < 0 || c >= channels) {
      throw new InputError(`hslFeatures: columns must be whole numbers 0..${channels - 1}; got ${c}`);
    }
    masks[c >> 5]! |= 1 << (c & 31);
  }
  return [masks[0] >>> 0, masks[1] >>> 0];
}

function isKept({ columns0, columns1 }: HslAttributes, c: number): boolean {
  return (((c < 32 ? columns0 : columns1) >>> (c & 31)) & 1) === 1;
}

function hslFeaturesReference(ids: Value, table: Value, attributes: ForwardAttributes): Float64Array {
  const channels = channelCount(attributes.includeBits);
  const first = channels - CHANNELS; // of the dxor columns
  const y = new Float64Array(ids.data.length * channels);
  const L = lastOf(ids.shape);
  const isByte = (n: number) => ids.data[n]! <= 255;
  for (let from = 0, to = 0; from < ids.data.length; from = to) {
    // A run of bytes ends at an id above 255, and at the end of its row.
    for (to = from + 1; to % L > 0 && isByte(from) && isByte(to); ) to++;
    if (!isByte(from)) continue;
    const { bits, delta2, boundary } = encode(Uint8Array.from(ids.data.subarray(from, to)));
    boundary.forEach((value, t) => {
      const row = y.subarray((from + t) * channels, (from + t + 1) * channels);
      if (attributes.includeBits) row.set(bits.subarray(8 * t, 8 * t + 8));
      row.set(delta2.subarray(8 * t, 8 * t + 8), first + 8);
      row[first + 16] = value;
    });
  }
  visitValues(ids, attributes, (n, v, i, c, m) => {
    // HSL's phase is scaled before its one rounding.
    const isScaled = attributes.hslTable && m < 512;
    const value = table.data[v * VALUE_CHANNELS + i]! * (m / 512);
    y[n * channels + c] = isScaled ? Math.fround(scaledCosine(i === 16 ? v : v - 64, m)) : value;
  });
  return y.map((value, i) => (isKept(attributes, i % channels) ? value : 0));
}

/** Visit every kept value column: row n, byte v, table entry i, column c, and the momentum m, 512 where there is none. */
function visitValues(
  ids: Value,
  attributes: HslAttributes,
  visit: (n: number, v: number, i: number, c: number, m: number) => void,
): void {
  const first = channelCount(attributes.includeBits) - CHANNELS;
  const L = lastOf(ids.shape);
  ids.data.forEach((v, n) => {
    if (v > 255) return;
    const before = n % L > 0 ? ids.data[n - 1]! : 0;
    const m = momentum(v, before > 255 ? 0 : before);
    for (let i = 0; i < VALUE_CHANNELS; i++) {
      const c = first + (i < 8 ? i : i + 9); // columns 8..16 are context
      if (isKept(attributes, c)) visit(n, v, i, c, attributes.momentumPhase && i >= 16 ? m : 512);
    }
  });
}

const hslFeaturesForward: Op<ForwardAttributes> = {
  name: 'hslFeatures.forward',
  formula: 'y[n] = the 27 channels of byte ids[n] after byte ids[n−1]',
  inputs: [
    { name: 'ids', dtype: 'u32', idLimit: () => VOCABULARY },
    'table',
    'context',
    { name: 'wave', dtype: 'u32' },
  ],
  outputs: ['y'],
  shape([ids, table], { includeBits }) {
    if (table!.shape.length !== 2 || table!.shape[0] !== 256 || table!.shape[1] !== VALUE_CHANNELS) {
      throw new ShapeError('hslFeatures', `table must be [256, ${VALUE_CHANNELS}]`, { table: table! });
    }
    return [{ shape: [...ids!.shape, channelCount(includeBits)] }];
  },
  reference: ([ids, table], attributes) => [hslFeaturesReference(ids!, table!, attributes)],
  dispatches({ tensors, attributes }) {
    const N = tensors.ids!.size;
    const params = sizes(tensors.ids!, attributes);
    const constants = {
      ...flags(attributes),
      HSL_PHASE: Number(attributes.hslTable),
    };
    return [onePerInvocation('hslFeatures.forward', N, tensors, params, constants)];
  },
  backward({ inputs: [ids, table], attributes, gradients: [dY], accumulator }) {
    if (!table!.requiresGradient) return;
    const { includeBits, momentumPhase, columns0, columns1 } = attributes;
    const kept = { includeBits, momentumPhase, columns0, columns1 };
    table!.program.record(hslFeaturesBackward, [ids!, dY!], kept, [accumulator(table!)]);
  },
};

function sizes(ids: Tensor, { columns0, columns1 }: HslAttributes) {
  return { N: ids.size, L: Math.max(1, lastOf(ids.shape)), columns0, columns1 };
}

function flags({ includeBits, momentumPhase }: HslAttributes) {
  return { INCLUDE_BITS: Number(includeBits), MOMENTUM_PHASE: Number(momentumPhase) };
}

/** Value columns are copies of the table's entries, so dTable[v] sums dY over the positions of byte v. */
function hslFeaturesBackwardReference(ids: Value, dY: Value, attributes: HslAttributes): Float64Array {
  const channels = channelCount(attributes.includeBits);
  const dTable = new Float64Array(256 * VALUE_CHANNELS);
  visitValues(ids, attributes, (n, v, i, c, m) => {
    dTable[v * VALUE_CHANNELS + i]! += dY.data[n * channels + c]! * (m / 512);
  });
  return dTable;
}

const hslFeaturesBackward: Op<HslAttributes> = {
  name: 'hslFeatures.backward',
  formula: 'dTable[v] += Σ_{n: ids[n] = v} dY[n, value columns]',
  inputs: [{ name: 'ids', dtype: 'u32', idLimit: () => VOCABULARY }, 'dY'],
  outputs: ['dTable'],
  existing: { dTable: 'accumulates' },
  shape: () => [{ shape: [256, VALUE_CHANNELS] }],
  reference: ([ids, dY], attributes) => [hslFeaturesBackwardReference(ids!, dY!, attributes)],
  dispatches: ({ tensors, attributes }) => [
    onePerWorkgroup('hslFeatures.backward', 256, 32, tensors, sizes(tensors.ids!, attributes), flags(attributes)),
  ],
};

/** Bytes, MASK and EOS in rows of n. */
const ids = (n: number) => ({ ids: { shape: [3, n], idLimit: 258 } });

export const hslFeaturesRow: OpRow = {
  name: 'hslFeatures',
  passes: ['hslFeatures.forward', 'hslFeatures.backward'],
  samples: [
    { name: 'L = n', inputs: () => ({}), ids, call: (x) => [hslFeatures(x.ids!)], roundings: 0 },
    {
      name: 'bits and momentum',
      inputs: () => ({}),
      ids,
      call: (x) => [hslFeatures(x.ids!, { includeBits: true, momentumPhase: true })],
      roundings: 0,
    },
    {
      name: 'learned table',
      inputs: () => ({ table: [256, 18] }),
      ids,
      call: (x) => [hslFeatures(x.ids!, { table: x.table!, columns: [0, 3, 8, 16, 20, 25, 26] })],
    },
    {
      name: 'learned table, bits and momentum',
      inputs: () => ({ table: [256, 18] }),
      ids,
      call: (x) => [hslFeatures(x.ids!, { table: x.table!, includeBits: true, momentumPhase: true })],
    },
  ],
};
