import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { FileError, InputError } from '../common/errors.js';
import { isRecord } from '../common/json.js';
import { readJsonFile, WRITTEN } from '../common/jsonFile.js';
import type { Device } from '../device/device.js';
import { profileFor } from '../engine/precision.js';
import { DOOR_KINDS, SIZES } from '../model/config.js';
import { readRun } from '../report/readRun.js';
import { writeReport } from '../report/report.js';
import { terminalChart } from '../report/terminal.js';
import type { Measures } from '../train/measures.js';
import { Checkpoints, type SavedState } from '../train/run/checkpoints.js';
import { runConfig } from '../train/run/config.js';
import { type OpenedData, openData } from '../train/run/data.js';
import { RunFolder } from '../train/run/folder.js';
import { CHANNEL_GROUPS, decoderConfigOf, resolveTrainOptions, type TrainOptions } from '../train/run/options.js';
import { differences, openRun, type ResumedRun } from '../train/run/resume.js';
import { parameterCounts, type TrainExtras, train } from '../train/run/train.js';
import { printable } from '../train/windows/show.js';
import { VALIDATION_PARTS } from '../train/windows/split.js';
import { count } from '../train/windows/words.js';
import {
  byKind,
  listed,
  MADE_HELP,
  made,
  option,
  path,
  paths,
  realNumber,
  wholeNumber,
  windowSize,
} from './arguments.js';
import { deviceOf, withDevice } from './device.js';
import { measureTexts, validationText } from './measureText.js';
import { outputError, printableLines } from './output.js';
import { programCommand, shellWord } from './program.js';
import { showProgress } from './progress.js';
import { onStop } from './stop.js';
import { version } from './version.js';

/** The flags of `TrainOptions`: flag, help text and, unless its value is the word itself, the parser of `option`. */
const SETTINGS: readonly (readonly [flags: string, help: string, parse?: (text: string) => unknown])[] = [
  ['--text <file...>', 'text or .jsonl files (default: Moby-Dick)', paths],
  ['--audio <path>', 'a manifest of {"audio", "caption"} lines, or a folder of spoken digits', path],
  ['--video <file...>', 'films, or manifests of {"video", …} lines', paths],
  ['--made <what...>', MADE_HELP, made],
  ['--share <kind=n...>', 'share of each kind of window, as text=0.6 audio=0.4', byKind(realNumber)],
  ['--window <kind=prefix+stream...>', 'window size of one kind, as audio=1024+32', byKind(windowSize)],
  ['--rate <hertz>', 'audio samples per second (default: 4000)', wholeNumber],
  ['--fps <frames>', 'frames per second of films without a rate (default: 8)', wholeNumber],
  ['--validation-windows <n>', 'number of held-out windows of each kind to score (default: 32)', wholeNumber],
  ['--validation-part <part>', `which of them are scored: ${VALIDATION_PARTS.join(', ')} (default: all)`],
  ['--strict', 'stop at the first bad line or file instead of skipping it'],
  ['--size <name>', `decoder size: ${Object.keys(SIZES).join(', ')} (default: tiny)`],
  ['--door <kind>', `input embedding: ${DOOR_KINDS.join(', ')} (default: zero)`],
  ['--door-deviation <x>', 'initial deviation of the door (default: 0.02)', realNumber],
  ['--door-scale <x>', 'constant factor of the rows of the door (default: 1)', realNumber],
  ['--K <n>', 'bytes per slot', wholeNumber],
  ['--dim <n>', 'width of every position', wholeNumber],
  ['--layers <n>', 'blocks', wholeNumber],
  ['--heads <n>', 'attention heads', wholeNumber],
  ['--channels <groups>', `channels to keep: ${CHANNEL_GROUPS.join(', ')} (default: all but bits)`, listed],
  ['--bits', 'prepend the raw bits: 35 channels in place of 27'],
  ['--prefix <bytes>', 'prefix bytes, packed into slots (default: 128; audio 1024, video 384)', wholeNumber],
  ['--stream <bytes>', 'bytes after, predicted (default: 128; audio 64, video 384)', wholeNumber],
  ['--batch <n>', 'windows per batch (default: 8)', wholeNumber],
  ['--accumulate <n>', 'batches per update (default: 1)', wholeNumber],
  ['--steps <n>', 'updates (default: 300)', wholeNumber],
  ['--lr <x>', 'highest learning rate (default: 2e-3)', realNumber],
  ['--warmup <n>', 'linear warm-up steps (default: 20)', wholeNumber],
  ['--decay <what>', 'parameters with weight decay: matrices, all (default: matrices)'],
  ['--precision <what>', 'precision of matrix products: full, mixed (default: full)'],
  ['--seed <n>', 'random seed (default: 0)', wholeNumber],
  ['--eval-every <n>', 'updates between validations, 0 for none but the last (default: 100)', wholeNumber],
  ['--save-every <n>', 'updates between checkpoints, 0 for none but the last (default: 100)', wholeNumber],
  ['--keep <n>', 'number of newest checkpoints to keep, besides the best; 0 for all (default: 3)', wholeNumber],
  ['--skip-nonfinite', 'skip a few updates with a loss or gradient that is not finite, instead of ending the run'],
];

/** `byte-to-loss train`: from bytes to a decoder, with all information about the run in one folder. */
export function trainCommand(): Command {
  const command = withDevice(new Command('train').description('train a decoder on text, sounds and films'));
  for (const [flags, help, parse] of SETTINGS) {
    const setting = new Option(flags, help);
    if (setting.required) setting.argParser(option(setting.attributeName() as keyof TrainOptions, parse));
    command.addOption(setting);
  }
  return command
    .option('--out <folder>', 'run folder (default: runs/ and the date and time)', path)
    .option('--resume <run>', 'resume an interrupted run from its newest checkpoint, with its configuration', path)
    .option('--config <file>', "JSON with any of these names, or a run's config.json; flags win", path)
    .action(async ({ config: file, resume, ...flags }: Record<string, unknown> & Special) => {
      if (resume !== undefined && file !== undefined) throw new InputError('give --resume or --config, not both');
      if (resume !== undefined) {
        const run = openRun(resume, flags);
        return runTrain(run.options, (config) => resumeRun(run, config)).finally(() => run.folder.release());
      }
      const settings = file === undefined ? {} : readSettings(file);
      const options = resolveTrainOptions({ ...settings, ...flags }, file ?? 'train');
      return runTrain(options, (config) => begin(options, config));
    });
}

/** Options from a file, or from the config.json of a run, except its `out`: that folder holds that run. */
function readSettings(file: string): Record<string, unknown> {
  const settings = readJsonFile(file, WRITTEN); // it may be the config.json of a run
  if (!isRecord(settings)) throw new FileError(`${file}: must hold an object, as {"steps": 300}`);
  if (!isRecord(settings.options)) return settings;
  const { out: _, ...options } = settings.options;
  return options;
}

interface Special {
  readonly config?: string;
  readonly resume?: string;
}

type Config = ReturnType<typeof runConfig>;

/** A run's folder, whose lock is held, and the checkpoint to resume from. */
interface Begun {
  readonly folder: RunFolder;
  /** a new run, whose folder is removed again if it cannot begin */
  readonly isNew: boolean;
  readonly from?: SavedState | undefined;
}

/** @param take creates or reopens the folder, after the data and the device are open */
async function runTrain(options: TrainOptions, take: (config: Config) => Begun): Promise<void> {
  const data = openData(options);
  const open = () => deviceOf(options);
  const device = await open();
  try {
    profileFor(device, options.precision); // fails now if the device does not support it
    const { folder, isNew, from } = take(runConfig(options, data, device, version));
    try {
      announce(options, data, device);
      await trainInto(folder, options, data, device, { from, reopen: open });
    } catch (error) {
      if (isNew) folder.discard();
      throw error;
    } finally {
      folder.release();
    }
  } finally {
    device.close();
  }
}

function announce(options: TrainOptions, data: OpenedData, device: Device): void {
  const counts = parameterCounts(options);
  const decoder = decoderConfigOf(options);
  for (const line of data.describe().split('\n')) console.log(printable(line));
  for (const reason of data.leftOut.reasons) console.log(`left out: ${printable(reason)}`);
  console.log(
    `${options.door} door, ${counts.door.toLocaleString('en')} parameters in it; decoder of ${counts.all.toLocaleString('en')} parameters ` +
      `(dim ${decoder.dim}, ${decoder.layers} layers, ${decoder.heads} heads, K ${decoder.K}) on ${device.name}`,
  );
}

async function trainInto(
  folder: RunFolder,
  options: TrainOptions,
  data: OpenedData,
  device: Device,
  extras: TrainExtras,
): Promise<void> {
  const progress = showProgress();
  const hint = `to resume: ${programCommand()} train --resume ${shellWord(resolve(folder.path))}`;
  const stop = onStop(progress, hint);
  try {
    const ends = () => stop.signal !== undefined || outputError() !== undefined;
    const result = await train(device, options, data, folder, progress, ends, extras);
    writeReport([folder.path]);
    progress.end();
    const failure = outputError();
    if (failure !== undefined) throw new FileError(failure);
    if (!result.stopped) {
      printEnd(result.measures, data.entropy);
      printSample(data, result.sample);
    }
    if (result.skipped > 0) console.log(`${count(result.skipped, 'step')} skipped: loss or gradient not finite\n`);
    const chart = terminalChart(readRun(folder.path), process.stdout.columns);
    if (chart !== undefined) console.log(`${chart}\n`);
    console.log(`run folder: ${folder.path}  (its report.html has the curves)`);
    if (result.stopped) console.log(hint);
    else {
      const run = shellWord(resolve(folder.path));
      console.log(`to continue a text: ${programCommand()} generate --checkpoint ${run} --prompt 'The '`);
    }
  } finally {
    progress.end();
    stop.off();
  }
}

function begin({ out, size, door }: TrainOptions, config: Config): Begun {
  const folder = out === undefined ? RunFolder.createNamed(size, door) : RunFolder.create(out);
  try {
    folder.writeJson('config.json', config);
    return { folder, isNew: true };
  } catch (error) {
    folder.discard();
    throw error;
  }
}

/** Resume an interrupted run from its newest readable checkpoint. */
function resumeRun(run: ResumedRun, now: Config): Begun {
  const { folder, options, config, changes, notes } = run;
  for (const line of [...notes, ...differences(run, now)]) console.log(printableLines(line));
  const from = new Checkpoints(folder.checkpoints, options.keep, (line) =>
    console.error(printableLines(line)),
  ).newest();
  if (Object.keys(changes).length > 0) {
    folder.writeJson('config.json', { ...config, options: { ...config.options, ...changes } });
  }
  console.log(
    from ? `resuming from step ${from.checkpoint.step}` : 'there is no checkpoint: starting from the first step',
  );
  return { folder, isNew: false, from };
}

function printEnd({ text_bpb, ...others }: Measures, entropy: number | undefined): void {
  console.log('');
  const lines = measureTexts(others);
  if (text_bpb !== undefined && entropy !== undefined) {
    const text = lines.length === 0 ? validationText({ text_bpb }) : measureTexts({ text_bpb })[0];
    lines.unshift(`${text}; the text's order-0 entropy is ${entropy.toFixed(3)}`);
  }
  for (const line of lines) console.log(line);
  console.log('');
}

/**
 * The decoder's output after the first held-out window: text continues its prompt, a sound is described in words. The
 * pixels of a film are not printed.
 */
function printSample({ sources: [first], prompt }: OpenedData, sample: Uint8Array): void {
  if (first!.kind === 'video') return;
  // Line by line, so that line ends are the only control characters that reach the terminal.
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).split(/\r?\n/).map(printable).join('\n');
  const cut = Math.min(prompt.filter((id) => id < 256).length, sample.length);
  const [given, made] =
    first!.kind === 'text'
      ? [`held-out prompt:  …${text(sample.subarray(0, cut))}`, 'its continuation: ']
      : [
          `caption of a held-out sound: ${printable(first!.validation(0).info.caption ?? '')}`,
          "the decoder's caption:       ",
        ];
  console.log(`${given}\n${made}${text(sample.subarray(cut))}\n`);
}
