import { Command, Option } from 'commander';
import { writeFileAtomic } from '../common/atomicWrite.js';
import { InputError } from '../common/errors.js';
import { formatShape } from '../common/shape.js';
import type { Device } from '../device/device.js';
import type { Trace } from '../inspect/trace.js';
import { DOOR_KINDS, type DoorKind, SIZES, type SizeName } from '../model/config.js';
import { Decoder } from '../model/decoder.js';
import { initialParameters } from '../model/parameters.js';
import type { Checkpoint } from '../train/checkpointFormat.js';
import { atLeast, path, wholeNumber } from './arguments.js';
import { type DeviceFlags, onDevice, withDevice } from './device.js';
import { inspect } from './inspect/inspection.js';
import { inspectionJson } from './inspect/json.js';
import { npyBytes } from './inspect/npy.js';
import { FIRST_TEXT, type Opened } from './inspect/opened.js';
import { explorerPage } from './inspect/page.js';
import { shortNumber } from './inspect/signs.js';
import { audioWindow, type InspectWindow, textWindow, type WindowLimits } from './inspect/window.js';
import { StatusLine } from './statusLine.js';
import { CHECKPOINT_HELP, CONFIG_ALONE, CONFIG_HELP, chosenWeights } from './weights.js';

interface InspectFlags extends DeviceFlags {
  readonly checkpoint?: string;
  readonly config?: string;
  readonly text: string;
  readonly audio?: string;
  readonly rate: number;
  readonly out?: string;
  readonly json?: boolean;
  readonly tensor?: string;
  readonly npy?: string;
  readonly size: SizeName;
  readonly door: DoorKind;
  readonly seed: number;
}

/** The window of an untrained decoder: that of `train`. */
const FRESH_WINDOW = { prefix: 128, stream: 128 };

/** `byte-to-loss inspect`: one pass from byte to loss and back, as a page that computes it, or as data. */
export function inspectCommand(): Command {
  return withDevice(
    new Command('inspect').description(
      'write the explorer, a page that opens on a decoder and a text, or the numbers of one pass',
    ),
  )
    .option('--text <text>', 'bytes to inspect: the first half is the prefix, the rest is predicted', FIRST_TEXT)
    .option('--checkpoint <file>', CHECKPOINT_HELP, path)
    .option('--config <file>', CONFIG_HELP, path)
    .option('--audio <file>', 'a WAV file as prefix; the text is then its caption', path)
    .option(
      '--rate <hertz>',
      "samples per second of the recording in the decoder's training",
      atLeast(1, wholeNumber),
      4000,
    )
    .option('--out <file>', 'file for the page (default: trace.html, unless --json or --tensor)', path)
    .option('--json', 'print JSON: every number of one training step without its update')
    .option('--tensor <name>', 'print one tensor')
    .option('--npy <file>', 'write that tensor as a NumPy file', path)
    .option('--fresh', 'use an untrained decoder, as do the next three options')
    .addOption(new Option('--size <name>', 'size of an untrained decoder').choices(Object.keys(SIZES)).default('tiny'))
    .addOption(new Option('--door <kind>', 'door of an untrained decoder').choices(DOOR_KINDS).default('zero'))
    .option('--seed <n>', 'random seed of an untrained decoder', wholeNumber, 0)
    .action(async (flags: InspectFlags, command: Command) => {
      refuseUnused(flags, command);
      const { json, tensor, npy, out, audio, rate, text } = flags;
      if (npy !== undefined && tensor === undefined) {
        throw new InputError('--npy writes one tensor; name it with --tensor');
      }
      if (audio !== undefined && !given(command, 'text')) throw new InputError('--audio needs --text, its caption');
      const subject = FRESH.some((name) => given(command, name)) ? freshSubject(flags) : trainedSubject(flags);
      const limits = limitsOf(subject);
      const window = audio === undefined ? textWindow(text, limits) : audioWindow(audio, rate, text, limits);
      await onDevice(flags, async (device) => {
        const isData = json || tensor !== undefined;
        if (isData) await printData(device, subject, window, flags);
        if (isData && out === undefined) return;
        const path = out ?? 'trace.html';
        const page = await pageOf(subject, text, window, audio !== undefined);
        writeFileAtomic(path, page);
        if (isData) return;
        const bits = await bitsPerByte(device, subject.decoder, window);
        console.log(subject.origin);
        console.log(`${bits.toFixed(4)} bits per byte over ${window.targets.length} predicted`);
        console.log(`${path} (${(Buffer.byteLength(page) / 1e6).toFixed(1)} MB): open it in a browser`);
      });
    });
}

/** Flags of an untrained decoder. */
const FRESH = ['fresh', 'size', 'door', 'seed'];

const given = (command: Command, name: string) => command.getOptionValueSource(name) === 'cli';

/** @throws InputError for a flag without effect: one of an untrained decoder with a trained one, or the reverse */
function refuseUnused({ checkpoint, audio }: InspectFlags, command: Command): void {
  if (audio === undefined && given(command, 'rate'))
    throw new InputError('--rate is for a recording; name it with --audio');
  if (checkpoint === undefined && given(command, 'config')) throw new InputError(CONFIG_ALONE);
  const unused = FRESH.find((name) => checkpoint !== undefined && given(command, name));
  if (unused !== undefined)
    throw new InputError(`--${unused} needs an untrained decoder; omit it, or omit --checkpoint`);
}

/** The decoder to inspect. */
interface Subject {
  readonly decoder: Checkpoint;
  /** its name in a sentence, and a sentence on its own */
  readonly name: string;
  readonly origin: string;
  readonly kind: Opened['kind'];
}

function freshSubject({ size, door, seed }: InspectFlags): Subject {
  const config = { door, ...SIZES[size] };
  const decoder = { config, step: 0, seed, ...FRESH_WINDOW, parameters: initialParameters(config, seed) };
  const name = `untrained ${size} decoder of seed ${seed}`;
  return { decoder, name: `an ${name}`, origin: `An ${name}.`, kind: 'fresh' };
}

function trainedSubject({ checkpoint, config }: Pick<InspectFlags, 'checkpoint' | 'config'>): Subject {
  const weights = chosenWeights(checkpoint, config);
  const file = checkpoint ?? 'models/moby-dick.safetensors';
  const trained = checkpoint === undefined ? ', trained on Moby-Dick,' : '';
  const updates = weights.step === undefined ? '' : ` after ${weights.step} updates`;
  const origin = `The decoder of ${file}${trained}${updates}.`;
  return {
    decoder: { step: 0, seed: 0, ...weights },
    name: `${file}${updates}`,
    origin,
    kind: checkpoint === undefined ? 'package' : 'trained',
  };
}

/** The page that `inspect` writes without a flag: the decoder of the package, and the first text. */
export function packagePage(): Promise<string> {
  const subject = trainedSubject({});
  return pageOf(subject, FIRST_TEXT, textWindow(FIRST_TEXT, limitsOf(subject)), false);
}

function pageOf(
  { decoder, name, kind }: Subject,
  text: string,
  { prefix }: InspectWindow,
  isRecording: boolean,
): Promise<string> {
  const recording = isRecording ? { recording: [...prefix] } : {};
  return explorerPage(decoder, { name, kind, text, before: prefix.length, ...recording });
}

function limitsOf({ decoder: { prefix, stream, config } }: Subject): WindowLimits {
  return { prefix, stream, K: config.K };
}

async function printData(
  device: Device,
  { decoder: { config, parameters }, origin }: Subject,
  window: InspectWindow,
  { json, tensor, npy }: InspectFlags,
): Promise<void> {
  // A large decoder's references take long, so a terminal shows a count of entries.
  const status = new StatusLine(process.stderr);
  const count = (done: number, of: number) => status.show(() => `entry ${done} of ${of}`);
  const inspection = await inspect(device, { config, parameters, origin }, window, count).finally(() => status.end());
  if (json) console.log(JSON.stringify(inspectionJson(inspection)));
  if (tensor !== undefined) showTensor(inspection.trace, tensor, npy);
}

async function bitsPerByte(device: Device, { config, parameters }: Checkpoint, window: InspectWindow): Promise<number> {
  const bits = await new Decoder(device, config, { parameters }).score(window.prefix, window.targets);
  return bits.reduce((sum, each) => sum + each, 0) / bits.length;
}

/** Maximum length of a row that is printed in full. */
const PRINTED = 4096;

function showTensor(trace: Trace, name: string, npy: string | undefined): void {
  const tensor = trace.find(name);
  const { data } = trace.value(tensor.id);
  const { shape, dtype, role, statistics } = tensor;
  if (npy !== undefined) writeFileAtomic(npy, npyBytes(shape, dtype, data));
  console.log(`${tensor.name} ${formatShape(shape)} ${dtype}, ${role}`);
  const { min, mean, max, norm, nonFinite } = statistics;
  console.log(
    `min ${shortNumber(min)}  mean ${shortNumber(mean)}  max ${shortNumber(max)}  norm ${shortNumber(norm)}  not finite ${nonFinite}`,
  );
  const width = shape.at(-1) ?? 1;
  for (let at = 0; at < Math.min(data.length, PRINTED); at += width) {
    console.log(Array.from(data.subarray(at, Math.min(at + width, PRINTED)), shortNumber).join(' '));
  }
  if (data.length > PRINTED) console.log(`… ${data.length - PRINTED} more; --npy FILE writes them all`);
}
