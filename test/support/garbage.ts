import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collect all garbage now, so that what is measured after is what is kept, not what V8 has not come round to. */
export const collectGarbage = runInNewContext('gc') as () => void;
