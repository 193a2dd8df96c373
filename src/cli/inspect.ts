import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { writeFileAtomic } from '../common/atomicWrite.js';
import { InputError } from '../common/errors.js';
import { formatShape } from '../common/shape.js';
import type { Trace } from '../inspect/trace.js';
import { DOOR_KINDS, type DoorKind, SIZES, type SizeName } from '../model/config.js';
import { initialParameters } from '../model/parameters.js';
import { path, wholeNumber } from './arguments.js';
import { type DeviceFlags, deviceOf, withDevice } from './device.js';
import { type Inspection, inspect, type Subject } from './inspect/inspection.js';
import { inspectionJson } from './inspect/json.js';
import { npyBytes } from './inspect/npy.js';
import { inspectionPage } from './inspect/page.js';
import { shortNumber } from './inspect/signs.js';
import { audioWindow, textWindow, type WindowLimits } from './inspect/window.js';
import { StatusLine } from './statusLine.js';
import { CHECKPOINT_HELP, CONFIG_ALONE, CONFIG_HELP, chosenWeights } from './weights.js';

interface InspectFlags extends DeviceFlags {
  readonly checkpoint?: string;
  readonly config?: string;
  readonly text: string;
  readonly audio?: string;
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

/** `byte-to-loss inspect`: one pass from byte to loss and back, with every number, as a page or as data. */
export function inspectCommand(): Command {
  return withDevice(
    new Command('inspect').description('show one pass from byte to loss and back, every op and number, as a page'),
  )
    .requiredOption('--text <text>', 'bytes to inspect: the first half is the prefix, the rest is predicted')
    .option('--checkpoint <file>', CHECKPOINT_HELP, path)
    .option('--config <file>', CONFIG_HELP, path)
    .option('--audio <file>', 'a WAV file as prefix; the text is then its caption', path)
    .option('--out <file>', 'file for the page (default: trace.html, unless --json or --tensor)', path)
    .option('--json', 'print JSON: everything the page shows')
    .option('--tensor <name>', 'print one tensor')
    .option('--npy <file>', 'write that tensor as a NumPy file', path)
    .option('--fresh', 'use an untrained decoder, as do the next three options')
    .addOption(new Option('--size <name>', 'size of an untrained decoder').choices(Object.keys(SIZES)).default('tiny'))
    .addOption(new Option('--door <kind>', 'door of an untrained decoder').choices(DOOR_KINDS).default('zero'))
    .option('--seed <n>', 'random seed of an untrained decoder', wholeNumber, 0)
    .action(async (flags: InspectFlags, command: Command) => {
      refuseUnused(flags, command);
      if (flags.npy !== undefined && flags.tensor === undefined) {
        throw new InputError('--npy writes one tensor; name it with --tensor');
      }
      const isFresh = FRESH.some((name) => given(command, name));
      const { subject, limits } = isFresh ? freshSubject(flags) : trainedSubject(flags);
      const { text, audio } = flags;
      const window = audio === undefined ? textWindow(text, limits) : audioWindow(audio, text, limits);
      const device = await deviceOf(flags);
      try {
        // A large decoder's references take long, so a terminal shows a count of entries.
        const status = new StatusLine(process.stderr);
        const count = (done: number, of: number) => status.show(() => `entry ${done} of ${of}`);
        const inspection = await inspect(device, subject, window, count).finally(() => status.end());
        show(inspection, flags);
      } finally {
        device.close();
      }
    });
}

/** Flags of an untrained decoder. */
const FRESH = ['fresh', 'size', 'door', 'seed'];

const given = (command: Command, name: string) => command.getOptionValueSource(name) === 'cli';

/** @throws InputError for a flag without effect: one of an untrained decoder with a trained one, or the reverse */
function refuseUnused({ checkpoint }: InspectFlags, command: Command): void {
  if (checkpoint === undefined && given(command, 'config')) throw new InputError(CONFIG_ALONE);
  const unused = FRESH.find((name) => checkpoint !== undefined && given(command, name));
  if (unused !== undefined)
    throw new InputError(`--${unused} needs an untrained decoder; omit it, or omit --checkpoint`);
}

/** The explorer page, where `npm run web` has built it. */
const EXPLORER = new URL('../../dist/web/index.html', import.meta.url);

interface Looked {
  readonly subject: Subject;
  readonly limits: WindowLimits;
}

function freshSubject({ size, door, seed }: InspectFlags): Looked {
  const config = { door, ...SIZES[size] };
  const origin = `An untrained ${size} decoder of seed ${seed}.`;
  const subject = { config, parameters: initialParameters(config, seed), origin };
  return { subject, limits: { ...FRESH_WINDOW, K: config.K } };
}

function trainedSubject({ checkpoint, config: file }: InspectFlags): Looked {
  const { config, parameters, step, prefix, stream } = chosenWeights(checkpoint, file);
  const name = checkpoint ?? 'models/moby-dick.safetensors, trained on Moby-Dick,';
  const origin = `The decoder of ${name}${step === undefined ? '' : ` after ${step} updates`}.`;
  // The explorer opens on the decoder of the package, so that its numbers are these.
  const explorer = checkpoint === undefined && existsSync(EXPLORER) ? { explorer: EXPLORER.href } : {};
  return { subject: { config, parameters, origin, ...explorer }, limits: { prefix, stream, K: config.K } };
}

function show(inspection: Inspection, { out, json, tensor, npy }: InspectFlags): void {
  if (json) console.log(JSON.stringify(inspectionJson(inspection)));
  if (tensor !== undefined) showTensor(inspection.trace, tensor, npy);
  if (out === undefined && (json || tensor !== undefined)) return;
  const path = out ?? 'trace.html';
  const page = inspectionPage(inspection);
  writeFileAtomic(path, page);
  if (json || tensor !== undefined) return;
  const megabytes = (Buffer.byteLength(page) / 1e6).toFixed(1);
  console.log(`${inspection.subject.origin}`);
  console.log(`${inspection.bitsPerByte.toFixed(4)} bits per byte over ${inspection.sizes.T} predicted`);
  console.log(`${path} (${megabytes} MB): open it in a browser`);
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
