import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Steps between collections: some 20 ms of work that would be done anyway, later and all at once. */
export const COLLECT_EVERY = 100;

let collect: (() => void) | undefined;

/**
 * Collect all garbage now.
 *
 * A step leaves a few small handles of the driver's command buffers behind. V8 does not see what hangs on them, so that it
 * comes round after thousands of steps, and a run would grow by tens of MiB meanwhile.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
