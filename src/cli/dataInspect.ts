import { Command, InvalidArgumentError, Option } from 'commander';
import { InputError } from '../common/errors.js';
import type { Skipped } from '../train/data/skipped.js';
import { openAudio } from '../train/windows/audio.js';
import { printable, showWindow } from '../train/windows/show.js';
import { syntheticScenes } from '../train/windows/syntheticScene.js';
import { syntheticSounds } from '../train/windows/syntheticSound.js';
import { openText } from '../train/windows/text.js';
import { openVideo } from '../train/windows/video.js';
import type { Split, WindowSource } from '../train/windows/window.js';
import { atLeast, MADE_HELP, made, option, path, paths, realNumber, wholeNumber } from './arguments.js';

interface InspectOptions {
  readonly text?: string[] | true;
  readonly audio?: string;
  readonly video?: string[];
  readonly made?: readonly string[];
  readonly prefix: number;
  readonly stream: number;
  readonly rate: number;
  readonly fps: number;
  readonly validation?: number;
  readonly split: Split;
  readonly seed: number;
  readonly window: number;
  readonly strict?: boolean;
}

/** `byte-to-loss data …` */
export function dataCommand(): Command {
  const inspect = new Command('inspect')
    .description('count the windows for training, and show one of each kind as picture, waveform and text')
    .option('--text [files...]', 'text or JSONL files (without a file: the default text)', paths)
    .option('--audio <path>', 'a manifest of {"audio", "caption"} lines, or a folder of spoken digits', path)
    .option(
      '--video <files...>',
      'films (y4m, gray, or any format that ffmpeg reads) or manifests of {"video", …} lines',
      paths,
    )
    .option('--made <what...>', `${MADE_HELP} (default: both, with the default text)`, option('made', made))
    .option('--prefix <bytes>', 'bytes in a prefix', atLeast(1, wholeNumber), 1024)
    .option('--stream <bytes>', 'ids in a stream', atLeast(1, wholeNumber), 512)
    .option('--rate <hertz>', 'audio samples per second', option('rate', wholeNumber), 4000)
    .option(
      '--fps <frames>',
      'frames per second of raw frames and of films read by ffmpeg',
      option('fps', wholeNumber),
      8,
    )
    .option('--validation <share>', 'share of held-out data (default: 0.1; synthetic windows: 0.5)', share)
    .addOption(new Option('--split <split>', 'split to show').choices(['train', 'validation']).default('validation'))
    .option('--window <number>', 'number of the window to show', wholeNumber, 0)
    .option('--seed <seed>', 'random seed of the training windows', wholeNumber, 0)
    .option('--strict', 'stop at the first bad line or file')
    .action((options: InspectOptions) => {
      process.stdout.write(`${inspectData(options)}\n`);
    });
  return new Command('data').description('look at the data').addCommand(inspect);
}

/** The output of `data inspect`. */
export function inspectData(options: InspectOptions): string {
  return open(options)
    .map((source) => {
      const lines = [printable(source.describe())];
      const { leftOut } = source;
      for (const reason of leftOut?.reasons.slice(0, 10) ?? []) lines.push(`  left out: ${printable(reason)}`);
      if (leftOut && leftOut.count > 10) lines.push(`  left out: ${leftOut.count - 10} more`);
      return [...lines, '', showWindow(pick(source, options))].join('\n');
    })
    .join('\n\n');
}

type Source = WindowSource & { readonly leftOut?: Skipped };

function open({ text, audio, video, made, ...options }: InspectOptions): Source[] {
  const size = { prefix: options.prefix, stream: options.stream };
  const { rate, fps, validation, strict = false } = options;
  const held = validation === undefined ? {} : { validation };
  const nothing = !text && !audio && !video && !made;
  const sources: Source[] = [];
  if (text || nothing) sources.push(openText(Array.isArray(text) ? text : [], size, { ...held, strict }));
  if (audio) sources.push(openAudio(audio, size, { rate, ...held, strict }));
  if (video) sources.push(openVideo(video, size, { rate, fps, ...held, strict }));
  if (made?.includes('sounds') || nothing) sources.push(syntheticSounds(size, held));
  if (made?.includes('scenes') || nothing) sources.push(syntheticScenes(size, held));
  return sources;
}

function pick(source: Source, { split, window, seed }: InspectOptions) {
  if (split === 'train') return source.sample('train', seed, window, 0);
  if (window < source.validationCount) return source.validation(window);
  throw new InputError(
    `${source.name}: --window must be below ${source.validationCount}, the number of held-out windows; got ${window}`,
  );
}

function share(text: string): number {
  const value = realNumber(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('It must be between 0 and 1.');
  return value;
}
