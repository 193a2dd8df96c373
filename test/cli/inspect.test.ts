import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { inspectionJson } from '../../src/cli/inspect/json.js';
import { npyBytes } from '../../src/cli/inspect/npy.js';
import type { Opened } from '../../src/cli/inspect/opened.js';
import { explorerPage } from '../../src/cli/inspect/page.js';
import { textWindow } from '../../src/cli/inspect/window.js';
import { Program } from '../../src/engine/program.js';
import { ReferenceRun } from '../../src/engine/reference.js';
import { type ForwardPass, recordForward, toFeeds } from '../../src/model/forward.js';
import { initialParameters } from '../../src/model/parameters.js';
import { embed } from '../../src/substrate/embed.js';
import { readCheckpoint } from '../../src/train/checkpoint.js';
import { recordStep } from '../../src/train/recordStep.js';
import { cli } from '../support/cli.js';
import { TINY } from '../support/decoders.js';
import { sine, wav } from '../support/media.js';

const TEXT = 'One <script>alert("&\'")</script> byte, and then its loss, é.';
const folder = mkdtempSync(join(tmpdir(), 'inspect-'));
const page = join(folder, 'trace.html');
type Data = ReturnType<typeof inspectionJson>;
let data: Data;

beforeAll(async () => {
  const { code, out, error } = await cli('inspect', '--text', TEXT, '--seed', '5', '--json', '--out', page);
  expect(error).toBe('');
  expect(code).toBe(0);
  data = JSON.parse(out) as Data;
});

afterAll(() => rmSync(folder, { recursive: true }));

/** What a page opens on. */
function openedIn(path: string): Opened {
  return JSON.parse(/id="opened">(.*?)<\/script>/s.exec(readFileSync(path, 'utf8'))![1]!) as Opened;
}

/** The inspected window and the decoder's parameters, for a program recorded with `pass`. */
function feedsOfWindow(pass: ForwardPass) {
  const { T, prefix, targets } = data.window;
  const ids = { prefix: Uint32Array.from(prefix), targets: Uint32Array.from(targets) };
  const parameters = initialParameters(TINY, 5);
  return new Map([
    ...toFeeds(pass, { ...ids, weights: new Float32Array(T).fill(1) }),
    ...pass.program.parameters.map(({ name, tensor }) => [tensor, parameters.get(name)!] as const),
  ]);
}

describe('inspect --json', () => {
  test('numbers are the run’s own: a float64 run of the same decoder and text gives them', () => {
    const bytes = new TextEncoder().encode(TEXT);
    const { L, T, prefix, targets } = data.window;
    expect([...prefix, ...targets]).toEqual([...bytes]);
    const program = new Program();
    const pass = recordForward(program, TINY, { B: 1, L, T });
    program.backward(pass.loss);
    const reference = new ReferenceRun(program, feedsOfWindow(pass)).run();
    const value = (tensor: typeof pass.loss) => reference.value(tensor).data;

    expect(data.bits_per_byte).toBeCloseTo(value(pass.loss)[0]! / Math.LN2, 4);
    expect(data.predictions).toHaveLength(T);
    data.predictions.forEach(({ nats, bits, top }, t) => {
      expect(nats).toBeCloseTo(value(pass.nats)[t]!, 4);
      expect(bits).toBe(nats / Math.LN2);
      const row = value(pass.logits).subarray(t * 258, (t + 1) * 258);
      const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
      expect(top[0]!.probability).toBeCloseTo(Math.exp(Math.max(...row)) / total, 5);
    });
    for (const { name, gradient, parameter } of data.gradients) {
      const { tensor } = program.parameters.find((each) => each.name === name)!;
      const norm = Math.hypot(...value(program.gradientOf(tensor)!));
      expect(Math.abs(gradient - norm), `gradient of ${name}`).toBeLessThan(1e-4 * Math.max(norm, 1e-3));
      expect(parameter).toBeCloseTo(Math.hypot(...value(tensor)), 3);
    }
    const qkv = data.tensors.find(({ name }) => name === 'blocks.1.attention.qkv linear.forward y')!;
    const expected = value(
      program.entries.find(({ scope, op }) => scope === 'blocks.1.attention.qkv' && op.name === 'linear.forward')!
        .outputs[0]!,
    );
    expect(qkv.statistics.max).toBeCloseTo(Math.max(...expected), 4);
    expect(qkv.statistics.mean).toBeCloseTo(expected.reduce((a, b) => a + b, 0) / expected.length, 5);
  });

  test('channels are the bytes’ own, prefix and stream each from the anchor', () => {
    const { prefix, targets, P, K } = data.window;
    const rows = data.channels!.rows;
    // JSON has no -0: adding 0 makes it 0
    const bits = (bytes: number[]) => {
      const { features } = embed(Uint8Array.from(bytes));
      return Array.from({ length: bytes.length }, (_, i) =>
        [...features.subarray(27 * i, 27 * i + 27)].map((x) => x + 0),
      );
    };
    expect(rows.slice(0, P * K)).toEqual(bits(prefix));
    expect(rows[P * K]).toEqual(new Array(27).fill(0)); // the row before the first byte of the stream
    expect(rows.slice(P * K + 1)).toEqual(bits(targets.slice(0, -1)));
  });

  test('attribution is the gradient of the loss by each channel', () => {
    const { L, T } = data.window;
    const program = new Program({ attribute: ['hslFeatures.forward'] });
    const pass = recordForward(program, TINY, { B: 1, L, T });
    program.backward(pass.loss);
    const reference = new ReferenceRun(program, feedsOfWindow(pass)).run();
    const features = program.entries.filter(({ op }) => op.name === 'hslFeatures.forward');
    const gradients = features.flatMap(({ outputs: [y] }) => [...reference.value(program.gradientOf(y!)!).data]);
    const given = data.attribution!.rows.flat();
    expect(given).toHaveLength(gradients.length);
    expect(Math.hypot(...gradients)).toBeGreaterThan(0);
    const largest = Math.max(...gradients.map(Math.abs));
    for (const [i, gradient] of gradients.entries())
      expect(Math.abs(given[i]! - gradient)).toBeLessThan(1e-5 * largest);
  });

  test('the entries are those of a training step, update included', () => {
    const { L, T } = data.window;
    const { program } = recordStep({ config: TINY }, { prefix: L, stream: T }, 1);
    const written = ({ op, scope }: { op: string; scope: string }) => `${scope} ${op}`;
    expect(data.entries.map(written)).toEqual(program.entries.map(({ op, scope }) => written({ op: op.name, scope })));
    expect(data.entries.at(-1)).toMatchObject({ op: 'adamW', dispatches: [] });
  });

  test('attention: rows sum to 1, slots are seen by all, and nobody sees what comes', () => {
    const { P, T } = data.window;
    expect(data.attention).toHaveLength(TINY.layers * TINY.heads);
    for (const { rows } of data.attention) {
      expect(rows).toHaveLength(P + T);
      rows.forEach((row, i) => {
        expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
        for (const [j, p] of row.entries()) {
          if (j < Math.max(P, i + 1)) expect(p).toBeGreaterThan(0);
          else expect(p).toBe(0);
        }
      });
    }
  });

  test('every op comes with the file of its loops, and every dispatch with its WGSL', () => {
    for (const { name, formula, file } of data.ops) {
      expect(formula).not.toBe('');
      const text = readFileSync(file, 'utf8');
      expect(text, name).toContain(`name: '${name}'`);
      expect(text, name).toMatch(/^ +reference\b/m);
    }
    for (const { dispatches } of data.entries) {
      for (const { kernel, shader } of dispatches) expect(data.kernels[kernel]!.shader).toBe(shader);
    }
  });
});

test.each(['projected', 'bytes+previous'])(
  'the %s door inspects a text too short for a slot: what is unused has no gradient',
  async (door) => {
    const { code, out } = await cli('inspect', '--door', door, '--text', 'Hi', '--json');
    expect(code).toBe(0);
    const names = (JSON.parse(out) as Data).gradients.map(({ name }) => name);
    expect(names.some((name) => name.startsWith('door.stream'))).toBe(true);
    expect(names.some((name) => name.startsWith('door.slot'))).toBe(false);
  },
);

describe('the page', () => {
  test('is the explorer in one file of less than 5 MB, with this text and this decoder to the bit', () => {
    expect(statSync(page).size).toBeLessThan(5e6);
    const { checkpoint, ...opened } = openedIn(page);
    const name = 'an untrained tiny decoder of seed 5';
    expect(opened).toEqual({ name, kind: 'fresh', text: TEXT, before: data.window.L });
    writeFileSync(join(folder, 'inside.safetensors'), Buffer.from(checkpoint, 'base64'));
    const { config, parameters } = readCheckpoint(join(folder, 'inside.safetensors'));
    expect(config).toEqual(TINY);
    const own = initialParameters(TINY, 5);
    expect([...parameters.keys()].sort()).toEqual([...own.keys()].sort());
    for (const [parameter, numbers] of own) expect(parameters.get(parameter), parameter).toEqual(numbers);
  });

  test('text from outside stays text', () => {
    const html = readFileSync(page, 'utf8');
    expect(html).not.toContain('<script>alert');
    expect(html).not.toContain('</script>")');
  });

  test('without flags it has the decoder of the package, as float16, and prints its loss, that of --json', async () => {
    const own = join(folder, 'own.html');
    const text = 'Call me Ishmael. Some years ago';
    const { out } = await cli('inspect', '--text', text, '--out', own);
    expect(out).toContain('models/moby-dick.safetensors, trained on Moby-Dick');
    const { out: json } = await cli('inspect', '--text', text, '--json');
    const { bits_per_byte: bits } = JSON.parse(json) as Data;
    expect(bits).toBeLessThan(4); // it expects more than one that has learned nothing
    expect(Number(/^(\S+) bits per byte/m.exec(out)![1])).toBeCloseTo(bits, 4);
    const { kind, checkpoint } = openedIn(own);
    expect(kind).toBe('package');
    expect(Buffer.from(checkpoint, 'base64').equals(readFileSync('models/moby-dick.safetensors'))).toBe(true);
  });

  test('a decoder that is too large for one is refused before anything is written, with the way to its numbers', async () => {
    const parameters = new Map([['a', new Float32Array(64e6 + 1)]]);
    const decoder = { config: TINY, step: 0, seed: 0, prefix: 128, stream: 128, parameters };
    const opened = { name: '', kind: 'trained', text: '', before: 0 } as const;
    await expect(explorerPage(decoder, opened)).rejects.toThrow(
      'a page holds at most 256 MB of weights; this decoder has 257 MB. --json prints its numbers',
    );
  });

  test('a caption is asked for where there is a recording', async () => {
    const { code, error } = await cli('inspect', '--audio', 'x.wav');
    expect(code).toBe(1);
    expect(error.trim()).toMatch(/--audio needs --text, its caption$/);
  });
});

describe('one tensor', () => {
  test('is printed, and written for NumPy', async () => {
    const npy = join(folder, 'y.npy');
    const name = 'head linear.forward y';
    const { code, out } = await cli('inspect', '--fresh', '--text', 'abcdefgh', '--tensor', name, '--npy', npy);
    expect(code).toBe(0);
    expect(out).toContain(`${name} [1, 4, 258] f32, activation`);
    const bytes = readFileSync(npy);
    const header = bytes.subarray(10, 10 + bytes.readUInt16LE(8)).toString();
    expect(bytes.subarray(1, 6).toString()).toBe('NUMPY');
    expect(header).toBe(
      `${"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4, 258), }".padEnd(header.length - 1)}\n`,
    );
    expect((10 + header.length) % 64).toBe(0);
    expect(bytes.length).toBe(10 + header.length + 4 * 1032);
    const first = bytes.readFloatLE(10 + header.length);
    expect(Number(out.split('\n')[2]!.split(' ')[0])).toBeCloseTo(first, 3);
  });

  test('ids and vectors have NumPy’s names too', () => {
    const text = Buffer.from(npyBytes([2], 'u32', [7, 300])).toString('latin1');
    expect(text).toContain("'descr': '<u4', 'fortran_order': False, 'shape': (2,), }");
    expect(() => npyBytes([3], 'f32', [1])).toThrow('npy: shape [3] needs 3 numbers; got 1');
  });
});

describe('windows', () => {
  const limits = { prefix: 8, stream: 6, K: 4 };
  const cut = (text: string) => {
    const { prefix, targets } = textWindow(text, limits);
    return [Buffer.from(prefix).toString(), Buffer.from(targets).toString()];
  };

  test('half of the text is the prefix, in whole slots, or more where the stream is too short', () => {
    expect(cut('a')).toEqual(['', 'a']);
    expect(cut('abcdef')).toEqual(['', 'abcdef']);
    expect(cut('abcdefg')).toEqual(['abcd', 'efg']);
    expect(cut('abcdefgh')).toEqual(['abcd', 'efgh']);
    expect(cut('abcdefghijkl')).toEqual(['abcdefgh', 'ijkl']);
    expect(cut('abcdefghijklmn')).toEqual(['abcdefgh', 'ijklmn']);
  });

  test.each([
    ['', '--text is empty; give at least one byte to predict'],
    ['x'.repeat(257), "--text is 257 bytes, longer than the decoder's window of 128 + 128"],
  ])('bad text is one line', async (text, message) => {
    const { code, error } = await cli('inspect', '--text', text, '--out', page);
    expect(code).toBe(1);
    expect(error.trim().split('\n')).toHaveLength(1);
    expect(error).toContain(message);
  });

  test('a recording fills the prefix, and the text is its caption with EOS', async () => {
    const file = join(folder, 'x.wav');
    writeFileSync(file, wav(sine(440, 4000, 60), { rate: 4000 }));
    const { code, out, error } = await cli('inspect', '--audio', file, '--text', 'one', '--json');
    expect(error).toBe('');
    expect(code).toBe(0);
    const { window } = JSON.parse(out) as Data;
    expect(window.prefix).toHaveLength(128);
    expect(window.prefix.slice(60)).toEqual(new Array(68).fill(255)); // silence
    expect(window.targets).toEqual([111, 110, 101, 257]);
    const half = await cli('inspect', '--audio', file, '--rate', '2000', '--text', 'one', '--json');
    expect((JSON.parse(half.out) as Data).window.prefix.slice(30)).toEqual(new Array(98).fill(255));
    expect((await cli('inspect', '--rate', '2000')).error).toMatch(/--rate is for a recording; name it with --audio/);
  });
});
