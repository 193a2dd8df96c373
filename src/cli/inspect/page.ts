import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Rolldown } from 'vite';
import { FileError, InputError } from '../../common/errors.js';
import { jsonForScript } from '../../report/html.js';
import { checkpointChunks } from '../../train/checkpoint.js';
import { type Checkpoint, weightsOf } from '../../train/checkpointFormat.js';
import { narrow } from '../../train/narrow.js';
import { widen } from '../../train/widen.js';
import type { Opened } from './opened.js';

/** The explorer without a decoder: a file of the package, built from `web/`. */
const SHIPPED = new URL('../../explorer.html', import.meta.url);
const CONFIG = new URL('../../../web/vite.config.ts', import.meta.url);

/** The element of the page that holds an `Opened`. */
const SLOT = '<script type="application/json" id="opened">';

/** The largest number of float16. */
const MAX_HALF = 65504;

/** Maximum bytes of weights in a page. In base64 they are a string, and V8's longest has 536 million characters. */
const MAX_WEIGHTS = 256e6;

/**
 * The explorer as one HTML file that opens on a decoder and a text, and needs no network and no other file.
 *
 * @param decoder its weights go into the page as float16 where that changes no number, else as float32
 * @throws InputError when the weights are more than a page can hold; FileError when the explorer is missing
 */
export async function explorerPage(decoder: Checkpoint, opened: Omit<Opened, 'checkpoint'>): Promise<string> {
  const bytes = 4 * [...decoder.parameters.values()].reduce((sum, { length }) => sum + length, 0);
  if (bytes > MAX_WEIGHTS) {
    throw new InputError(
      `a page holds at most ${MAX_WEIGHTS / 1e6} MB of weights; this decoder has ${Math.ceil(bytes / 1e6)} MB. ` +
        '--json prints its numbers',
    );
  }
  const isHalf = [...decoder.parameters.values()].every(fitsHalf);
  const checkpoint = Buffer.concat(checkpointChunks(weightsOf(decoder, isHalf ? 'F16' : 'F32'), decoder));
  const all: Opened = { ...opened, checkpoint: checkpoint.toString('base64') };
  const page = await explorer();
  const at = page.indexOf(SLOT) + SLOT.length;
  return page.slice(0, at) + jsonForScript(all) + page.slice(at);
}

/** Is each number one of float16? */
function fitsHalf(data: Float32Array): boolean {
  if (data.some((x) => Math.abs(x) > MAX_HALF)) return false;
  const half = widen({ dtype: 'F16', shape: [data.length], data: narrow(data) })!;
  return data.every((x, i) => x === half[i]);
}

let built: Promise<string> | undefined;

/** The page of the package. A checkout builds it from its sources, so that a changed kernel is in the next page. */
async function explorer(): Promise<string> {
  if (existsSync(SHIPPED)) return readFileSync(SHIPPED, 'utf8');
  if (!existsSync(CONFIG)) throw new FileError(`${fileURLToPath(SHIPPED)}: is missing; install byte-to-loss again`);
  built ??= buildExplorer();
  return built;
}

async function buildExplorer(): Promise<string> {
  const { build } = await import('vite').catch((cause: unknown) => {
    throw new FileError('the explorer page is built by vite, which is not installed: run npm ci', { cause });
  });
  const settings = { configFile: fileURLToPath(CONFIG), logLevel: 'error' as const, build: { write: false } };
  const { output } = (await build(settings)) as Rolldown.RolldownOutput;
  const page = output.find(({ fileName }) => fileName.endsWith('.html')) as Rolldown.OutputAsset;
  return String(page.source);
}
