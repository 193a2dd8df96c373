import { fileURLToPath } from 'node:url';
import { InputError } from '../common/errors.js';
import { readJsonFile } from '../common/jsonFile.js';
import { chosenCheckpoint } from '../train/run/checkpoints.js';
import { readWeights, type Weights } from '../train/weights.js';
import { printableLines } from './output.js';

/** The decoder that comes with the package. Its folder sits beside both src/ and dist/. */
export const TRAINED = fileURLToPath(new URL('../../models/moby-dick.safetensors', import.meta.url));

/** What `--checkpoint` may be, for the help of every command that has it. */
export const CHECKPOINT_HELP = 'a .safetensors file, a run folder, or RUN/best (default: models/moby-dick.safetensors)';

/** What `--config` is beside it. */
export const CONFIG_HELP = 'for weights that others wrote: a run\'s config.json, or {"door", "heads", "K"} in a file';

/** The error for `--config` without weights. */
export const CONFIG_ALONE = '--config is for weights; name them with --checkpoint';

/**
 * The weights that `--checkpoint` and `--config` name; without, those that come with the package. Damaged checkpoints that are
 * passed over are told on stderr.
 *
 * @throws InputError for a configuration without a checkpoint
 */
export function chosenWeights(checkpoint: string | undefined, config: string | undefined): Weights {
  if (checkpoint === undefined) {
    if (config !== undefined) throw new InputError(CONFIG_ALONE);
    return readWeights(TRAINED, undefined);
  }
  const path = chosenCheckpoint(checkpoint, (line) => console.error(printableLines(line)));
  return readWeights(path, config === undefined ? undefined : readJsonFile(config));
}
