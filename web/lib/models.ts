import type { Opened } from '../../src/cli/inspect/opened.js';
import { type DecoderConfig, SIZES } from '../../src/model/config.js';
import { initialParameters } from '../../src/model/parameters.js';
import type { Checkpoint } from '../../src/train/checkpointFormat.js';
import { readCheckpointBytes } from './checkpointFile.js';
import type { Model } from './explorer.js';

/** What `byte-to-loss inspect` has put into the page; undefined on the development server. */
export const OPENED: Opened | undefined =
  JSON.parse(document.getElementById('opened')!.textContent || 'null') ?? undefined;

/** A decoder that was never trained. */
export function freshModel(config: DecoderConfig = { door: 'zero', ...SIZES.tiny }): Model {
  let parameters: ReadonlyMap<string, Float32Array> | undefined;
  return {
    name: 'a fresh decoder, seed 0, untrained',
    fresh: true,
    config,
    parameters: async () => {
      parameters ??= initialParameters(config, 0); // of a large decoder only when it is looked at
      return parameters;
    },
  };
}

/** A decoder that was read from a file. */
export function modelOf(name: string, { config, parameters, prefix, stream }: Checkpoint): Model {
  return { name, config, most: prefix + stream, parameters: async () => parameters };
}

/** The decoder that the page opens on. */
export async function openedModel({ name, kind, checkpoint }: Opened): Promise<Model> {
  const digits = atob(checkpoint);
  const bytes = new Uint8Array(digits.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = digits.charCodeAt(i);
  const model = modelOf(name, await readCheckpointBytes(bytes, 'the checkpoint in this page'));
  return { ...model, ...(kind !== 'fresh' ? { trained: true } : { fresh: true }) };
}
