import { InputError } from '../../common/errors.js';
import { SILENCE } from '../../train/data/mulaw.js';
import { toMuLaw } from '../../train/data/toMuLaw.js';
import { readWav } from '../../train/data/wav.js';
import { EOS } from '../../train/windows/window.js';

/** The input and the targets of one pass. */
export interface InspectWindow {
  /** [L] bytes packed into slots */
  readonly prefix: Uint8Array;
  /** [T] ids to predict: bytes, and EOS after a caption */
  readonly targets: Uint32Array;
}

/** The longest window of a decoder: that of its training. */
export interface WindowLimits {
  readonly prefix: number;
  readonly stream: number;
  /** bytes per slot */
  readonly K: number;
}

/**
 * Cut a text into the part the decoder is given and the part it predicts: its first half, in whole slots, is the prefix.
 *
 *     textWindow('abcdefgh', { prefix: 128, stream: 128, K: 4 })   // prefix 'abcd', targets 'efgh'
 *
 * @throws InputError when there is no byte, or there are more than the window holds
 */
export function textWindow(text: string, { prefix, stream, K }: WindowLimits): InspectWindow {
  const bytes = bytesOf(text);
  if (bytes.length > prefix + stream) {
    throw new InputError(
      `--text is ${bytes.length} bytes, longer than the decoder's window of ${prefix} + ${stream} (prefix + stream); ` +
        `give at most ${prefix + stream}`,
    );
  }
  const half = Math.floor(bytes.length / 2 / K) * K;
  const atLeast = Math.ceil(Math.max(0, bytes.length - stream) / K) * K;
  const L = Math.min(prefix, Math.max(half, atLeast));
  return { prefix: bytes.slice(0, L), targets: Uint32Array.from(bytes.subarray(L)) };
}

/**
 * A recording as prefix, and the text as its caption, closed by EOS.
 *
 * @param rate samples per second that the decoder was trained with
 * @throws InputError when the text is empty or longer than the stream; FileError when the recording cannot be read
 */
export function audioWindow(path: string, rate: number, text: string, { prefix, stream }: WindowLimits): InspectWindow {
  const bytes = bytesOf(text);
  if (bytes.length + 1 > stream) {
    throw new InputError(
      `--text is ${bytes.length} bytes; with --audio it is the caption, and with its EOS must fit the stream of ${stream}`,
    );
  }
  if (prefix === 0) throw new InputError('--audio needs a decoder with a prefix; this one was trained without');
  const heard = new Uint8Array(prefix).fill(SILENCE);
  heard.set(toMuLaw(readWav(path), rate, prefix));
  return {
    prefix: heard,
    targets: Uint32Array.from([...bytes, EOS]),
  };
}

function bytesOf(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length === 0) throw new InputError('--text is empty; give at least one byte to predict');
  return bytes;
}
