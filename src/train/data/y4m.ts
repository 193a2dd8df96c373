import { FileError } from '../../common/errors.js';

/** Grey frames in time order. */
export interface Film {
  readonly fps: number;
  /** number of frames */
  readonly length: number;
  /** The n-th frame: `side` x `side` bytes, row by row from the top. A view, created on demand: there are many. */
  frame(n: number): Uint8Array;
}

/**
 * Read a y4m film's brightness: one header line, then per frame a line `FRAME` and the planes. Frames must be `side` x
 * `side`, since nothing is scaled silently; chroma is skipped.
 *
 *     YUV4MPEG2 W16 H16 F8:1 Ip A1:1 Cmono
 *
 * @throws FileError when it is truncated, has another size, or another colour space than mono and 4:2:0 in 8 bits
 * @see https://wiki.multimedia.cx/index.php/YUV4MPEG2
 */
export function parseY4m(bytes: Uint8Array, file: string, side = 16): Film {
  const fail: (what: string) => never = (what) => {
    throw new FileError(`${file}: ${what}`);
  };
  const convert = `Convert it: ffmpeg -i IN -vf scale=${side}:${side},fps=8 -pix_fmt gray -f yuv4mpegpipe OUT.y4m`;
  if (bytes.length === 0) fail('is empty; a y4m film is needed');
  const [magic, ...fields] = (line(bytes, 0) ?? '').split(' ');
  if (magic !== 'YUV4MPEG2') fail('not a y4m film: its first line does not start with YUV4MPEG2');
  const field = (letter: string) => fields.find((text) => text.startsWith(letter))?.slice(1);

  const width = whole(field('W'));
  const height = whole(field('H'));
  if (width !== side || height !== side)
    fail(`frames are ${field('W') ?? '?'} x ${field('H') ?? '?'}; ${side} x ${side} are needed. ${convert}`);
  const [, num, den] = /^(\d{1,9}):(\d{1,9})$/.exec(field('F') ?? '') ?? [];
  const fps = Number(num) / Number(den);
  if (!(fps > 0 && fps <= 1000)) fail(`frame rate ${JSON.stringify(field('F') ?? '')} is not of the form 8:1`);
  const colour = field('C') ?? '420';
  if (!['mono', '420', '420jpeg', '420mpeg2', '420paldv'].includes(colour)) {
    fail(`colour space ${JSON.stringify(colour.slice(0, 20))} is not read; mono and 420 are. ${convert}`);
  }

  const grey = side * side;
  const chroma = colour === 'mono' ? 0 : 2 * Math.ceil(side / 2) ** 2;
  const starts: number[] = [];
  for (let at = line(bytes, 0)!.length + 1; at < bytes.length; ) {
    const head = line(bytes, at);
    if (head === undefined || !/^FRAME( |$)/.test(head))
      return fail(`frame ${starts.length} does not start with FRAME`);
    at += head.length + 1;
    if (bytes.length - at < grey + chroma) {
      fail(`truncated: frame ${starts.length} has ${bytes.length - at} of ${grey + chroma} bytes`);
    }
    starts.push(at);
    at += grey + chroma;
  }
  if (starts.length === 0) fail('holds no frames');
  return { fps, length: starts.length, frame: (n) => bytes.subarray(starts[n]!, starts[n]! + grey) };
}

/** Raw grey frames of `side` x `side` bytes, one after another. @throws FileError when they are not whole */
export function parseGrey(bytes: Uint8Array, file: string, fps: number, side = 16): Film {
  const grey = side * side;
  if (bytes.length === 0) throw new FileError(`${file}: is empty; raw grey frames of ${grey} bytes are needed`);
  if (bytes.length % grey !== 0) {
    throw new FileError(
      `${file}: truncated, or of another size: ${bytes.length} bytes are not whole frames of ${side} x ${side} = ${grey}`,
    );
  }
  return { fps, length: bytes.length / grey, frame: (n) => bytes.subarray(n * grey, (n + 1) * grey) };
}

/** The text from `at` to the next newline, which must come within 256 bytes. */
function line(bytes: Uint8Array, at: number): string | undefined {
  const end = bytes.subarray(at, at + 256).indexOf(10);
  return end === -1 ? undefined : String.fromCharCode(...bytes.subarray(at, at + end));
}

function whole(text: string | undefined): number {
  return /^\d{1,6}$/.test(text ?? '') ? Number(text) : Number.NaN;
}
