import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Checkpoints } from '../../src/train/run/checkpoints.js';
import { ended, start, startTraining, stepsDone, TINY_RUN } from '../reliability/runs.js';

const root = mkdtempSync(join(tmpdir(), 'byte-to-loss-signals-'));
afterAll(() => rmSync(root, { recursive: true }));

/** A long run in a process of its own, and its folder. */
async function training(name: string, ...more: string[]) {
  const path = join(root, name);
  return { child: await startTraining(path, ...more), path };
}

const newest = (path: string) => new Checkpoints(join(path, 'checkpoints'), 0).newest();

describe.concurrent('a run in a process of its own', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('that gets %s finishes the step, saves, and exits with %i', async (signal, code) => {
    const { child, path } = await training(signal);
    const end = ended(child);
    child.kill(signal);
    const { code: exit, out } = await end;
    expect(exit).toBe(code);
    expect(out).toContain(`${signal}: finishing this step and saving; a second signal stops at once`);
    expect(newest(path)?.checkpoint.step).toBe(stepsDone(path));
  });

  it('that gets a second signal stops at once, and leaves nothing half written', async () => {
    const { child, path } = await training('twice');
    const end = ended(child);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    expect(['SIGINT', 'SIGTERM']).toContain((await end).signal); // a shell says 130 or 143
    // It may have saved in between, or not: what is there can be read.
    const step = newest(path)?.checkpoint.step;
    if (step !== undefined) expect(step).toBeLessThanOrEqual(stepsDone(path));
  });

  it('whose terminal closes, which is told twice, saves all the same', async () => {
    const { child, path } = await training('hangup');
    const end = ended(child);
    child.kill('SIGHUP');
    child.kill('SIGHUP');
    expect((await end).code).toBe(129);
    expect(newest(path)?.checkpoint.step).toBe(stepsDone(path));
  });

  it('whose output is closed says so, saves, and exits with 1', async () => {
    const { child, path } = await training('pipe', '--save-every', '1', '--keep', '1');
    child.stdout!.destroy(); // the next line about a checkpoint is written to a closed pipe
    const { code, error } = await ended(child);
    expect(error).toMatch(/^error: the output was closed \(EPIPE\)$/m);
    expect(code).toBe(1);
    expect(newest(path)?.checkpoint.step).toBe(stepsDone(path));
  });

  it('whose reader has read enough ends without a word, where its output is its work', async () => {
    const child = start(['features', '--text', 'x'.repeat(20_000), '--json']); // more than a pipe holds
    child.stdout!.destroy();
    expect(await ended(child)).toEqual({ code: 0, signal: null, out: '', error: '' });
  });

  it('that cannot make its folder says why', async () => {
    const { code, error } = await ended(start(['train', ...TINY_RUN, '--steps', '1', '--out', '/proc/nope/run']));
    expect(error).toMatch(
      /^error: \/proc\/nope\/run: cannot become a run folder: .*\(ENOENT\); choose another with --out$/m,
    );
    expect(code).toBe(1);
  });
});
