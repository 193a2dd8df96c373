import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readSafetensors } from '../../../src/train/safetensors.js';
import { cli } from '../../support/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'old-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

// test/golden/run was written by `train --steps 1` at 77cf7f6, before ops, functions and fields took the names that they have now.
// The sum is of the parameters that the same commit had after one step more.
const PARAMETERS = '478fe3f7a6e95e5ff6f314e617306557120305db99d202095dc5c7a22a4fca64';

test('a run from before the renames resumes, and gets the same parameters as it did then', async () => {
  const run = join(folder, 'run');
  cpSync('test/golden/run', run, { recursive: true });
  const { code, error } = await cli('train', '--resume', run, '--steps', '2');
  expect({ code, error }).toEqual({ code: 0, error: expect.not.stringContaining('unknown') });
  expect(sumOf(join(run, 'checkpoints/step-000002.safetensors'))).toBe(PARAMETERS);
});

test('its weights are read by themselves', async () => {
  const weights = 'test/golden/run/checkpoints/step-000001.safetensors';
  const { code, out } = await cli('score', '--checkpoint', weights, '--stream-hex', '4d6f6279');
  expect(code).toBe(0);
  expect(out).toMatch(/\d bits per byte/);
});

/** SHA-256 of all tensors, in order of their names. */
function sumOf(path: string): string {
  const hash = createHash('sha256');
  const { tensors } = readSafetensors(path);
  for (const [name, { data }] of [...tensors].sort())
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('hex');
}
