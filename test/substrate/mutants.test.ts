/**
 * The proof can fail: a change to any table entry, to the anchor, to the boundary window, or to the arithmetic around them is found by
 * what `proof.test.ts` checks. Source mutants are real ones: a copy of the substrate with one piece of text replaced.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import type { EmbedOptions } from '../../src/substrate/embed.js';
import { everyByte, exactChannels, exactValueTable, firstDifference } from '../../src/substrate/proof.js';
import { packedTable, valueTable } from '../../src/substrate/table.js';

const bits = (values: Float32Array) => new Uint32Array(values.buffer);

describe('table entries', () => {
  it('changed to any other of the 255 codes decode to other bits, but for a cosine and its mirror', () => {
    const codes = packedTable();
    const exact = bits(exactValueTable());
    const survivors: string[] = [];
    for (let v = 0; v < 256; v++) {
      const row = codes.slice(18 * v, 18 * v + 18);
      for (let column = 0; column < 18; column++) {
        const right = row[column]!;
        for (let code = 0; code < 256; code++) {
          if (code === right) continue;
          row[column] = code;
          if (bits(valueTable(row))[column] === exact[18 * v + column]) survivors.push(`${v} ${column} ${code}`);
        }
        row[column] = right;
      }
    }
    // cos(2πi/256) = cos(2π(256-i)/256): such a code makes the same float, and the test of the codes themselves finds
    // it. A set sign bit
    // of a Fourier code means -0 for any other bits, so the 96 negative zeros have 127 names each; that test finds
    // those as well.
    const mirrored = survivors.filter((survivor) => Number(survivor.split(' ')[1]) >= 16);
    for (const survivor of mirrored) {
      const [v, column, code] = survivor.split(' ').map(Number) as [number, number, number];
      const angle = column === 16 ? v : (v + 192) % 256;
      expect((angle + code) % 256).toBe(0);
    }
    expect(mirrored.length).toBe(2 * 254); // every angle but 0 and 128 has a mirror
    expect(survivors.length - mirrored.length).toBe(96 * 127);
  });
});

type Substrate = typeof import('../../src/substrate/index.js');

const source = fileURLToPath(new URL('../../src', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'byte-to-loss-mutants-'));
afterAll(() => rmSync(work, { recursive: true }));

const PATHS = ['common/errors.ts', 'common/random.ts'].concat(
  ['channels', 'codec', 'controls', 'embed', 'groups', 'index', 'pack', 'slots', 'table'].map(
    (name) => `substrate/${name}.ts`,
  ),
);
const texts = new Map(PATHS.map((path) => [path, readFileSync(join(source, path), 'utf8')]));
const compile = (text: string) =>
  ts.transpileModule(text, { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 } })
    .outputText;
const compiled = new Map([...texts].map(([path, text]) => [path, compile(text)]));
writeFileSync(join(work, 'package.json'), '{ "type": "module" }');
let built = 0;

/** Compile the substrate with one text replaced, and import it. */
async function build(file: string, from: string, to: string): Promise<Substrate> {
  const changed = `substrate/${file}.ts`;
  const text = texts.get(changed)!;
  expect(text.split(from).length, `${changed} must hold this once: ${from}`).toBe(2);
  const home = join(work, `${built++}`);
  for (const [path, output] of compiled) {
    const target = join(home, path.replace('.ts', '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, path === changed ? compile(text.replace(from, to)) : output);
  }
  return import(/* @vite-ignore */ pathToFileURL(join(home, 'substrate/index.js')).href);
}

const SOME = [0, 1, 15, 16, 72, 101, 127, 128, 200, 255];
const TRIPLES = SOME.flatMap((a) => SOME.flatMap((b) => SOME.flatMap((c) => [a, b, c])));
const GAPS = [255, 256, 255, 257, 129, 130, 256, 256, 17, 255];
const CASES = [
  { ids: Array.from(everyByte()), rowLength: 1 },
  { ids: TRIPLES, rowLength: 3 },
  { ids: GAPS, rowLength: GAPS.length },
].flatMap(({ ids, rowLength }) =>
  [{}, { includeBits: true }, { momentumPhase: true }].map((options: EmbedOptions) => ({
    ids,
    options: { ...options, rowLength },
    exact: exactChannels(ids, rowLength, options),
  })),
);
const BYTES = Uint8Array.from(TRIPLES.slice(0, 600));
const EXACT_RUN = exactChannels(BYTES, BYTES.length);

/** What proof.test.ts checks, on a smaller domain: the first thing found wrong, or undefined. */
function findFault({ embedIds, encode, decode }: Substrate): string | undefined {
  for (const { ids, options, exact } of CASES) {
    const fault = firstDifference(embedIds(ids, options).features, exact, ids, options.includeBits);
    if (fault) return `embed: ${fault}`;
  }
  const frame = encode(BYTES);
  for (let t = 0; t < BYTES.length; t++) {
    if (frame.boundary[t] !== EXACT_RUN[27 * t + 16]) return `codec: boundary ${t}`;
    for (let i = 0; i < 8; i++) {
      if (frame.delta[8 * t + i] !== EXACT_RUN[27 * t + i]) return `codec: delta ${8 * t + i}`;
      if (frame.delta2[8 * t + i] !== EXACT_RUN[27 * t + 8 + i]) return `codec: delta2 ${8 * t + i}`;
    }
  }
  try {
    return decode(frame).some((value, t) => value !== BYTES[t]) ? 'codec: decode' : undefined;
  } catch (error) {
    return `codec: ${error}`;
  }
}

describe('the source', () => {
  it('unchanged has no fault', async () => {
    expect(findFault(await build('embed', 'let previous = 0;', 'let previous = 0;'))).toBeUndefined();
  });

  it.each([
    // The anchor.
    ['embed', 'let previous = 0;', 'let previous = 1;'],
    ['embed', 'let dxorBefore = 0;', 'let dxorBefore = 1;'],
    ['embed', 'let base = FIRST_BYTE;', 'let base = 0;'],
    ['embed', '      previous = 0;\n', ''],
    ['embed', '      dxorBefore = 0;\n', ''],
    ['embed', '      base = FIRST_BYTE;\n', ''],
    ['channels', 'value ^ (value >> 1)', '(value ^ (value >> 1)) ^ 128'],
    ['codec', '(n % 8 === 0 ? 0 : bits[n - 1]!)', '(n === 0 ? 0 : bits[n - 1]!)'],
    ['codec', '(n % 8 === 0 ? 0 : bit)', '(n === 0 ? 0 : bit)'],
    // The boundary window.
    ['codec', 'WINDOW_RADIUS = 4', 'WINDOW_RADIUS = 3'],
    ['codec', 'WINDOW_RADIUS = 4', 'WINDOW_RADIUS = 5'],
    ['codec', 'i + WINDOW_RADIUS + 1', 'i + WINDOW_RADIUS'],
    ['channels', 'ones(value >> 3)', 'ones(value >> 4)'],
    ['channels', 'ones(value >> 3)', 'ones(value >> 2)'],
    ['channels', 'ones(value & 15)', 'ones(value & 7)'],
    ['channels', 'ones(value & 15)', 'ones(value & 31)'],
    ['table', 'i / 18', 'i / 17'],
    ['table', '(i - FIRST_BYTE) / 10', '(i - FIRST_BYTE) / 9'],
    // Differences, Fourier, phase and momentum.
    ['codec', '(n < 8 ? 0 : delta[n - 8]!)', '(n < 9 ? 0 : delta[n - 9]!)'],
    ['embed', 'dxor ^ dxorBefore', 'dxor'],
    ['channels', 'k * n + quarter', 'k * n - quarter'],
    ['table', 'if (code & 128) return -0;', ''],
    ['table', 'codes[row + 17] = v - 64;', 'codes[row + 17] = v + 64;'],
    ['channels', '256 + Math.abs(value - previous)', '256 + value - previous'],
    ['channels', '256 + Math.abs(value - previous)', '255 + Math.abs(value - previous)'],
  ])('%s with %j as %j is found out', async (file, from, to) => {
    expect(findFault(await build(file, from, to))).toBeDefined();
  });
});
