import { arch, platform } from 'node:process';
import { Command } from 'commander';
import { openDevice } from '../engine/adapters.js';
import { DOOR_KINDS, SIZES } from '../model/config.js';
import { defaultRunPath, RunFolder } from '../train/run/folder.js';
import { decoderConfigOf, resolveTrainOptions } from '../train/run/options.js';
import { parameterCounts, train } from '../train/run/train.js';
import { mix } from '../train/windows/mix.js';
import { openText } from '../train/windows/text.js';
import { readJson, realNumber, wholeNumber } from './arguments.js';
import { showProgress } from './progress.js';
import { version } from './version.js';

/** `byte-to-loss train`: from text to a decoder, with everything the run needs to be understood in one folder. */
export function trainCommand(): Command {
  return new Command('train')
    .description('train a decoder on text')
    .option('--text <file...>', 'text or .jsonl files (default: Moby-Dick)')
    .option('--size <name>', `decoder size: ${Object.keys(SIZES).join(', ')} (default: tiny)`)
    .option('--door <kind>', `how bytes enter: ${DOOR_KINDS.join(', ')} (default: zero)`)
    .option('--K <n>', 'bytes per slot', wholeNumber)
    .option('--dim <n>', 'columns of every position', wholeNumber)
    .option('--layers <n>', 'blocks', wholeNumber)
    .option('--heads <n>', 'attention heads', wholeNumber)
    .option('--prefix <bytes>', 'bytes before, packed into slots (default: 128)', wholeNumber)
    .option('--stream <bytes>', 'bytes after, predicted (default: 128)', wholeNumber)
    .option('--batch <n>', 'windows per batch (default: 8)', wholeNumber)
    .option('--accumulate <n>', 'batches per update (default: 1)', wholeNumber)
    .option('--steps <n>', 'updates (default: 300)', wholeNumber)
    .option('--lr <x>', 'highest learning rate (default: 2e-3)', realNumber)
    .option('--warmup <n>', 'updates of linear rise (default: 20)', wholeNumber)
    .option('--decay <what>', 'weight decay on: matrices, all (default: matrices)')
    .option('--seed <n>', 'of everything random (default: 0)', wholeNumber)
    .option('--eval-every <n>', 'updates between validations, 0 for none but the last (default: 100)', wholeNumber)
    .option('--save-every <n>', 'updates between checkpoints, 0 for none but the last (default: 100)', wholeNumber)
    .option('--out <folder>', 'run folder (default: runs/ and the time)')
    .option('--config <file>', 'JSON with any of these names; flags win')
    .option('--device <name>', 'auto, gpu, system or bundled')
    .action(async ({ config: file, ...flags }: Record<string, unknown> & { config?: string }) => {
      const settings = file === undefined ? {} : (readJson(file) as object);
      await runTrain({ ...settings, ...flags }, file ?? 'train');
    });
}

async function runTrain(input: object, from: string): Promise<void> {
  const options = resolveTrainOptions(input, from);
  const source = openText(options.text, { prefix: options.prefix, stream: options.stream });
  const device = await openDevice(options.device === undefined ? {} : { device: options.device });
  const path = options.out ?? defaultRunPath(options.size, options.door);
  const folder = RunFolder.create(path);
  const counts = parameterCounts(options);
  const decoder = decoderConfigOf(options);
  folder.writeConfig({
    options,
    decoder,
    parameters: counts,
    data: source.describe(),
    order0_entropy: source.entropy,
    adapter: { name: device.name, driver: device.driver, kind: device.kind },
    versions: { 'byte-to-loss': version, node: process.version, platform: `${platform} ${arch}` },
  });
  console.log(`${source.describe()}`);
  console.log(
    `${options.door} door, ${counts.door} parameters in it; decoder of ${counts.all.toLocaleString('en')} parameters ` +
      `(dim ${decoder.dim}, ${decoder.layers} layers, ${decoder.heads} heads, K ${decoder.K}) on ${device.name}`,
  );

  // The first Ctrl-C ends the run at the next step, with everything saved; the second ends it at once.
  let signal: NodeJS.Signals | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    if (signal !== undefined) process.exit(exitCode(name));
    signal = name;
    console.log(`\n${name}: finishing this step and saving; once more stops at once`);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const progress = showProgress(source.entropy);
  try {
    const data = { mix: mix([{ source, share: 1 }]), validation: [source], prompt: source.validation(0).prefix };
    const result = await train(device, options, data, folder, progress, () => signal !== undefined);
    progress.end();
    if (!result.stopped) printEnd(result.measures.text_bpb!, source.entropy, result.sample, options.prefix);
    console.log(`run folder: ${path}`);
    if (signal !== undefined) process.exitCode = exitCode(signal);
  } finally {
    progress.end();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    device.close();
  }
}

function exitCode(signal: NodeJS.Signals): number {
  return signal === 'SIGINT' ? 130 : 143;
}

function printEnd(bitsPerByte: number, entropy: number, sample: Uint8Array, prefix: number): void {
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const cut = Math.min(prefix, sample.length);
  console.log(`\nvalidation ${bitsPerByte.toFixed(3)} bits/byte; the text's order-0 entropy is ${entropy.toFixed(3)}`);
  console.log(`\nheld-out text:  …${decode(sample.subarray(0, cut))}`);
  console.log(`the decoder:    ${decode(sample.subarray(cut))}\n`);
}
