import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Card, figuresOf } from '../../site/figures.js';
import { runLesson } from '../../site/lessonRun.js';
import { CHAPTERS, ROOT } from '../../site/pages.js';
import { type Device, openDevice } from '../../src/engine.js';

/*
 * The numbers that chapters quote and the pictures that they show, computed again. `UPDATE_GOLDEN=1` writes them, and what the
 * chapters quote of them.
 */

let device: Device;
let files: Map<string, string>;
let numbers: string;

beforeAll(async () => {
  device = await openDevice({ device: 'cpu' });
  const run = await runLesson(device);
  numbers = run.numbers;
  const card = JSON.parse(readFileSync(join(ROOT, 'models/moby-dick.json'), 'utf8')) as Card;
  const figures = [...figuresOf(run, card)].map(([name, text]) => [`figures/${name}`, text] as const);
  files = new Map([['numbers.txt', numbers], ...figures]);
});
afterAll(() => device?.close());

test('numbers and pictures are those of the run', () => {
  for (const [name, text] of files) {
    const path = join(ROOT, 'docs/lesson', name);
    if (process.env.UPDATE_GOLDEN) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    expect(existsSync(path), name).toBe(true);
    expect(readFileSync(path, 'utf8'), name).toBe(text);
  }
});

/** What a fence quotes: a part of numbers.txt by its title, or a stop of the walk by its number. */
function partOf(file: string, name: string): string {
  if (file === 'numbers.txt') {
    const at = numbers.indexOf(`\n${name}\n\n`);
    expect(at, `${file} has a part "${name}"`).toBeGreaterThan(0);
    return numbers
      .slice(at + name.length + 3)
      .split('\n\n')[0]!
      .trimEnd();
  }
  const walk = readFileSync(join(ROOT, 'docs/walk.md'), 'utf8');
  const stop = new RegExp(`^${name.replace('stop ', '')}\\. [\\s\\S]*?\`\`\`\\n([\\s\\S]*?)\\n {3}\`\`\``, 'm').exec(
    walk,
  );
  expect(stop, `${file} has a ${name}`).not.toBeNull();
  return stop![1]!.replace(/^ {3}/gm, '');
}

test.each(CHAPTERS)('%s quotes whole parts of the run', (chapter) => {
  const text = readFileSync(join(ROOT, chapter), 'utf8');
  const updated = text.replace(/^```text (\S+) (.+)\n[\s\S]*?^```$/gm, (_, file: string, name: string) =>
    ['```text ', file, ' ', name, '\n', partOf(file, name), '\n```'].join(''),
  );
  if (process.env.UPDATE_GOLDEN) writeFileSync(join(ROOT, chapter), updated);
  else expect(text).toBe(updated);
});
