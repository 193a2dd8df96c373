import { ParityError } from '../common/errors.js';
import type { Plan } from '../engine/plan.js';
import { checkParity } from '../inspect/debug.js';
import { runEntries } from '../inspect/entryRun.js';

/**
 * Run a plan once and compare every kernel with its float64 reference, so that a wrong kernel is never timed.
 *
 * @throws ParityError at the first that disagrees
 */
export async function prove(plan: Plan): Promise<void> {
  try {
    for await (const run of runEntries(plan)) checkParity(run);
  } catch (error) {
    if (error instanceof ParityError) error.message = `not timed, since wrong: ${error.message}`;
    throw error;
  }
}
