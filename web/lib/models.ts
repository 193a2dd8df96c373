import data from '../../models/moby-dick.safetensors?inline';
import { SIZES } from '../../src/model/config.js';
import { initialParameters } from '../../src/model/parameters.js';
import { readCheckpointBytes } from './checkpointFile.js';
import type { Model } from './explorer.js';

const CONFIG = { door: 'zero', ...SIZES.tiny } as const;

/** An untrained decoder. */
export function freshModel(): Model {
  return {
    name: 'a fresh tiny decoder, seed 0, untrained',
    fresh: true,
    config: CONFIG,
    from: { parameters: initialParameters(CONFIG, 0) },
  };
}

/** The decoder of the page, embedded as base64. */
export async function trainedModel(): Promise<Model> {
  const bytes = Uint8Array.from(atob(data.slice(data.indexOf(',') + 1)), (digit) => digit.charCodeAt(0));
  const { config, parameters, step } = await readCheckpointBytes(bytes, 'moby-dick.safetensors');
  return {
    name: `a tiny decoder after ${step.toLocaleString('en')} steps on Moby-Dick`,
    trained: true,
    config,
    from: { parameters },
  };
}
