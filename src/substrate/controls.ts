/**
 * Control tables: other values for the 18 columns that depend on the byte alone, to test the importance of HSL's own
 * values. The context columns stay exact and the same for every kind.
 */
import { InputError } from '../common/errors.js';
import { normals, permutation } from '../common/random.js';
import { VALUE_CHANNELS } from './channels.js';
import { valueTable } from './table.js';

/**
 * hsl: the frozen table. learned: trainable. random: HSL's column statistics without meaning. permuted: HSL's rows for
 * other bytes.
 */
export const CONTROL_KINDS = ['hsl', 'learned', 'random', 'permuted'] as const;
/** One of `CONTROL_KINDS`. */
export type ControlKind = (typeof CONTROL_KINDS)[number];

/** Initial standard deviation of the learned table, that of every other matrix. */
const LEARNED_DEVIATION = 0.02;

/**
 * The 256 × 18 table of a control, row-major.
 *
 * - `hsl`: `valueTable()`.
 * - `learned`: the initial numbers, normal with standard deviation 0.02.
 * - `random`: normal numbers shifted and scaled per column to HSL's mean and population standard deviation (divided by
 *   256, not 255), up to float32 rounding; all rows distinct.
 * - `permuted`: row v is HSL's row `controlOrder(seed)[v]`, so columns keep their values, and rows stay together.
 *
 * @param seed whole number; determines the table, without effect for `hsl`
 * @throws InputError for an unknown kind or a seed that is not a whole number
 */
export function controlTable(kind: ControlKind, seed = 0): Float32Array {
  const hsl = valueTable();
  switch (kind) {
    case 'hsl':
      return hsl;
    case 'learned':
      return normals(seed, 'control.learned', hsl.length).map((z) => z * LEARNED_DEVIATION);
    case 'random':
      return randomTable(hsl, seed);
    case 'permuted': {
      const table = new Float32Array(hsl.length);
      controlOrder(seed).forEach((from, v) => {
        table.set(hsl.subarray(from * VALUE_CHANNELS, (from + 1) * VALUE_CHANNELS), v * VALUE_CHANNELS);
      });
      return table;
    }
    default:
      throw new InputError(`controlTable: unknown kind ${String(kind)}; kinds are ${CONTROL_KINDS.join(', ')}`);
  }
}

/** The HSL row of each byte under `permuted`: a permutation of 0..255. */
export function controlOrder(seed: number): Uint32Array {
  return permutation(seed, 'control.permuted', 256);
}

function randomTable(hsl: Float32Array, seed: number): Float32Array {
  const draw = normals(seed, 'control.random', hsl.length);
  const table = new Float32Array(hsl.length);
  for (let column = 0; column < VALUE_CHANNELS; column++) {
    const want = columnStatistics(hsl, column);
    const have = columnStatistics(draw, column);
    for (let at = column; at < table.length; at += VALUE_CHANNELS) {
      table[at] = want.mean + ((draw[at]! - have.mean) / have.deviation) * want.deviation;
    }
  }
  return table;
}

/** Mean and population standard deviation of a column of a 256 × 18 table, in float64. */
export function columnStatistics(table: Float32Array, column: number): { mean: number; deviation: number } {
  const rows = table.length / VALUE_CHANNELS;
  let sum = 0;
  for (let at = column; at < table.length; at += VALUE_CHANNELS) sum += table[at]!;
  const mean = sum / rows;
  let squares = 0;
  for (let at = column; at < table.length; at += VALUE_CHANNELS) squares += (table[at]! - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / rows) };
}
