import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Device } from '../../src/device/device.js';
import { type DoctorOptions, type Examination, examine, PARTS, TimeUp } from '../../src/doctor/doctor.js';
import { pageOf } from '../../src/doctor/page.js';
import type { Context, Findings, Part } from '../../src/doctor/part.js';
import { setShaderSource } from '../../src/engine/shaderSource.js';
import { cli } from '../support/cli.js';
import { bundledDevice } from '../support/device.js';
import { runsBundled } from '../support/platform.js';
import { fileOf } from '../support/shaders.js';

const folder = mkdtempSync(join(tmpdir(), 'doctor-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => setShaderSource());

/** A device that counts how often it was opened and closed. */
function fakeDevices() {
  const counts = { opened: 0, closed: 0 };
  const open = async () => {
    counts.opened++;
    return { name: 'card', close: () => counts.closed++ } as unknown as Device;
  };
  return { counts, open };
}

const fine: Findings = { summary: 'fine', faults: [], leftOut: [] };
const part = (name: string, weight: number, run: (context: Context) => Findings | Promise<Findings>): Part => ({
  name,
  what: `what ${name} asks`,
  weight,
  run: async (context) => run(context),
});

/** Runs parts by a clock that moves only where a part moves it. */
function run(parts: readonly Part[], more: Partial<DoctorOptions> = {}): Promise<Examination> {
  const { open } = fakeDevices();
  return examine({ version: '1', minutes: 10, open, parts, now: () => clock.now, ...more });
}
const clock = { now: 0 };

describe('examine', () => {
  test('gives each part its share of what is left, and what one does not use to those after it', async () => {
    clock.now = 0;
    const given: number[] = [];
    const takes = (milliseconds: number) => (context: Context) => {
      given.push(context.left());
      clock.now += milliseconds;
      return fine;
    };
    // 600 s less a reserve of 30: a third of it, then a half of 560 s, then all of 170 s.
    await run([part('a', 1, takes(10_000)), part('b', 1, takes(390_000)), part('c', 1, takes(0))]);
    expect(given).toEqual([190_000, 280_000, 170_000]);
  });

  test('a part that fails or throws does not stop the others, and each has a device of its own', async () => {
    const { counts, open } = fakeDevices();
    const finished: string[] = [];
    const examination = await run(
      [
        part('throws', 1, () => Promise.reject(new Error('lost\nat all'))),
        part('finds', 1, () => ({ summary: 'one', faults: ['gelu: wrong'], leftOut: [] })),
        part('part of it', 1, () => ({ summary: 'half', faults: [], leftOut: ['the rest'] })),
        part('all', 1, () => fine),
      ],
      { open, finished: ({ part }, { reports }) => finished.push(`${part} ${reports.length}`) },
    );
    expect(examination.reports.map(({ verdict }) => verdict)).toEqual(['failed', 'failed', 'partly', 'passed']);
    expect(examination.reports[0]).toMatchObject({ summary: 'lost', faults: ['lost\nat all'] });
    expect(examination).toMatchObject({ verdict: 'failed', device: 'card' });
    expect(counts).toEqual({ opened: 4, closed: 4 });
    expect(finished).toEqual(['throws 1', 'finds 2', 'part of it 3', 'all 4']);
  });

  test('no part is waited for beyond the end of the whole time', async () => {
    clock.now = 0;
    const limits: number[] = [];
    const limit = (milliseconds: number) => {
      limits.push(milliseconds);
      return { over: new Promise<never>(() => {}), cancel: () => {} };
    };
    const takes = (milliseconds: number) => () => {
      clock.now += milliseconds;
      return fine;
    };
    await run([part('a', 1, takes(560_000)), part('b', 1, takes(0))], { limit });
    // Twice its share of 285 s would be more than the ten minutes; the second part has 40 s to their end.
    expect(limits).toEqual([600_000, 40_000]);
  });

  test('a part that hangs is given up, and its device closed', async () => {
    const { counts, open } = fakeDevices();
    const limit = (milliseconds: number) => ({
      over: milliseconds > 0 ? Promise.reject(new Error('given up')) : new Promise<never>(() => {}),
      cancel: () => {},
    });
    const examination = await run([part('hangs', 1, () => new Promise(() => {}))], { open, limit });
    expect(examination.reports[0]).toMatchObject({ verdict: 'failed', faults: ['given up'] });
    expect(counts).toEqual({ opened: 1, closed: 1 });
  });

  test('a part that does not end is no fault of the device where it had less than the usual time', async () => {
    const limit = () => ({ over: Promise.reject(new TimeUp('did not end in 12 s')), cancel: () => {} });
    const hanging = part('slow', 1, () => new Promise(() => {}));
    const of = async (minutes: number) => (await run([hanging], { limit, minutes })).reports[0];
    expect(await of(1)).toMatchObject({
      verdict: 'partly',
      faults: [],
      leftOut: ['did not end in 12 s; with --minutes 10 it has longer'],
    });
    expect(await of(10)).toMatchObject({ verdict: 'failed', faults: ['did not end in 12 s'], leftOut: [] });
  });

  test('a stop ends the part that runs, and leaves out the others; so does the end of the time', async () => {
    let stopped = false;
    const first = part('first', 1, ({ left }) => {
      stopped = true;
      return { ...fine, leftOut: left() <= 0 ? ['most'] : [] };
    });
    const after = part('after', 1, () => fine);
    const verdicts = (examination: Examination) => examination.reports.map(({ verdict }) => verdict);
    expect(verdicts(await run([first, after], { stopped: () => stopped }))).toEqual(['partly', 'not run']);
    const late = part('late', 1, () => {
      clock.now += 11 * 60_000;
      return fine;
    });
    expect(verdicts(await run([late, after]))).toEqual(['passed', 'not run']);
  });
});

/** The labels and lengths of both training curves. */
function curvesOf({ reports }: Examination) {
  const { curves } = reports.find(({ part }) => part === 'training')!;
  return curves!.map(({ label, values }) => [label, values.length]);
}

describe('doctor', () => {
  const examined = async (device: string) => {
    const name = join(folder, device); // doctor adds the ending
    const { code, out, error } = await cli('doctor', '--quick', '--device', device, '--out', name);
    const json: Examination = JSON.parse(readFileSync(`${name}.json`, 'utf8'));
    return { code, out, error, json, page: readFileSync(`${name}.html`, 'utf8') };
  };

  test('finds nothing wrong with cpu, and writes a page and its numbers', async () => {
    const { code, out, json, page } = await examined('cpu');
    expect(json.reports.flatMap(({ faults }) => faults)).toEqual([]);
    expect(code).toBe(0);
    expect(json.reports.map((report) => report.part)).toEqual(PARTS.map(({ name }) => name));
    expect(out).toContain('nothing wrong was found');
    expect(out).toContain(`attach ${join(folder, 'cpu')}.html to an issue`);
    const [inPage] = page.split('id="examination">')[1]!.split('</script>');
    expect(JSON.parse(inPage!)).toEqual(json);
    const tables = json.reports.flatMap(({ tables = [] }) => tables);
    const titles = tables.map(({ title }) => title);
    for (const title of ['Adapter', 'Claims', 'Ops', 'Training', 'Training steps', 'Ops alone']) {
      expect(titles).toContain(title);
    }
    expect(curvesOf(json)).toEqual([
      ['CPU device', 20],
      ['this device', 20],
    ]);
  });

  if (runsBundled()) {
    test('finds nothing wrong with bundled', async () => {
      // Its compiler takes long, and the contract compares each op on it: the two parts of single ops are left out.
      const parts = PARTS.filter(({ name }) => !['ops', 'op times'].includes(name));
      const device = await bundledDevice(false);
      const open = async () => Object.assign(device, { close() {} });
      const examination = await examine({ version: '1', minutes: 10, isQuick: true, open, parts });
      expect(examination.reports.map(({ part, verdict }) => `${part} ${verdict}`)).toEqual([
        'facts passed',
        'channels partly', // the long claims are not quick
        'gradients passed',
        'training passed',
        'steps passed',
      ]);
      expect(examination.verdict).toBe('passed');
      expect(curvesOf(examination)).toEqual([
        ['CPU device', 20],
        ['this device', 20],
      ]);
    });
  }

  test('finds a kernel that is wrong', async () => {
    setShaderSource((name) => {
      const text = fileOf(name);
      return name.startsWith('gelu.backward') ? text.replace('dU[i] = ', 'dU[i] = 1.01 * ') : text;
    });
    const { code, json, page } = await examined('cpu');
    expect(code).toBe(1);
    const faults = (name: string) => json.reports.find((report) => report.part === name)!.faults;
    expect(faults('ops')[0]).toMatch(/^n: gelu.backward dU, n = 9: at \d+ of 9: got /);
    expect(json.verdict).toBe('failed');
    expect(page).toContain('Result: something is wrong on this device.');
  });

  test('refuses a time that is none, and a device that is not there, before anything is written', async () => {
    const none = join(folder, 'none.html');
    expect((await cli('doctor', '--minutes', '0', '--out', none)).code).toBe(2);
    expect((await cli('doctor', '--device', 'gpu', '--out', none)).error).toMatch(
      /^error: no usable device; tried gpu/,
    );
    expect(existsSync(none)).toBe(false);
  });
});

test('the page shows text of a device as text', () => {
  const report = {
    part: 'ops',
    what: 'w',
    verdict: 'failed',
    seconds: 1,
    ...fine,
    faults: ['<script>alert(1)</script>'],
  };
  const page = pageOf({
    format: 1,
    version: '1',
    date: '2026-01-02T03:04:05.000Z',
    device: '<b>card</b>',
    isQuick: false,
    seconds: 3,
    verdict: 'failed',
    reports: [report as Examination['reports'][number]],
  });
  expect(page).not.toContain('<b>card');
  expect(page).not.toContain('<script>alert');
  expect(page).toContain('&lt;script&gt;alert(1)');
});
