import { InputError } from '../../common/errors.js';
import type { Skipped } from '../data/skipped.js';
import { openAudio } from '../windows/audio.js';
import { mix } from '../windows/mix.js';
import { withPart } from '../windows/split.js';
import { syntheticScenes } from '../windows/syntheticScene.js';
import { syntheticSounds } from '../windows/syntheticSound.js';
import { openText, type TextSource } from '../windows/text.js';
import { openVideo } from '../windows/video.js';
import type { WindowKind, WindowSource } from '../windows/window.js';
import { kindsOf, type TrainOptions, windowSizeOf } from './options.js';
import type { RunData } from './train.js';

/** A run's data, and facts about it for a reader. */
export interface OpenedData extends RunData {
  readonly sources: readonly (WindowSource & { readonly leftOut?: Skipped })[];
  /** bits per byte of the held-out text by its byte frequencies alone; undefined without text */
  readonly entropy: number | undefined;
  /** skipped lines and files, over all sources */
  readonly leftOut: { readonly count: number; readonly reasons: readonly string[] };
  /** a line per kind: its share, counts, bytes, the split, the skipped items */
  describe(): string;
}

/**
 * Open a run's data, for the kinds that `kindsOf` returns. Without files, text is the default text, and sounds and
 * scenes are synthetic.
 *
 * @throws FileError when a source holds nothing usable; a bad line or file is skipped and counted, unless `strict`
 * @throws InputError when a kind is both made and read, or a window is too small for its parts
 */
export function openData(options: TrainOptions): OpenedData {
  const sources = kindsOf(options).map((kind) => open(kind, options));
  const validation = sources.map((source) => withPart(source, options.validationPart));
  const none = validation.find(({ validationCount }) => validationCount === 0);
  if (none !== undefined) {
    throw new InputError(
      `validationPart: ${none.name} has no ${options.validationPart} held-out window; score more than one, or all`,
    );
  }
  const text = sources.find((source): source is TextSource => source.kind === 'text');
  const windows = mix(sources.map((source) => ({ source, share: options.share[source.kind] ?? 1 })));
  const leftOut = sources.flatMap((source) => (source.leftOut ? [source.leftOut] : []));
  return {
    mix: windows,
    sources,
    validation,
    prompt: validation[0]!.validation(0).prefix,
    entropy: text?.entropy,
    leftOut: {
      count: leftOut.reduce((sum, { count }) => sum + count, 0),
      reasons: leftOut.flatMap(({ reasons }) => reasons),
    },
    describe: () => windows.describe(),
  };
}

type Opened = WindowSource & { readonly leftOut?: Skipped };

function open(kind: WindowKind, options: TrainOptions): Opened {
  const { text, audio, video, made, rate, fps, strict, validationWindows } = options;
  const size = windowSizeOf(kind, options);
  if (kind === 'text') return openText(text, size, { strict, validationWindows });
  const given = kind === 'audio' ? audio !== undefined : video.length > 0;
  if (given && made.includes(kind === 'audio' ? 'sounds' : 'scenes')) {
    throw new InputError(`${kind} windows are read from files or made here, not both; leave out --${kind} or --made`);
  }
  if (kind === 'audio') {
    return audio === undefined
      ? syntheticSounds(size, { validationWindows })
      : openAudio(audio, size, { rate, strict, validationWindows });
  }
  return video.length === 0
    ? syntheticScenes(size, { validationWindows })
    : openVideo(video, size, { rate, fps, strict, validationWindows });
}
