import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { main } from '../../src/cli/main.js';
import { ByteToLossError } from '../../src/common/errors.js';
import { readJsonFile } from '../../src/common/jsonFile.js';
import { readJsonLines } from '../../src/common/jsonl.js';
import { cellFolder } from '../../src/experiment/cell.js';
import { collect } from '../../src/experiment/collect.js';
import { readGrid } from '../../src/experiment/grid.js';
import { readMetrics } from '../../src/experiment/metrics.js';
import { jsonOf, makeReport } from '../../src/experiment/report.js';
import type { DecoderConfig } from '../../src/model/config.js';
import { initialParameters } from '../../src/model/parameters.js';
import { readRun } from '../../src/report/readRun.js';
import { checkpointDigest, readMoments, writeCheckpoint } from '../../src/train/checkpoint.js';
import { Skipped } from '../../src/train/data/skipped.js';
import { parseSrt } from '../../src/train/data/srt.js';
import { toMuLaw } from '../../src/train/data/toMuLaw.js';
import { parseWav } from '../../src/train/data/wav.js';
import { parseGrey, parseY4m } from '../../src/train/data/y4m.js';
import { chosenCheckpoint } from '../../src/train/run/checkpoints.js';
import { RunFolder } from '../../src/train/run/folder.js';
import { resolveTrainOptions } from '../../src/train/run/options.js';
import { openRun } from '../../src/train/run/resume.js';
import { encodeSafetensors, parseSafetensors, readSafetensors, type Safetensors } from '../../src/train/safetensors.js';
import { readWeights } from '../../src/train/weights.js';
import { openAudio } from '../../src/train/windows/audio.js';
import { openText } from '../../src/train/windows/text.js';
import { openVideo } from '../../src/train/windows/video.js';
import { samplesOf } from '../support/media.js';
import { TINY_OPTIONS } from '../support/tinyRun.js';
import { NODE_ITSELF, PER_SECOND, readLarge } from './large.js';
import type { Outcome } from './report.js';

/** Something that takes bytes from outside, and a few good inputs to begin from. */
interface Target {
  readonly name: string;
  /** takes part in this share of all inputs, relative to the others */
  readonly weight: number;
  readonly input: fc.Arbitrary<Input>;
  readonly run: (input: Input) => unknown;
}

interface Input {
  readonly bytes: Uint8Array;
  /** bytes of good files that are read with it */
  readonly companionBytes?: number;
  readonly argv?: readonly string[];
  /** of the file that they are written to, where there are several */
  readonly name?: string;
}

/** The longest that any input may take of a processor. */
const MILLISECONDS = 1000;
/**
 * The memory bound of an input: twice its size, and the memory of Node itself. Buffers, including garbage, take
 * 8 KiB to read a file, and some KiB for each recording that a manifest names; of objects, 2 MiB were the most in 20,000
 * inputs, since the time of a collection is arbitrary. (`readLarge` measures the rest of it, with files of 128 MiB.)
 */
const allowedBuffers = (bytes: number) => 2 * bytes + (64 << 10);
const allowedObjects = (bytes: number) => 2 * bytes + (8 << 20);

const ascii = (text: string) => new TextEncoder().encode(text);

/** Bytes of which some were flipped, overwritten, cut, doubled, or put elsewhere. */
function mutated(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const extremes = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x2c, 0x39, 0x5b, 0x5d, 0x7b, 0x7d];
  const change = fc.record({
    kind: fc.constantFrom(
      'flip',
      'set',
      'u32',
      'digit',
      'flip',
      'set',
      'u32',
      'digit',
      'cut',
      'drop',
      'double',
      'move',
    ),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    // Half of all changes are near the start, where formats say what follows.
    near: fc.boolean(),
    length: fc.integer({ min: 1, max: 64 }),
    value: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  });
  return fc
    .tuple(fc.constantFrom(...seeds), fc.oneof(fc.tuple(change), fc.array(change, { minLength: 2, maxLength: 6 })))
    .map(([seed, changes]) => {
      let bytes = Uint8Array.from(seed);
      for (const { kind, at, near, length, value } of changes) {
        if (bytes.length === 0) break;
        const span = near ? Math.min(bytes.length, 256) : bytes.length;
        const i = Math.min(span - 1, Math.floor(at * span));
        const part = bytes.slice(i, i + length);
        if (kind === 'flip') bytes[i]! ^= 1 << (value % 8);
        if (kind === 'set') bytes[i] = extremes[value % extremes.length]!;
        if (kind === 'digit') bytes[i] = 0x30 + (value % 10);
        if (kind === 'u32' && i + 4 <= bytes.length) new DataView(bytes.buffer).setUint32(i, value, value % 2 === 0);
        if (kind === 'cut') bytes = bytes.slice(0, i);
        if (kind === 'drop') bytes = join2(bytes.slice(0, i), bytes.slice(i + length));
        if (kind === 'double') bytes = join2(join2(bytes.slice(0, i), part), bytes.slice(i));
        if (kind === 'move') bytes.set(part, value % Math.max(1, bytes.length - part.length + 1));
      }
      return bytes;
    });
}

function join2(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function bytes(...seeds: readonly Uint8Array[]): fc.Arbitrary<Input> {
  const any = fc.oneof(
    { weight: 9, arbitrary: mutated(seeds) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  );
  return any.map((value) => ({ bytes: value }));
}

/** JSON that is nearly right: values of a good object replaced by anything, keys added. */
function nearly(good: Readonly<Record<string, unknown>>): fc.Arbitrary<Uint8Array> {
  const odd = fc.oneof(
    fc.constantFrom(
      0,
      1,
      2,
      4,
      16,
      32,
      54,
      64,
      1024,
      4096,
      65_536,
      2 ** 31,
      true,
      'zero',
      'bytes',
      'projected',
      'random',
    ),
    fc.jsonValue(),
    fc.double(),
    fc.maxSafeInteger(),
    fc.constantFrom('__proto__', '', '../../etc/passwd', 'a'.repeat(5000), 1e308, -1, 2 ** 53, [[[[[[]]]]]]),
  );
  const keys = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...Object.keys(good)) },
    { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'other') },
  );
  return fc
    .array(fc.tuple(keys, odd), { minLength: 1, maxLength: 4 })
    .map((changes) => ascii(JSON.stringify(Object.assign(Object.create(null), good, Object.fromEntries(changes)))));
}

const METRICS = ascii(
  '{"step":1,"kind":"text","learning_rate":0.1,"bits_per_byte":8,"milliseconds":2}\n{"step":2,"text_bpb":8}\n{"step":3}\n',
);
const SAMPLES = ascii('{"step":2,"prompt":{"hex":"41","text":"A"},"made":{"hex":"42","text":"B"}}\n'.repeat(2));
const RESULT = {
  ...{ arm: 'zero', K: 1, seed: 0, steps: 4, measures: { text_bpb: 7 }, parameters: { all: 9, door: 0 } },
  ...{ weights_sha256: 'a', bytes_per_second: 1, training_milliseconds: 1, seconds: 1, peak_memory_bytes: 1 },
  ...{ left_out: 0, left_out_reasons: [], adapter: 'b', lr: 1, flops: 1, data_sha256: [] },
  ...{ scores: { text_bpb: { sums: [14], weights: [2] } } },
};
const DECODER: DecoderConfig = { door: 'zero', dim: 32, layers: 1, heads: 2, K: 1 };

/** Everything that reads what others wrote. */
export function targets(folder: string): Target[] {
  const file = (name: string) => join(folder, name);
  const { K: _, ...settings } = TINY_OPTIONS;
  const grid = readGrid({ name: 'g', arms: ['zero'], K: 1, seeds: 0, steps: 4, settings }, 'grid');
  const run = file('run');
  mkdirSync(join(run, 'checkpoints'), { recursive: true });
  const good = join(run, 'checkpoints', 'step-000004.safetensors');
  const parameters = initialParameters(DECODER, 1);
  const zeros = new Map([...parameters].map(([name, data]) => [name, data.map(() => 0)]));
  writeCheckpoint(
    good,
    { config: DECODER, step: 4, seed: 1, prefix: 8, stream: 8, parameters },
    { m: zeros, v: zeros },
  );
  const whole = readSafetensors(good);
  const checkpoint = fileBytes(good);
  const moments = fileBytes(good.replace('.safe', '.optimiser.safe'));
  const small = encodeSafetensors(
    {
      a: { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) },
      b: { dtype: 'U8', shape: [3], data: new Uint8Array(3) },
    },
    { format: 'pt' },
  );
  const config = {
    options: TINY_OPTIONS,
    adapter: { name: 'a', driver: 'b' },
    versions: { node: 'v20' },
    data_sha256: [{ name: 'a.txt', sha256: 'c' }],
  };
  const put = (name: string, content: Uint8Array) => {
    writeFileSync(file(name), content);
    return file(name);
  };
  const size = { prefix: 8, stream: 8 };
  const srt = ascii(
    '1\n00:00:01,000 --> 00:00:02,500\n<i>Hello</i> there\n\n2\n00:00:03,000 --> 00:00:04,000\nOnce more\n',
  );
  const jsonl = ascii(
    '{"text": "one document of some length, longer than a window"}\n{"text": "and another of them"}\n',
  );
  const audio = ascii(
    Array.from({ length: 20 }, (_, i) => `{"audio": "good${i % 10}.wav", "caption": "c${i}"}\n`).join(''),
  );
  const video = ascii(Array.from({ length: 4 }, () => '{"video": "good.y4m", "audio": "good.wav"}\n').join(''));
  const wavs = [wav(8, 1, 1), wav(16, 1, 1), wav(16, 2, 1), wav(24, 1, 1), wav(32, 1, 3)];
  const film = y4m(12);
  const pt = encodeSafetensors(whole.tensors, { format: 'pt' });
  const foreign = { path: put('p.safetensors', pt), size: pt.length };
  put('good.wav', wavs[1]!);
  for (let i = 0; i < 10; i++) put(`good${i}.wav`, wavs[1]!);
  put('good.y4m', film);
  return [
    {
      name: 'safetensors',
      weight: 6,
      input: bytes(small, small, checkpoint),
      run: (x) => parseSafetensors(x.bytes, 'f'),
    },
    {
      name: 'safetensors file',
      weight: 1,
      input: bytes(small),
      run: (x) => readSafetensors(put('x.safetensors', x.bytes)),
    },
    {
      name: 'checkpoint',
      weight: 3,
      input: bytes(checkpoint),
      run: (x) => readWeights(put('c.safetensors', x.bytes), undefined),
    },
    {
      name: 'checkpoint configuration',
      weight: 3,
      input: nearly({ ...DECODER }).map((value) => ({ bytes: withConfig(whole, value) })),
      run: (x) => readWeights(put('k.safetensors', x.bytes), undefined),
    },
    {
      name: 'moments',
      weight: 1,
      input: bytes(moments),
      run: (x) => readMoments(put('m.optimiser.safetensors', x.bytes).replace('.optimiser', '')),
    },
    {
      name: 'configuration of foreign weights',
      weight: 2,
      input: nearly({ door: 'zero', heads: 2, K: 1, prefix: 8 }).map((value) => ({
        bytes: value,
        companionBytes: foreign.size,
      })),
      run: (x) => readWeights(foreign.path, JSON.parse(new TextDecoder().decode(x.bytes))),
    },
    { name: 'WAV', weight: 6, input: bytes(...wavs), run: (x) => samplesOf(parseWav(x.bytes, 'f')) },
    { name: 'WAV that is heard', weight: 4, input: bytes(...wavs), run: (x) => toMuLaw(parseWav(x.bytes, 'f'), 4000) },
    {
      name: 'film and its sound',
      weight: 2,
      input: bytes(...wavs).map((value) => ({ ...value, companionBytes: film.length })),
      run: (x) => {
        put('f.wav', x.bytes);
        return openVideo([put('f.y4m', film)], VIDEO);
      },
    },
    { name: 'y4m', weight: 6, input: bytes(film), run: (x) => parseY4m(x.bytes, 'f') },
    { name: 'raw frames', weight: 1, input: bytes(new Uint8Array(512)), run: (x) => parseGrey(x.bytes, 'f', 8) },
    { name: 'SRT', weight: 6, input: bytes(srt), run: (x) => parseSrt(x.bytes, 'f', new Skipped()) },
    { name: 'JSONL', weight: 4, input: bytes(jsonl), run: (x) => [...readJsonLines(put('x.jsonl', x.bytes))] },
    { name: 'texts', weight: 2, input: bytes(jsonl), run: (x) => openText([put('t.jsonl', x.bytes)], size) },
    { name: 'audio manifest', weight: 2, input: bytes(audio), run: (x) => openAudio(put('a.jsonl', x.bytes), size) },
    { name: 'video manifest', weight: 2, input: bytes(video), run: (x) => openVideo([put('v.jsonl', x.bytes)], VIDEO) },
    {
      name: 'training configuration',
      weight: 4,
      input: nearly({ ...TINY_OPTIONS, text: ['a'], share: { text: 1 } }).map((value) => ({ bytes: value })),
      run: (x) => resolveTrainOptions(JSON.parse(new TextDecoder().decode(x.bytes)), 'f'),
    },
    {
      name: 'run folder',
      weight: 2,
      input: fc.oneof(nearly(config), mutated([ascii(JSON.stringify(config))])).map((value) => ({ bytes: value })),
      run: (x) => {
        put('run/config.json', x.bytes);
        const opened = openRun(run, {});
        opened.folder.release();
        return opened;
      },
    },
    {
      name: 'metrics',
      weight: 1,
      input: bytes(ascii('{"step":1,"kind":"text","bits_per_byte":8}\n{"step":2,"text_bpb":8}\n{"step":3}\n')),
      run: (x) => {
        put('run/config.json', ascii('{}'));
        put('run/metrics.jsonl', x.bytes);
        const opened = RunFolder.open(run);
        opened.rewind(
          2,
          () => {},
          () => {},
        );
        opened.release();
      },
    },
    {
      name: 'index of checkpoints',
      weight: 1,
      input: bytes(
        ascii('{"latest":"step-000004.safetensors","best":"step-000004.safetensors","best_bits_per_byte":7.5}'),
      ),
      run: (x) => {
        put('run/checkpoints/index.json', x.bytes);
        const path = chosenCheckpoint(join(run, 'best'), () => {});
        if (!path.startsWith(`${run}/checkpoints/step-`)) throw new Error(`it points outside: ${path}`);
        return path;
      },
    },
    {
      name: 'grid',
      weight: 2,
      input: nearly({
        name: 'g',
        arms: ['zero', 'bytes'],
        seeds: [0, 1],
        steps: 4,
        settings: TINY_OPTIONS,
        K: [1],
      }).map((value) => ({ bytes: value })),
      run: (x) => readGrid(readJsonFile(put('grid.json', x.bytes)), 'f'),
    },
    {
      name: 'result of a cell',
      weight: 2,
      input: fc.oneof(nearly(RESULT), mutated([ascii(JSON.stringify(RESULT))])).map((value) => ({ bytes: value })),
      run: (x) => {
        mkdirSync(cellFolder(folder, grid.cells[0]!), { recursive: true });
        writeFileSync(join(cellFolder(folder, grid.cells[0]!), 'result.json'), x.bytes);
        return jsonOf(makeReport(grid, collect(grid, folder), 'fuzz', '0'));
      },
    },
    {
      name: 'metrics of a cell',
      weight: 1,
      input: bytes(METRICS),
      run: (x) => {
        put('run/metrics.jsonl', x.bytes);
        return readMetrics(run);
      },
    },
    {
      name: 'run of a report',
      weight: 1,
      input: fc.oneof(
        bytes(METRICS),
        fc
          .oneof(nearly(config), mutated([ascii(JSON.stringify(config)), METRICS]))
          .map((value) => ({ bytes: value, name: 'config.json' })),
        mutated([SAMPLES]).map((value) => ({ bytes: value, name: 'samples.jsonl' })),
      ),
      run: (x) => {
        put('run/config.json', ascii('{}'));
        put(`run/${x.name ?? 'metrics.jsonl'}`, x.bytes);
        return readRun(run);
      },
    },
    { name: 'command line', weight: 4, input: commandLines(file), run: ({ argv }) => quietMain(argv!) },
    { name: 'flags of train', weight: 2, input: trainLines(file), run: ({ argv }) => quietMain(argv!) },
  ];
}

const VIDEO = { prefix: 1024, stream: 1024 };

/** Flags of all commands, and possible values. */
const VALUES = fc.oneof(
  fc.string(),
  // fast-check's `unit: 'binary'` takes seconds to list every code point.
  fc.array(fc.nat(0x10ffff), { maxLength: 20 }).map((points) => String.fromCodePoint(...points)),
  fc.integer().map(String),
  fc.double().map(String),
  fc.constantFrom(
    '',
    '-1',
    '0',
    '1e309',
    'NaN',
    '99999999999999999999',
    '0x10',
    'zero',
    'tiny',
    '../..',
    '/dev/null',
    'a=b',
  ),
);
const FLAGS = ['text', 'audio', 'video', 'made', 'share', 'window', 'rate', 'fps', 'size', 'door', 'K', 'dim', 'layers']
  .concat(['heads', 'channels', 'prefix', 'stream', 'batch', 'accumulate', 'steps', 'lr', 'warmup', 'decay', 'seed'])
  .concat([
    'eval-every',
    'save-every',
    'keep',
    'out',
    'config',
    'resume',
    'bytes',
    'temperature',
    'top-k',
    'prompt-hex',
  ])
  .concat(['prefix-hex', 'stream-hex', 'hex', 'bits', 'json', 'strict', 'skip-nonfinite', 'help', 'nothing'])
  .map((name) => `--${name}`);
const WORD = fc.oneof(fc.constantFrom(...FLAGS), VALUES);

/** Command lines that name files which are not there or are not good, so that none comes to train. */
function commandLines(file: (name: string) => string): fc.Arbitrary<Input> {
  const nowhere = file('nowhere');
  const start = fc.constantFrom(
    ['train', '--strict', '--text', nowhere],
    ['train', '--resume', nowhere],
    ['train', '--config', nowhere],
    ['score', '--checkpoint', nowhere, '--stream-hex', '00'],
    ['generate', '--checkpoint', nowhere],
    ['score', '--checkpoint', file('good.wav'), '--stream-hex', '00'],
    ['generate', '--checkpoint', file('good.wav')],
    ['generate', '--checkpoint', file('good.wav/best')],
    ['features', '--hex'],
    ['features', '--text'],
    ['data'],
    ['help'],
    [],
  );
  // these need no file to begin real work
  const notRun = new Set(['devices', 'verify', 'demo', 'experiment', 'inspect']);
  return fc
    .tuple(start, fc.array(WORD, { maxLength: 6 }))
    .map(([first, rest]) => [...first, ...rest])
    .filter((argv) => !argv.some((arg) => notRun.has(arg)))
    .map((argv) => ({ bytes: ascii(argv.join('\0')), argv: withoutTraining(argv, nowhere) }));
}

/**
 * Command lines of `train` whose flags are taken in and checked: what ends them is a manifest that is not there. The default
 * text, which may be read before it, counts as another file.
 */
function trainLines(file: (name: string) => string): fc.Arbitrary<Input> {
  const flag = fc.tuple(fc.constantFrom(...FLAGS.filter((name) => name !== '--resume')), VALUES);
  return fc.array(flag, { maxLength: 4 }).map((flags) => {
    const argv = ['train', ...flags.flat(), '--audio', file('nowhere')];
    return { bytes: ascii(argv.join('\0')), argv, companionBytes: 2 << 20 };
  });
}

/**
 * A later --text or --config might name something real, and training would begin: the last word is a file that is not
 * there.
 */
function withoutTraining(argv: readonly string[], nowhere: string): readonly string[] {
  if (argv[0] !== 'train') return argv;
  return [...argv, '--resume', nowhere];
}

async function quietMain(argv: readonly string[]): Promise<void> {
  const printed: unknown[] = [];
  const { log, error } = console;
  const [out, err] = [process.stdout.write, process.stderr.write];
  console.log = () => {};
  console.error = (...args) => printed.push(...args);
  process.stdout.write = (() => true) as typeof process.stdout.write;
  process.stderr.write = (() => true) as typeof process.stderr.write;
  let code: number;
  try {
    code = await main(argv);
  } finally {
    Object.assign(console, { log, error });
    process.stdout.write = out;
    process.stderr.write = err;
    process.exitCode = 0;
  }
  const bug = printed.find((line) => line instanceof Error);
  if (bug !== undefined) throw bug;
  if (![0, 1, 2].includes(code)) throw new Error(`exit code ${code}`);
}

function fileBytes(path: string): Uint8Array {
  const { tensors, metadata } = readSafetensors(path);
  return encodeSafetensors(tensors, metadata);
}

/** A checkpoint that is whole, but whose configuration is anything. */
function withConfig({ tensors, metadata: before }: Safetensors, json: Uint8Array): Uint8Array {
  const metadata = { ...before, config: new TextDecoder().decode(json) };
  return encodeSafetensors(tensors, { ...metadata, checksum: checkpointDigest({ tensors, metadata }) });
}

function wav(bits: number, channels: number, tag: number): Uint8Array {
  const frames = 64;
  const frame = (bits / 8) * channels;
  const view = new DataView(new ArrayBuffer(44 + frames * frame));
  const text = (at: number, word: string) => new Uint8Array(view.buffer).set(ascii(word), at);
  text(0, 'RIFF');
  view.setUint32(4, 36 + frames * frame, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, tag, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, 8000, true);
  view.setUint32(28, 8000 * frame, true);
  view.setUint16(32, frame, true);
  view.setUint16(34, bits, true);
  text(36, 'data');
  view.setUint32(40, frames * frame, true);
  return new Uint8Array(view.buffer);
}

function y4m(frames: number): Uint8Array {
  let film = ascii('YUV4MPEG2 W16 H16 F8:1 Ip A1:1 Cmono\n');
  for (let i = 0; i < frames; i++) film = join2(film, join2(ascii('FRAME\n'), new Uint8Array(256).fill(i)));
  return film;
}

/** What is wrong with how a target took an input; undefined where nothing is. */
async function judge(target: Target, input: Input, milliseconds: number): Promise<string | undefined> {
  const before = process.memoryUsage();
  const start = process.cpuUsage();
  let kept: unknown;
  try {
    kept = await target.run(input);
  } catch (error) {
    if (!(error instanceof ByteToLossError)) return `${error instanceof Error ? error.stack : error}`;
  }
  const { user, system } = process.cpuUsage(start); // on a busy machine the clock counts others' work too
  const took = (user + system) / 1000;
  const after = process.memoryUsage();
  void kept; // alive until measured
  if (took > milliseconds) return `it took ${took.toFixed(0)} ms`;
  const buffers = after.arrayBuffers - before.arrayBuffers;
  const size = input.bytes.length + (input.companionBytes ?? 0);
  if (buffers > allowedBuffers(size)) return `${buffers} bytes of buffers for ${size} bytes of input`;
  const objects = after.heapUsed - before.heapUsed;
  if (objects > allowedObjects(size)) return `${objects} bytes of objects for ${size} bytes of input`;
  return undefined;
}

/**
 * Wrong input of every kind: only typed errors, no hang, no memory that the input does not justify.
 *
 * @param milliseconds of a processor that an input may take; tests, which expect nothing of a clock, give none
 */
export async function fuzz(inputs: number, milliseconds = Number.POSITIVE_INFINITY) {
  const seed = Number(process.env.SEED ?? 7);
  const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-fuzz-'));
  const broken: string[] = [];
  let done = 0;
  const all = targets(folder);
  const weights = all.reduce((sum, { weight }) => sum + weight, 0);
  for (const target of all) {
    const numRuns = Math.ceil((inputs * target.weight) / weights);
    const details = await fc.check(
      fc.asyncProperty(target.input, async (input) => {
        done++;
        const problem = await judge(target, input, milliseconds);
        if (problem !== undefined) throw new Error(problem);
      }),
      { numRuns, seed, endOnFailure: true },
    );
    if (details.failed) {
      const [input] = details.counterexample ?? [];
      const shown = input?.argv
        ? JSON.stringify(input.argv)
        : Buffer.from(input?.bytes.subarray(0, 200) ?? []).toString('latin1');
      broken.push(
        `${target.name}: ${(details.errorInstance as Error).message.slice(0, 600)} <- ${JSON.stringify(shown)}`,
      );
    }
    if (inputs >= 10_000) console.log(`${target.name}: ${numRuns} inputs${details.failed ? ', BROKEN' : ''}`);
  }
  if (existsSync(folder)) rmSync(folder, { recursive: true });
  return { inputs: done, readers: all.length, broken };
}

/** Wrong input, and large files. */
export async function untrusted(inputs = 100_000): Promise<Outcome> {
  const wrong = await fuzz(inputs, MILLISECONDS);
  const large = await readLarge();
  return {
    promise:
      `each input parses or raises a typed error: no crash, nothing over a second (of a large file, for each ${PER_SECOND >> 20} MiB), ` +
      `no memory over twice the file besides that of Node itself (64 KiB of buffers; ${NODE_ITSELF >> 20} MiB resident for files of 128 MiB)`,
    counts: {
      inputs: wrong.inputs,
      'parsers, readers and the command line': wrong.readers,
      'kinds of large files': large.files,
      'nearest to the limit': large.most,
      slowest: large.slowest,
    },
    broken: [...wrong.broken, ...large.broken],
  };
}
