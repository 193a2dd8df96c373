import { readJsonFile } from '../train/data/jsonFile.js';
import { chosenCheckpoint } from '../train/run/checkpoints.js';
import { readWeights, type Weights } from '../train/weights.js';
import { printableLines } from './output.js';

/** What `--checkpoint` may be, for the help of every command that has it. */
export const CHECKPOINT_HELP = 'a .safetensors file, a run folder, or RUN/best';

/** What `--config` is beside it. */
export const CONFIG_HELP = 'for weights that others wrote: a run\'s config.json, or {"door", "heads", "K"} in a file';

/** The weights that `--checkpoint` and `--config` name. Damaged checkpoints that are passed over are told on stderr. */
export function chosenWeights(checkpoint: string, config: string | undefined): Weights {
  const path = chosenCheckpoint(checkpoint, (line) => console.error(printableLines(line)));
  return readWeights(path, config === undefined ? undefined : readJsonFile(config));
}
