import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cli } from '../support/cli.js';

test('the walk has eight numbered stops, each with a shape, numbers, and files that are there', async () => {
  const { code, out, error } = await cli('walk');
  expect(error).toBe('');
  expect(code).toBe(0);
  const stops = out.split(/^(?=\d\. )/m).slice(1);
  expect(stops).toHaveLength(8);
  stops.forEach((stop, i) => {
    expect(stop).toMatch(new RegExp(`^${i + 1}\\. \\*\\*.+\\*\\* \`\\[.+\\].*\``));
    expect(stop).toMatch(/ {3}```\n(?: {3}.+\n)+ {3}```/);
    const files = [...stop.matchAll(/\]\(([^)]+)\)/g)].map(([, file]) => file!);
    expect(files.length).toBeGreaterThan(1);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
  });
  expect(stops[0]).toContain('"H" = 72 = 0x48 = 01001000');
  expect(stops[1]).toContain('dxor     0 1 1 0 1 1 0 0'); // 72 ^ (72 >> 1) = 108 = 01101100
  const [p, share] = /= \((\d\.\d+) − 1\) \/ 4 = (-\d\.\d+)/.exec(stops[7]!)!.slice(1).map(Number);
  expect((p! - 1) / 4).toBeCloseTo(share!, 4);
});

test('a terminal gets the same walk without the marks of Markdown', async () => {
  const { isTTY } = process.stdout;
  const { out: markdown } = await cli('walk');
  Object.assign(process.stdout, { isTTY: true, hasColors: () => false });
  try {
    const { out } = await cli('walk');
    expect(out).not.toMatch(/\*\*|`|\]\(/);
    expect(out).toContain('\n1. Bytes  [8]\n\n   "Hi, byte" = 72 105 44 32 | 98 121 116 101   slot | stream\n');
    const plain = (text: string) => text.split('\n').filter((line) => /^ {3}[^`[]/.test(line));
    const files = /^ {3}\w+\/\S+$/;
    expect(plain(out).filter((line) => !files.test(line))).toEqual(plain(markdown));
  } finally {
    Object.assign(process.stdout, { isTTY });
    Reflect.deleteProperty(process.stdout, 'hasColors');
  }
});
