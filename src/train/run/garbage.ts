import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Steps between collections: some 20 ms of work that V8 would otherwise do later, all at once. */
export const COLLECT_EVERY = 100;

let collect: (() => void) | undefined;

/**
 * Collect all garbage now.
 *
 * A step leaves a few small handles of the driver's command buffers. V8 does not see the memory that they own, so it
 * collects only after thousands of steps, and a run would grow by tens of MiB meanwhile.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
