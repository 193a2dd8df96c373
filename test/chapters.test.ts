import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

/*
 * Chapters quote the code they explain: a fence that names a file after its language, "```wgsl ../../../shaders/adamW.wgsl",
 * holds lines of that file as they stand there, moved to the left margin.
 */

const chapters = execFileSync('git', ['ls-files', 'src/engine/ops/[a-z]*.md'], { encoding: 'utf8' }).trim().split('\n');

const withoutIndent = (text: string) => text.replace(/^ +/gm, '').trim();

describe.each(chapters)('%s', (chapter) => {
  const quotes = [...readFileSync(chapter, 'utf8').matchAll(/^```(?:ts|wgsl) (\S+)\n([\s\S]*?)^```$/gm)];

  test('goes from loops to WGSL', () => {
    const files = quotes.map(([, file]) => file!);
    expect(files.some((file) => file.endsWith('.ts'))).toBe(true);
    expect(files.some((file) => file.endsWith('.wgsl'))).toBe(true);
  });

  test.each(quotes.map(([, file, text]) => [file!, text!] as const))('quotes %s as it stands', (file, text) => {
    const source = withoutIndent(readFileSync(join(dirname(chapter), file), 'utf8'));
    expect(source.split('\n').length).toBeGreaterThan(10);
    expect(source).toContain(withoutIndent(text));
  });
});
