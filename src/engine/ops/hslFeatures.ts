import { InputError, ShapeError } from '../../common/errors.js';
import { lastOf } from '../../common/shape.js';
import { channelCount, VALUE_CHANNELS, VOCABULARY } from '../../substrate/channels.js';
import { embedIds } from '../../substrate/embed.js';
import { contextTable, valueTable, waveTable } from '../../substrate/table.js';
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
  const { includeBits, momentumPhase, hslTable } = attributes;
  const rowLength = lastOf(ids.shape);
  const { features, channels } = embedIds(Uint32Array.from(ids.data), { includeBits, momentumPhase, rowLength });
  const y = Float64Array.from(features, (value, i) => (isKept(attributes, i % channels) ? value : 0));
  // Another table fills the value columns; context columns and raw bits are the same for all.
  if (!hslTable) {
    visitValues(ids, attributes, (n, v, i, c, scale) => {
      y[n * channels + c] = table.data[v * VALUE_CHANNELS + i]! * scale;
    });
  }
  return y;
}

/** Visit every kept value column: row n, byte v, table entry i, column c, and the momentum's factor if it applies. */
function visitValues(
  ids: Value,
  attributes: HslAttributes,
  visit: (n: number, v: number, i: number, c: number, scale: number) => void,
): void {
  const first = channelCount(attributes.includeBits) - 27;
  const L = lastOf(ids.shape);
  ids.data.forEach((v, n) => {
    if (v > 255) return;
    const before = n % L > 0 ? ids.data[n - 1]! : 0;
    const r = 0.5 + Math.abs(v - (before > 255 ? 0 : before)) / 512;
    for (let i = 0; i < VALUE_CHANNELS; i++) {
      const c = first + (i < 8 ? i : i + 9); // columns 8..16 are context
      if (isKept(attributes, c)) visit(n, v, i, c, attributes.momentumPhase && i >= 16 ? r : 1);
    }
  });
}

const hslFeaturesForward: Op<ForwardAttributes> = {
  name: 'hslFeatures.forward',
  formula: 'y[n] = the 27 channels of byte ids[n] after byte ids[n−1]',
  inputs: [{ u32: 'ids', idLimit: () => VOCABULARY }, 'table', 'context', { u32: 'wave' }],
  outputs: ['y'],
  shape([ids, table], { includeBits }) {
    if (table!.shape.length !== 2 || table!.shape[0] !== 256 || table!.shape[1] !== VALUE_CHANNELS) {
      throw new ShapeError('hslFeatures', `table must be [256, ${VALUE_CHANNELS}]`, { table: table!.shape });
    }
    return [{ shape: [...ids!.shape, channelCount(includeBits)] }];
  },
  reference: ([ids, table], attributes) => [hslFeaturesReference(ids!, table!, attributes)],
  dispatches({ inputs, outputs, attributes }) {
    const N = inputs.ids!.size;
    const params = sizes(inputs.ids!, attributes);
    const constants = {
      ...flags(attributes),
      HSL_PHASE: Number(attributes.hslTable),
    };
    return [onePerInvocation('hslFeatures.forward', N, { ...inputs, ...outputs }, params, constants)];
  },
  backward({ inputs: [ids, table], attributes, gradients: [dY], needsGradient, accumulator }) {
    if (!needsGradient(table!)) return;
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
  visitValues(ids, attributes, (n, v, i, c, scale) => {
    dTable[v * VALUE_CHANNELS + i]! += dY.data[n * channels + c]! * scale;
  });
  return dTable;
}

const hslFeaturesBackward: Op<HslAttributes> = {
  name: 'hslFeatures.backward',
  formula: 'dTable[v] += Σ_{n: ids[n] = v} dY[n, value columns]',
  inputs: [{ u32: 'ids', idLimit: () => VOCABULARY }, 'dY'],
  outputs: [{ accumulates: 'dTable' }],
  shape: () => [{ shape: [256, VALUE_CHANNELS] }],
  reference: ([ids, dY], attributes) => [hslFeaturesBackwardReference(ids!, dY!, attributes)],
  dispatches: ({ inputs, outputs, attributes }) => [
    onePerWorkgroup(
      'hslFeatures.backward',
      256,
      32,
      { ...inputs, ...outputs },
      sizes(inputs.ids!, attributes),
      flags(attributes),
    ),
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
