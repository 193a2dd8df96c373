import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { FileError } from '../../common/errors.js';
import { readable } from '../../common/readable.js';
import { type Film, parseGrey, parseY4m } from './y4m.js';

/** Options for reading a film. */
export interface FilmOptions {
  /** frames per second of raw grey frames, and the rate requested from ffmpeg. Default 8 */
  readonly fps?: number;
  /** the program that reads other formats. Default 'ffmpeg', found through PATH */
  readonly ffmpeg?: string;
}

const largestFile = 1 << 30;

/**
 * Read a film as 16 x 16 grey frames: `.y4m` and `.gray` (raw frames) here; any other file through the user's own ffmpeg, which scales it.
 *
 * @throws FileError when the file is missing or malformed, or ffmpeg is needed and missing, or fails
 */
export function readFilm(path: string, { fps = 8, ffmpeg = 'ffmpeg' }: FilmOptions = {}): Film {
  const size = readable(path);
  if (path.endsWith('.y4m') || path.endsWith('.gray')) {
    if (size > largestFile)
      throw new FileError(`${path}: ${size} bytes (at most ${largestFile} are read). Cut it into pieces`);
    return path.endsWith('.y4m') ? parseY4m(readFileSync(path), path) : parseGrey(readFileSync(path), path, fps);
  }
  return parseY4m(throughFfmpeg(path, fps, ffmpeg), path);
}

function throughFfmpeg(path: string, fps: number, ffmpeg: string): Uint8Array {
  // An array of arguments and no shell; "file:" and the white list ensure that a name like "concat:…" is only a name.
  const input = ['-protocol_whitelist', 'file', '-i', `file:${path}`];
  const output = ['-an', '-vf', `scale=16:16,fps=${fps}`, '-pix_fmt', 'gray', '-f', 'yuv4mpegpipe', 'pipe:1'];
  const run = spawnSync(ffmpeg, ['-nostdin', '-v', 'error', ...input, ...output], {
    maxBuffer: largestFile,
    timeout: 600_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const code = (run.error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOENT') {
    throw new FileError(
      `${path}: only .y4m and .gray are read without ffmpeg. Install ffmpeg, or convert the file elsewhere`,
    );
  }
  if (run.error) throw new FileError(`${path}: ffmpeg could not be run (${code ?? run.error.message})`);
  if (run.status !== 0) {
    const said = run.stderr.toString().trim().split('\n').at(-1)?.slice(0, 200);
    throw new FileError(`${path}: ffmpeg could not read it: ${said || `exit status ${run.status}`}`);
  }
  return run.stdout;
}
