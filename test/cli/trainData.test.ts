import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { byKind, listed, realNumber, windowSize } from '../../src/cli/arguments.js';
import { TINY_DECODER } from '../reliability/runs.js';
import { cli } from '../support/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'train-data-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('flags of kinds', () => {
  const share = byKind(realNumber);
  expect(share('audio=0.4', share('text=0.6'))).toEqual({ text: 0.6, audio: 0.4 });
  expect(byKind(windowSize)('audio=1024+32')).toEqual({ audio: { prefix: 1024, stream: 32 } });
  expect(listed('dxor, phase')).toEqual(['dxor', 'phase']);
  expect(() => share('0.4')).toThrow('It must name a kind of window');
  expect(() => windowSize('1024')).toThrow('prefix and stream, as 1024+32');
});

const short = [...TINY_DECODER, '--batch', '2', '--steps', '1', '--eval-every', '0', '--validation-windows', '2'];

test('no control character of a text reaches the terminal', async () => {
  const text = join(folder, 'escapes.txt');
  writeFileSync(text, 'red \x1b[31m bell \x07\nnext \x9b line\r\n'.repeat(60));
  const run = ['--out', join(folder, 'escapes'), '--prefix', '64', '--stream', '16'];
  const { code, out } = await cli('train', '--text', text, ...run, ...short);
  expect(code).toBe(0);
  const sample = out.slice(out.indexOf('held-out prompt:'), out.indexOf('run folder:'));
  expect(sample).toMatch(/red ·\[31m bell ·\nnext/);
  expect(sample).not.toMatch(/(?!\n)\p{Cc}/u);
});

test("the sample after a sound has the caption and the decoder's own; after a film there is none", async () => {
  const sounds = ['--made', 'sounds', '--window', 'audio=128+64', '--out', join(folder, 'sounds')];
  expect((await cli('train', ...sounds, ...short)).out).toMatch(
    /\ncaption of a held-out sound: a [a-z ,]+\nthe decoder's caption: {7}/,
  );
  const scenes = await cli('train', '--made', 'scenes', '--out', join(folder, 'scenes'), ...short);
  expect(scenes.code).toBe(0);
  expect(scenes.out).not.toMatch(/held-out sound|the decoder's/);
});

test('train on two kinds through some channels: counts, what was left out, and every measure', async () => {
  const text = join(folder, 'notes.jsonl');
  writeFileSync(text, `${'{"text": "a short note, closed"}\n'.repeat(30)}not JSON\n{"txt": 1}\n`);
  const data = [
    '--text',
    text,
    '--share',
    'text=1',
    'audio=1',
    '--window',
    'audio=128+64',
    '--validation-windows',
    '10',
  ];
  const small = [
    ...TINY_DECODER,
    '--prefix',
    '16',
    '--stream',
    '24',
    '--batch',
    '2',
    '--steps',
    '3',
    '--eval-every',
    '0',
  ];
  const run = join(folder, 'run');
  const { code, out, error } = await cli('train', ...data, ...small, '--channels', 'dxor,phase', '--out', run);
  expect(error).toBe('');
  expect(code).toBe(0);
  expect(out).toMatch(/50 % text: .*left out: 2\n50 % audio: made sounds/);
  expect(out).toMatch(/left out: .*notes\.jsonl:31: not JSON/);
  expect(out).toMatch(/left out: .*notes\.jsonl:32: has no "text"/);
  expect(out).toContain('zero door, 0 parameters in it');
  expect(out).toMatch(/\ntext \d\.\d{3} bits\/byte; the text's order-0 entropy is 3\.546\n/);
  expect(out).toMatch(
    /\ncaptions \d\.\d{3} bits\/byte\nbinding gap -?\d\.\d{3} bits\/byte\nretrieval of ten \d+\.\d %\n/,
  );
  expect(out).not.toMatch(/_bpb|_gap/);
  // How well ends are known is for the record, not for the person at the terminal.
  const metrics = readFileSync(join(run, 'metrics.jsonl'), 'utf8');
  for (const name of ['caption_end', 'text_end', 'text_middle']) {
    expect(out).not.toContain(name);
    expect(metrics).toMatch(new RegExp(`"${name}":\\d`));
  }
  const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'));
  expect(config.decoder.columns).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 25, 26]);
  expect(config.left_out.count).toBe(2);
  expect((await cli('train', ...data, ...small, '--strict', '--out', join(folder, 'b'))).error).toContain('jsonl:31');
  expect((await cli('train', '--door', 'bytes', '--channels', 'dxor')).error).toContain('the bytes door has none');
});
