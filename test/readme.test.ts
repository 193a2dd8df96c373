import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PeerResults } from '../bench/peers/results.js';
import { COMMANDS } from '../src/cli/main.js';
import { kernelsOf } from '../src/engine/kernelTable.js';
import { registry } from '../src/engine/ops/index.js';
import type { Report } from '../src/train/experiment/report.js';
import { cli } from './support/cli.js';
import { reliabilityTable, resultsTables, speedTable, table } from './support/readmeTables.js';

const FILE = 'README.md';
const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

/** The part of the README between `<!-- name -->` and `<!-- /name -->`. */
function section(name: string): string {
  const found = new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)<!-- /${name} -->`).exec(readFileSync(FILE, 'utf8'));
  expect(found, `README.md has a section ${name}`).not.toBeNull();
  return found![1]!;
}

/** A section must be what is generated today; `UPDATE_GOLDEN=1` writes it anew. */
function expectSection(name: string, text: string): void {
  const [before, now] = [section(name), `${text.trim()}\n`];
  if (process.env.UPDATE_GOLDEN) {
    const [open, close] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
    writeFileSync(
      FILE,
      readFileSync(FILE, 'utf8').replace(open + before + close, () => open + now + close),
    );
  } else {
    expect(before).toBe(now);
  }
}

test('the walk in the README is what `npm run walk` prints, on the CPU device', async () => {
  const { out } = await cli('walk');
  // Three stops are in sight, the others behind a click: a newcomer should come to the end of the README.
  const rest = out.indexOf('\n4. ');
  expectSection('walk', out.slice(0, rest));
  expectSection('walk on', out.slice(rest));
});

test('the op table in the README is the registry and the kernel table', () => {
  const rows = registry.map(({ name, file = name, shaders }) => {
    const kernels = shaders.flatMap(kernelsOf);
    const of = (...kinds: string[]) => {
      const files = kernels.filter(({ on }) => kinds.includes(on)).map(({ shader }) => shader);
      return [...new Set(files)].map((shader) => `\`${shader}\``).join(', ');
    };
    return [`[${name}](src/engine/ops/${file}.ts)`, of('any', 'cpu'), of('gpu')];
  });
  expectSection('ops', table(['op', 'kernels', 'on a GPU'], rows));
});

test('the door in the README is the example, with what it prints', () => {
  const example = 'examples/door.ts';
  const printed = execFileSync(process.execPath, ['--import', 'tsx', example], { encoding: 'utf8' });
  const code = readFileSync(example, 'utf8').trim();
  expectSection('door', ['```js', code, '```', '', '```', printed.trim(), '```'].join('\n'));
});

test('the commands in the README are those there are', () => {
  const rows = COMMANDS.map((command) => command()).flatMap((command) => {
    const parts = command.commands.map((part) => [`\`${command.name()} ${part.name()}\``, part.description()]);
    return parts.length > 0 ? parts : [[`\`${command.name()}\``, command.description()]];
  });
  expectSection('commands', table(['command', 'what it does'], rows));
});

test('the tables of results, speed and reliability are the files that commands wrote', () => {
  const results = ['tiny', 'pilot-text', 'binding'].map((name) =>
    resultsTables(readJson(`results/${name}/report.json`)),
  );
  expectSection('results', results.join('\n\n'));
  expectSection('speed', speedTable(readJson('bench/peers/results.json')));
  expectSection('reliability', reliabilityTable(readJson('results/reliability.json')));
});

test('what the README says beside its tables is still so', () => {
  const { claims } = readJson('results/tiny/report.json') as Report;
  const onText = claims.filter(({ text }) => text.includes('on text'));
  expect(onText.map(({ verdict }) => verdict)).toEqual(['refuted', 'refuted']);
  const { claims: onTextAlone } = readJson('results/channels/report.json') as Report;
  const tied = onTextAlone.filter(({ text }) => text.includes('than plain byte embeddings'));
  expect(tied.map(({ verdict }) => verdict)).toEqual(['undecided at this scale']);
  const [{ arms }] = (readJson('results/pilot-text/report.json') as Report).groups as [Report['groups'][0]];
  const [lead, ofContext] = ['bytes', 'zero:value'].map(
    (name) => arms.find(({ arm }) => arm === name)!.toZero!.text_bpb!,
  );
  expect(ofContext!.mean / lead!.mean).toBeGreaterThan(0.5); // most of that lead
  const { claims: onSpeech } = readJson('results/binding/report.json') as Report;
  const overBytes = onSpeech.filter(({ text }) => text.startsWith('The zero door does better on captions'));
  expect(overBytes.map(({ verdict }) => verdict)).toEqual(['reproduced']);
  for (const { rows } of Object.values(readJson('bench/peers/results.json') as PeerResults)) {
    const ours = rows.find(({ name }) => name === 'ours')!;
    for (const { name, ratio, peakMemory } of rows) {
      if (name === 'torch') expect(ratio, name).toBeLessThan(0.5);
      if (name !== 'jax-js' && name !== 'tfjs') continue;
      expect(ratio, name).toBeGreaterThan(2.5); // several times as long
      expect(peakMemory, name).toBeGreaterThan(ours.peakMemory);
    }
  }
  expect(Math.round(registry.length / 10)).toBe(3); // some thirty ops
});

test('the transcript of the demo begins as the demo does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-readme-'));
  const { out } = await cli('train', '--steps', '1', '--validation-windows', '1', '--out', join(folder, 'run'));
  rmSync(folder, { recursive: true });
  // The bytes of Moby-Dick and their entropy; the decoder and its parameters; the loss of the first step, of seed 0.
  const [data, decoder, step] = out.split('\n');
  const transcript = section('demo');
  expect(transcript).toContain(`\n${data}\n`);
  expect(transcript).toContain(`\n${decoder}\n`);
  expect(transcript).toContain(/ {2}\d\.\d{3} bits\/byte/.exec(step!)![0]);
});
