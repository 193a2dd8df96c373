import { InputError } from '../../common/errors.js';
import { SILENCE } from '../data/mulaw.js';
import { captionIds } from './caption.js';
import { MASK, type Part, type Window, type WindowSize } from './window.js';

/** Bytes reserved for a caption and its EOS. */
const CAPTION = 64;

/** The parts of a video window: `[side² grey bytes | audio μ-law bytes | caption bytes]`. */
export interface VideoLayout {
  readonly side: number;
  readonly audio: number;
  readonly caption: number;
}

/**
 * The layout that fills a size: 16 x 16 grey bytes, room for a caption, and audio in the rest of the smaller of prefix
 * and stream.
 *
 * @throws InputError when the size is too small for frame and caption
 */
export function videoLayout(size: WindowSize): VideoLayout {
  const frame = 16 * 16;
  const audio = Math.min(size.prefix, size.stream) - frame - CAPTION;
  if (audio < 0) {
    throw new InputError(
      `video: a window of ${size.prefix}+${size.stream} bytes is too small: prefix and stream each hold a frame of ${frame} bytes ` +
        `and a caption of ${CAPTION}, so each needs at least ${frame + CAPTION}`,
    );
  }
  return { side: 16, audio, caption: CAPTION };
}

/** One moment of a film: a frame, the sound from then on, and its caption (undefined: there are no captions). */
export interface Moment {
  readonly frame: Uint8Array;
  readonly audio: Uint8Array;
  readonly caption: string | undefined;
}

/**
 * One moment → the next. The prefix is padded with MASK before the moment, the stream with MASK of weight 0 after it.
 *
 * In the prefix a caption is its bytes; in the stream its EOS is predicted too, so an empty caption is an EOS alone. Captions must fit the layout.
 */
export function videoWindow(
  before: Moment,
  next: Moment,
  layout: VideoLayout,
  size: WindowSize,
  source: string,
  at: number,
): Window {
  const length = layout.side ** 2 + layout.audio + layout.caption;
  const prefix = new Uint32Array(size.prefix).fill(MASK);
  const prefixParts = place(prefix, size.prefix - length, before, layout);
  // EOS is predicted only
  for (let i = prefixParts.captionStart; i < prefix.length; i++) if (prefix[i]! > MASK) prefix[i] = MASK;
  const stream = new Uint32Array(size.stream).fill(MASK);
  const streamParts = place(stream, 0, next, layout);
  const weights = Float32Array.from(stream, (id) => (id === MASK ? 0 : 1));
  return {
    kind: 'video',
    prefix,
    stream,
    weights,
    info: {
      source,
      at,
      ...(next.caption === undefined ? {} : { caption: next.caption }),
      parts: { prefix: prefixParts.parts, stream: streamParts.parts },
    },
  };
}

/** Write a moment into `ids` from `start` on. */
function place(
  ids: Uint32Array,
  start: number,
  { frame, audio, caption }: Moment,
  layout: VideoLayout,
): { parts: Part[]; captionStart: number } {
  const audioStart = start + layout.side ** 2;
  const captionStart = audioStart + layout.audio;
  ids.set(frame, start);
  ids.fill(SILENCE, audioStart, captionStart).set(audio.subarray(0, layout.audio), audioStart);
  const parts: Part[] = [{ name: 'frame', start, end: audioStart }];
  if (layout.audio > 0) parts.push({ name: 'audio', start: audioStart, end: captionStart });
  if (caption !== undefined) {
    const words = captionIds(caption, layout.caption)!;
    ids.set(words.ids, captionStart);
    parts.push({ name: 'caption', start: captionStart, end: captionStart + words.used - 1 });
  }
  return { parts, captionStart };
}
