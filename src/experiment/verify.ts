import type { CellResult } from './result.js';

/**
 * Compare a cell that was trained again with the kept one. On the CPU device weights and measures are the same to the
 * bit on every machine, with any number of threads.
 *
 * @returns the differences, empty if there are none; and a note if the two cannot be compared
 */
export function compareResults(kept: CellResult, again: CellResult): { differences: string[]; note: string } {
  const differences: string[] = [];
  if (again.weights_sha256 !== kept.weights_sha256) {
    differences.push(`other weights: ${again.weights_sha256.slice(0, 16)}, kept ${kept.weights_sha256.slice(0, 16)}`);
  }
  const [data, dataAgain] = [kept, again].map(({ data_sha256 }) => data_sha256.map(({ sha256 }) => sha256).join());
  if (data !== dataAgain) differences.push('other data than the kept cell was trained on');
  for (const [name, value] of Object.entries(kept.measures)) {
    if (again.measures[name] !== value) differences.push(`${name} ${again.measures[name]}, kept ${value}`);
  }
  const notes = [];
  if (differences.length > 0 && again.adapter !== kept.adapter) {
    notes.push(
      `trained on ${again.adapter}, kept from ${kept.adapter}: only the CPU device gives the same bits everywhere`,
    );
  }
  if (again.commit !== kept.commit)
    notes.push(`code ${again.commit ?? 'of no commit'}, kept ${kept.commit ?? 'of none'}`);
  return { differences, note: notes.length > 0 ? ` (${notes.join('; ')})` : '' };
}
