import { fileURLToPath } from 'node:url';
import { InputError } from '../common/errors.js';
import { readJsonFile, WRITTEN } from '../common/jsonFile.js';
import { chosenCheckpoint } from '../train/run/checkpoints.js';
import { readWeights, type Weights } from '../train/weights.js';
import { printableLines } from './output.js';

/** The decoder of the package. Its folder is next to both src/ and dist/. */
export const TRAINED = fileURLToPath(new URL('../../models/moby-dick.safetensors', import.meta.url));

/** The help text of `--checkpoint`, for every command that has it. */
export const CHECKPOINT_HELP = 'a .safetensors file, a run folder, or RUN/best (default: models/moby-dick.safetensors)';

/** The help text of `--config`. */
export const CONFIG_HELP =
  'configuration of weights from another program: a run\'s config.json, or a file with {"door", "heads", "K"}';

/** The error for `--config` without weights. */
export const CONFIG_ALONE = '--config is for weights; name them with --checkpoint';

/**
 * The weights that `--checkpoint` and `--config` name; without, those of the package. Skipped damaged checkpoints are
 * reported on stderr.
 *
 * @throws InputError for a configuration without a checkpoint
 */
export function chosenWeights(checkpoint: string | undefined, config: string | undefined): Weights {
  if (checkpoint === undefined) {
    if (config !== undefined) throw new InputError(CONFIG_ALONE);
    return readWeights(TRAINED, undefined);
  }
  const path = chosenCheckpoint(checkpoint, (line) => console.error(printableLines(line)));
  return readWeights(path, config === undefined ? undefined : readJsonFile(config, WRITTEN));
}
