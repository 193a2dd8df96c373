import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PeerResults } from '../bench/peers/results.js';
import { COMMANDS } from '../src/cli/main.js';
import { kernelsOf } from '../src/engine/kernelTable.js';
import { registry } from '../src/engine/ops/index.js';
import { cli } from './support/cli.js';
import { type Exploratory, exploratoryTable, speedTable, table, verdictTable } from './support/readmeTables.js';

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

/** The part of a Markdown file between `<!-- name -->` and `<!-- /name -->`. */
function section(name: string, file = 'README.md'): string {
  const found = new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)<!-- /${name} -->`).exec(readFileSync(file, 'utf8'));
  expect(found, `${file} has a section ${name}`).not.toBeNull();
  return found![1]!;
}

/** A section must equal what is generated now; `UPDATE_GOLDEN=1` writes it. */
function expectSection(name: string, text: string, file = 'README.md'): void {
  const [before, now] = [section(name, file), `${text.trim()}\n`];
  if (process.env.UPDATE_GOLDEN) {
    const [open, close] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(open + before + close, () => open + now + close),
    );
  } else {
    expect(before).toBe(now);
  }
}

test('the README is short, and opens with what can be run', () => {
  const lines = readFileSync('README.md', 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeLessThan(200);
  expect(lines.indexOf('```sh')).toBeLessThan(6);
});

test('the walk is what `npm run walk` prints, on the CPU device; the README has its first stops', async () => {
  const { out } = await cli('walk');
  const links = /^ {3}\[.*\n\n/gm;
  expectSection('walk', out.slice(0, out.indexOf('\n3. ')).replaceAll(links, ''));
  expectSection('walk', out.replaceAll('](', '](../'), 'docs/walk.md');
});

test('one training step in the README is the example, with what it prints', () => {
  expectSection('oneStep', programAndOutput('examples/oneStep.ts', 'ts'));
});

test('the op table is the registry and the kernel table', () => {
  const rows = registry.map(({ name, file = name, passes }) => {
    const kernels = passes.flatMap(kernelsOf);
    const of = (...kinds: string[]) => {
      const files = kernels.filter(({ on }) => kinds.includes(on)).map(({ shader }) => shader);
      return [...new Set(files)].map((shader) => `\`${shader}\``).join(', ');
    };
    return [`[${name}](${file}.ts)`, of('any', 'cpu'), of('gpu')];
  });
  expectSection('ops', table(['op', 'kernels', 'on a GPU'], rows), 'src/engine/ops/README.md');
});

test('the door in the README of the substrate is the example, with what it prints', () => {
  expectSection('door', programAndOutput('examples/door.ts', 'js'), 'src/substrate/README.md');
});

/** A program of `examples/`, and what it prints on the CPU device. */
function programAndOutput(file: string, language: string): string {
  const printed = execFileSync(process.execPath, ['--import', 'tsx', file], { encoding: 'utf8' });
  const code = readFileSync(file, 'utf8').trim();
  return [`\`\`\`${language}`, code, '```', '', '```', printed.trimEnd(), '```'].join('\n');
}

test('the table of commands lists all of them', () => {
  const rows = COMMANDS.map((command) => command()).flatMap((command) => {
    const parts = command.commands.map((part) => [`\`${command.name()} ${part.name()}\``, part.description()]);
    return parts.length > 0 ? parts : [[`\`${command.name()}\``, command.description()]];
  });
  expectSection('commands', table(['command', 'what it does'], rows), 'src/cli/README.md');
});

test('the tables of results and speed are the files that commands wrote', () => {
  expectSection('results', verdictTable(readJson('results/verdicts.json')));
  const exploratory = exploratoryTable(readJson('results/exploratory.json') as Exploratory);
  expectSection('exploratory', exploratory, 'results/README.md');
  expectSection('speed', speedTable(readJson('bench/peers/results.json')));
});

test('the numbers in the sentence about speed are those of the table', () => {
  const results = Object.values(readJson('bench/peers/results.json') as PeerResults);
  const ratios = (name: string) => results.map(({ rows }) => rows.find((row) => row.name === name)!.ratio!);
  const sentence = readFileSync('README.md', 'utf8').replaceAll('\n', ' ');
  const slower = Math.floor(Math.min(...ratios('jax-js-wasm')));
  expect(sentence).toContain(`more than ${slower} times as fast as jax-js in WebAssembly`);
  const faster = Math.ceil(10 * Math.max(...ratios('torch').map((ratio) => 1 / ratio))) / 10;
  expect(sentence).toContain(`PyTorch on one thread is up to ${faster} times as fast as this engine on two`);
});

test('the transcript of the demo begins as the demo does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-readme-'));
  const { scripts } = readJson('package.json') as { scripts: { demo: string } };
  const [, command] = scripts.demo.split(' src/cli.ts ');
  const short = ['--steps', '1', '--validation-windows', '1', '--out', join(folder, 'run')]; // the last of two steps counts
  const { out } = await cli(...command!.split(' '), ...short);
  rmSync(folder, { recursive: true });
  // The bytes of Moby-Dick and their entropy; the decoder and its parameters; the loss of the first step, of seed 0.
  const [data, decoder, step] = out.split('\n');
  const transcript = section('demo');
  expect(transcript).toContain(`\n${data}\n`);
  const threads = /\d+ threads?$/; // as many as the machine has
  expect(transcript).toContain(`\n${decoder!.replace(threads, '2 threads')}\n`);
  expect(transcript).toContain(/ {2}\d\.\d{3} bits\/byte/.exec(step!)![0]);
});
