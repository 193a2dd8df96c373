import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkpointDigest, readCheckpoint } from '../../src/train/checkpoint.js';
import { encodeSafetensors } from '../../src/train/safetensors.js';
import { cli } from '../support/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-cli-'));
const at = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

const SMALL = [
  '--prefix',
  '16',
  '--stream',
  '16',
  '--batch',
  '2',
  '--steps',
  '4',
  '--eval-every',
  '2',
  '--save-every',
  '2',
];

/** One small run, which several tests look at. */
let printed = '';
beforeAll(async () => {
  const { code, out, error } = await cli('train', ...SMALL, '--out', at('run'));
  expect(error).toBe('');
  expect(code).toBe(0);
  printed = out;
});

describe('train', () => {
  test("prints progress, bits per byte with the entropy, a sample, and the run's folder", () => {
    expect(printed).toContain('zero door, 0 parameters in it; decoder of 430,082 parameters');
    expect(printed).toMatch(/step 4\/4 {2}\d\.\d{3} bits\/byte {2}[\d.]+ k?B\/s/);
    expect(printed).toMatch(/validation \d\.\d{3} bits\/byte; the text's order-0 entropy is 4\.465/);
    expect(printed).toMatch(/\nheld-out prompt: {2}….*\nits continuation: /);
    expect(printed.match(/entropy/g)).toHaveLength(2); // with the data, and at the end
    expect(printed).toMatch(/^text: Moby Dick: 1,073,596 bytes to train on, 119,289 bytes held out; .* per byte\n/);
    expect(printed).toContain('training on text, bits per byte (smoothed), steps 1 to 4');
    expect(printed).toContain(`run folder: ${at('run')}`);
  });

  test('leaves configuration, metrics, checkpoints and a sample', () => {
    const config = JSON.parse(readFileSync(at('run/config.json'), 'utf8'));
    expect(config.options).toMatchObject({ size: 'tiny', door: 'zero', seed: 0, steps: 4 });
    expect(config.decoder).toEqual({ door: 'zero', dim: 128, layers: 2, heads: 4, K: 4 });
    expect(config.adapter.name).toBeTruthy();
    const lines = readFileSync(at('run/metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter((line) => line.bits_per_byte !== undefined).map((line) => line.step)).toEqual([1, 2, 3, 4]);
    expect(lines.filter((line) => line.text_bpb > 0).map((line) => line.step)).toEqual([2, 4]);
    expect(readdirSync(at('run/checkpoints')).sort()).toEqual([
      'index.json',
      'step-000002.optimiser.safetensors',
      'step-000002.safetensors',
      'step-000004.optimiser.safetensors',
      'step-000004.safetensors',
    ]);
    expect(JSON.parse(readFileSync(at('run/split.json'), 'utf8')).text).toEqual({
      train: ['Moby Dick, bytes 0 to 1073595'],
      validation: ['Moby Dick, bytes 1073596 to 1192884'],
    });
    expect(existsSync(at('run/sample.txt'))).toBe(true);
    const samples = readFileSync(at('run/samples.jsonl'), 'utf8').trim().split('\n');
    expect(samples.map((line) => JSON.parse(line).step)).toEqual([2, 4]);
    expect(readFileSync(at('run/report.html'), 'utf8')).toContain('held-out text');
    expect(JSON.parse(readFileSync(at('run/memory.json'), 'utf8')).device_bytes).toBeGreaterThan(0);
  });

  test('with the same seed writes the same bytes', async () => {
    await cli('train', ...SMALL, '--out', at('again'));
    for (const name of readdirSync(at('run/checkpoints'))) {
      const [a, b] = ['run', 'again'].map((run) => readFileSync(at(`${run}/checkpoints/${name}`)));
      expect(a!.equals(b!), name).toBe(true);
    }
  });

  test('takes a configuration file, whose values flags replace', async () => {
    writeFileSync(at('config.json'), JSON.stringify({ prefix: 8, stream: 8, batch: 1, steps: 9, door: 'bytes' }));
    const { code } = await cli('train', '--config', at('config.json'), '--steps', '1', '--out', at('configured'));
    expect(code).toBe(0);
    const { options } = JSON.parse(readFileSync(at('configured/config.json'), 'utf8'));
    expect(options).toMatchObject({ prefix: 8, door: 'bytes', steps: 1 });
  });
});

test('train --resume keeps a changed --keep for the next resume', async () => {
  const small = ['--dim', '32', '--layers', '1', '--heads', '2', '--K', '1', ...SMALL];
  await cli('train', ...small, '--eval-every', '0', '--keep', '1', '--out', at('keep'));
  const resumed = await cli('train', '--resume', at('keep'), '--steps', '8', '--keep', '0', '--skip-nonfinite');
  expect(resumed.code).toBe(0);
  const options = { steps: 8, keep: 0, skipNonfinite: true };
  expect(JSON.parse(readFileSync(at('keep/config.json'), 'utf8')).options).toMatchObject(options);
  const saved = () => readdirSync(at('keep/checkpoints')).filter((name) => /^step-\d+.safetensors$/.test(name));
  const all = ['step-000004.safetensors', 'step-000006.safetensors', 'step-000008.safetensors'];
  expect(saved()).toEqual(all);
  expect((await cli('train', '--resume', at('keep'))).code).toBe(0);
  expect(saved()).toEqual(all);
});

test('train --skip-nonfinite fails where most steps are skipped', async () => {
  const { code, error } = await cli('train', ...SMALL, '--lr', '1e30', '--skip-nonfinite', '--out', at('skipping'));
  expect(error).toMatch(
    /^error: step 4: 3 of the last 4 steps were skipped: not finite; .*Begin a new run with a lower --lr\n$/,
  );
  expect(code).toBe(1);
});

describe('score', () => {
  test('gives bits for each byte of the stream', async () => {
    const checkpoint = at('run/checkpoints/step-000004.safetensors');
    const hex = Buffer.from('Call me Ishmael.').toString('hex');
    const { code, out } = await cli(
      'score',
      '--checkpoint',
      checkpoint,
      '--prefix-hex',
      hex,
      '--stream-hex',
      '536f6d65',
      '--json',
    );
    expect(code).toBe(0);
    const { bits_per_byte, bits } = JSON.parse(out);
    expect(bits.length).toBe(4);
    expect(bits_per_byte).toBeCloseTo(bits.reduce((sum: number, b: number) => sum + b, 0) / 4, 12);
    expect(bits_per_byte).toBeGreaterThan(0);
    const asText = ['--prefix', 'Call me Ishmael.', '--text', 'Some'];
    expect((await cli('score', '--checkpoint', checkpoint, ...asText, '--json')).out).toBe(out);
  });

  test('refuses a text that is given twice, or not at all', async () => {
    const twice = await cli('score', '--text', 'a', '--stream-hex', '61');
    expect(twice).toMatchObject({ code: 1, error: 'error: give --text or --stream-hex, not both\n' });
    const none = await cli('score', '--prefix', 'a');
    expect(none).toMatchObject({ code: 1, error: 'error: there is no byte to score; give --text or --stream-hex\n' });
  });
});

describe('generate', () => {
  test('writes raw bytes, the same for the same seed', async () => {
    const checkpoint = at('run/checkpoints/step-000004.safetensors');
    const write = () => cli('generate', '--checkpoint', checkpoint, '--prompt', 'Call', '--bytes', '12', '--seed', '5');
    const first = await write();
    expect(first.code).toBe(0);
    expect(first.out.length).toBe(12);
    expect((await write()).out).toBe(first.out);
  });
});

describe('features', () => {
  test('names every channel of every byte', async () => {
    const { out } = await cli('features', '--text', 'H', '--json');
    const [row] = JSON.parse(out);
    expect(row.byte).toBe(72);
    expect(Object.keys(row.channels).length).toBe(27);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((i) => row.channels[`dxor${i}`])).toEqual([0, 1, 1, 0, 1, 1, 0, 0]);
  });
});

describe('bad input gets one clear line, and nothing is overwritten', () => {
  const checkpoint = () => at('run/checkpoints/step-000004.safetensors');
  const refuses = async (code: number, message: string | RegExp, ...argv: string[]) => {
    const result = await cli(...argv);
    expect(result.error).toMatch(message);
    expect(result.error).not.toMatch(/\n\s+at /);
    expect(result.code).toBe(code);
  };

  test('an empty text file', async () => {
    writeFileSync(at('empty.txt'), '');
    await refuses(1, 'empty.txt', 'train', '--text', at('empty.txt'), '--out', at('x'));
    expect(existsSync(at('x'))).toBe(false);
  });
  test('a missing text file', () => refuses(1, 'nowhere.txt', 'train', '--text', at('nowhere.txt'), '--out', at('x')));
  test('a text shorter than one window', async () => {
    writeFileSync(at('short.txt'), 'too short');
    await refuses(1, /short\.txt.*9 bytes/, 'train', '--text', at('short.txt'), '--out', at('x'));
  });
  test('K·27 over dim', () => refuses(1, 'The largest K for this dim is 4', 'train', '--K', '5', '--out', at('x')));
  test('dim not divisible by heads', () => refuses(1, 'divisible by heads', 'train', '--heads', '3', '--out', at('x')));
  test('an unknown flag', () =>
    refuses(2, /unknown option '--step'\n\(Did you mean --steps\?\)/, 'train', '--step', '3'));
  test('a flag that is not a number', () => refuses(2, 'whole number', 'train', '--steps', 'many'));
  test('an unknown command', () => refuses(2, 'unknown command', 'trian'));
  test('an unknown key in a configuration file', async () => {
    writeFileSync(at('odd.json'), JSON.stringify({ stepps: 3 }));
    await refuses(1, 'stepps', 'train', '--config', at('odd.json'));
  });
  test('a configuration file that is not JSON', async () => {
    writeFileSync(at('odd.json'), '{');
    await refuses(1, 'odd.json: cannot be used: not JSON', 'train', '--config', at('odd.json'));
  });
  test('a configuration file that holds no object', async () => {
    writeFileSync(at('odd.json'), '[300]');
    await refuses(1, 'odd.json: must hold an object, as {"steps": 300}', 'train', '--config', at('odd.json'));
  });
  test('a configuration that is wrong in thousands of places', async () => {
    const wrong = { text: Array.from({ length: 9000 }, () => 3), ['x'.repeat(5000)]: 1 };
    writeFileSync(at('odd.json'), JSON.stringify(wrong));
    const { error } = await cli('train', '--config', at('odd.json'));
    expect(error).toContain('… and 8991 more');
    expect(error.length).toBeLessThan(3000);
  });
  test('names that would do something to a terminal', async () => {
    writeFileSync(at('odd.json'), JSON.stringify({ '\x1b[31m\u009b': 3 }));
    const { error } = await cli('train', '--config', at('odd.json'));
    expect(error).toContain('·[31m·');
    expect(error).not.toMatch(/[^\P{C}\n]/u);
    const odd = encodeSafetensors(
      Object.fromEntries(
        ['norm.weight', 'blocks.0.norm1.weight', '\x1b]0;hello\x07'].map((name) => [
          name,
          { dtype: 'F32' as const, shape: [32], data: new Float32Array(32) },
        ]),
      ),
    );
    writeFileSync(at('odd.safetensors'), odd);
    writeFileSync(at('odd.json'), '{"door":"zero","heads":2,"K":1}');
    const scored = await cli(
      'score',
      '--checkpoint',
      at('odd.safetensors'),
      '--config',
      at('odd.json'),
      '--stream-hex',
      '00',
    );
    expect(scored.error).toContain('holds ·]0;hello·, which a zero decoder');
  });
  test('a run folder that holds a run', async () => {
    const before = readFileSync(at('run/config.json'), 'utf8');
    await refuses(1, 'already holds a run', 'train', ...SMALL, '--steps', '1', '--out', at('run'));
    expect(readFileSync(at('run/config.json'), 'utf8')).toBe(before);
  });
  test('a truncated checkpoint', async () => {
    writeFileSync(at('cut.safetensors'), readFileSync(checkpoint()));
    truncateSync(at('cut.safetensors'), 10_000);
    await refuses(1, 'cut.safetensors', 'score', '--checkpoint', at('cut.safetensors'), '--stream-hex', '00');
  });
  test('a checkpoint with one changed bit', async () => {
    const bytes = readFileSync(checkpoint());
    bytes[bytes.length - 5]! ^= 1;
    writeFileSync(at('changed.safetensors'), bytes);
    await refuses(1, 'checksum', 'score', '--checkpoint', at('changed.safetensors'), '--stream-hex', '00');
  });
  test('a file that is not safetensors', async () => {
    writeFileSync(at('text.safetensors'), 'this is a text, not a checkpoint');
    await refuses(1, 'text.safetensors', 'generate', '--checkpoint', at('text.safetensors'));
  });
  test('a safetensors file of something else', async () => {
    const other = encodeSafetensors({ x: { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } }, {});
    writeFileSync(at('other.safetensors'), other);
    await refuses(
      1,
      'is not a checkpoint of byte-to-loss',
      'score',
      '--checkpoint',
      at('other.safetensors'),
      '--stream-hex',
      '00',
    );
  });
  test('a checkpoint whose weights do not fit its configuration', async () => {
    const { parameters, ...info } = readCheckpoint(checkpoint());
    const stored = Object.fromEntries(
      [...parameters].map(([name, data]) => [name, { dtype: 'F32' as const, shape: [data.length], data }]),
    );
    const said = {
      format: 'byte-to-loss 1',
      checksum: '',
      config: JSON.stringify(info.config),
      step: '4',
      seed: '0',
      prefix: '16',
      stream: '16',
    };
    const checksum = checkpointDigest({ tensors: new Map(Object.entries(stored)), metadata: said });
    writeFileSync(at('misfit.safetensors'), encodeSafetensors(stored, { ...said, checksum }));
    await refuses(
      1,
      /needs .* for its configuration/,
      'score',
      '--checkpoint',
      at('misfit.safetensors'),
      '--stream-hex',
      '00',
    );
  });
  test('hex of odd length', () =>
    refuses(1, 'an odd number', 'score', '--checkpoint', checkpoint(), '--stream-hex', 'abc'));
  test('hex that is not hex', () => refuses(1, "'x' is not a hex digit", 'features', '--hex', '0x41'));
});
