import type { CollectedCell } from './collect.js';
import type { Run } from './contrast.js';
import { KNOWS_NOTHING } from './select.js';

/**
 * A measure of an arm's finished runs, window by window. A run that was not finite counts: its windows get the loss of
 * a uniform guess, its retrieval is 0.
 *
 * @param cells of one grid; their runs share their held-out windows
 */
export function runsOf(cells: readonly CollectedCell[], arm: string, measure: string): Run[] {
  const finite = cells.find(({ result }) => result?.scores[measure] !== undefined);
  return cells.flatMap(({ cell, result }): Run[] => {
    if (result === undefined || cell.arm !== arm) return [];
    const scores = result.scores[measure];
    if (scores !== undefined) return [{ seed: cell.seed, ...scores }];
    if (result.non_finite === undefined || finite === undefined) return [];
    const { weights } = finite.result!.scores[measure]!;
    const each = measure.endsWith('_bpb') ? KNOWS_NOTHING : 0;
    return [{ seed: cell.seed, weights, sums: weights.map((weight) => weight * each) }];
  });
}
