import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { exits, tryExit } from './exits.js';

const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-exits-'));
afterAll(() => rmSync(folder, { recursive: true }));

// Once each; `npm run reliability -- exits` does them often. What signals leave on the disk is looked at in cli/signals.test.ts.
describe.concurrent('a command in a process of its own ends as promised', () => {
  const ways = exits(folder).filter(({ act }) => act === undefined);
  it.each(ways.map((exit) => [exit.name, exit] as const))('%s', async (_, exit) => {
    expect(await tryExit(exit, folder, process.env.BYTE_TO_LOSS_DEVICE!)).toBeUndefined();
  });
});
