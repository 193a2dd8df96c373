import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Card, figuresOf } from '../../site/figures.js';
import { runLesson } from '../../site/lessonRun.js';
import { ROOT } from '../../site/pages.js';
import { type Device, openDevice } from '../../src/engine.js';

/*
 * The numbers that chapters quote and the pictures that they show, computed again. `UPDATE_GOLDEN=1` writes them.
 */

let device: Device;
let files: Map<string, string>;

beforeAll(async () => {
  device = await openDevice({ device: 'cpu' });
  const run = await runLesson(device);
  const card = JSON.parse(readFileSync(join(ROOT, 'models/moby-dick.json'), 'utf8')) as Card;
  const figures = [...figuresOf(run, card)].map(([name, text]) => [`figures/${name}`, text] as const);
  files = new Map([['numbers.txt', run.numbers], ...figures]);
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
