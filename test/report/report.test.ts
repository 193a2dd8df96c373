import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { chartsOf } from '../../src/report/charts.js';
import { smooth, thin } from '../../src/report/curves.js';
import { readRun } from '../../src/report/readRun.js';
import { terminalChart } from '../../src/report/terminal.js';
import { RunFolder } from '../../src/train/run/folder.js';
import { cli } from '../support/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A run folder of `steps` steps whose loss falls from 8 by a hundredth a step. */
function run(name: string, steps = 20, config: object = { options: { lr: 0.002 }, order0_entropy: 4.5 }): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  const rows = Array.from({ length: steps }, (_, i) => ({
    step: i + 1,
    kind: 'text',
    bits_per_byte: 8 - (i + 1) / 100,
    learning_rate: 0.002,
    gradient_norm: i === 3 ? 0 : 1.5,
    bytes_per_second: 1000,
  }));
  writeFileSync(join(path, 'memory.json'), JSON.stringify({ device_bytes: 3 * 2 ** 20 }));
  const lines = [...rows, { step: steps, text_bpb: 7.25 }].map((row) => JSON.stringify(row));
  writeFileSync(join(path, 'metrics.jsonl'), `${lines.join('\n')}\n`);
  const sample = {
    step: steps,
    prompt: { hex: '', text: 'Call me' },
    made: { hex: '', text: '<img src=x onerror=alert(1)>' },
  };
  writeFileSync(join(path, 'samples.jsonl'), `${JSON.stringify(sample)}\n`);
  return path;
}

/** The charts that a report holds, as its script reads them. */
function embedded(html: string): ReturnType<typeof chartsOf> {
  return JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)![1]!);
}

test('the running mean starts at the first number', () => {
  expect(smooth([4, 2], 0.5)).toEqual([4, (0.25 * 4 + 0.5 * 2) / 0.75]);
});

test('a long curve is thinned to means, and keeps its last step', () => {
  const x = Array.from({ length: 10_000 }, (_, i) => i + 1);
  const thinned = thin({ x, y: x }, 100);
  expect(thinned.x.length).toBe(100);
  expect(thinned.x.at(-1)).toBe(10_000);
  expect(thinned.y[0]).toBe(50.5); // the mean of 1 .. 100
});

describe('the report of a run', () => {
  test('has the curves, samples, memory and configuration of its folder, and asks no other place for anything', async () => {
    const path = run('one');
    const { code, out } = await cli('report', path);
    expect(code).toBe(0);
    expect(out).toBe(`report: ${join(path, 'report.html')}\n`);
    const html = readFileSync(join(path, 'report.html'), 'utf8');
    const [loss, ...others] = embedded(html);
    expect(loss!.series.map(({ label }) => label)).toEqual([
      'text batches',
      'text, mean',
      'held-out text',
      'order-0 entropy',
    ]);
    expect(loss!.series[0]!.y[19]).toBeCloseTo(7.8, 12);
    expect(others.map(({ title }) => title)).toEqual(['Learning rate', 'Gradient norm', 'Throughput']);
    expect(others[1]!.series[0]!.x).not.toContain(4); // a gradient of 0 has no place on a logarithmic axis
    expect(html).toContain('<th scope="row">text</th><td>20: 7.250</td>');
    expect(html).toContain('3.0 MiB');
    expect(html).toContain('<th scope="row">options.lr</th><td>0.002</td>');
    expect(html).not.toMatch(/(src|href)=["']?(https?:)?\/\//);
  });

  test('draws each kind of window by itself: a step is of one kind', () => {
    const path = run('mixed', 4);
    const lines = ['text', 'audio', 'text', 'audio'].map((kind, i) =>
      JSON.stringify({ step: i + 1, kind, bits_per_byte: kind === 'text' ? 4 : 2, learning_rate: 0.002 }),
    );
    writeFileSync(join(path, 'metrics.jsonl'), [...lines, '{"step":4,"text_bpb":4,"caption_bpb":2}', ''].join('\n'));
    const [loss] = chartsOf([readRun(path)]);
    const means = loss!.series.filter(({ label }) => label.endsWith(', mean'));
    expect(means).toMatchObject([
      { label: 'text, mean', x: [1, 3], y: [4, 4] },
      { label: 'audio, mean', x: [2, 4], y: [2, 2] },
    ]);
    const heldOut = loss!.series.find(({ label }) => label === 'held-out caption')!;
    expect(heldOut.light).toBe(means[1]!.light);
  });

  test('escapes what the run wrote', async () => {
    const path = run('<b>odd', 3, { note: '</script><script>alert(2)</script>' });
    await cli('report', path);
    const html = readFileSync(join(path, 'report.html'), 'utf8');
    expect(html).not.toContain('<img src=x');
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(html).not.toContain('<script>alert(2)');
    expect(html).not.toContain('<b>odd');
  });

  test('passes over the half line that a killed run leaves, and says so', async () => {
    const path = run('killed');
    appendFileSync(join(path, 'metrics.jsonl'), '{"step":21,"bits_per');
    const record = readRun(path);
    expect(record.leftOut).toBe(1);
    expect(record.curves.get('bits_per_byte')!.x.at(-1)).toBe(20);
    await cli('report', path);
    expect(readFileSync(join(path, 'report.html'), 'utf8')).toContain('1 unreadable lines left out');
  });

  test('of a run stopped before its first step is a page all the same', async () => {
    const path = join(folder, 'none');
    mkdirSync(path);
    writeFileSync(join(path, 'config.json'), '{}');
    const { code } = await cli('report', path);
    expect(code).toBe(0);
    expect(readFileSync(join(path, 'report.html'), 'utf8')).toContain('no step was finished');
  });
});

test('several runs are overlaid, and different settings are highlighted', async () => {
  const [a, b] = [run('a'), run('b', 20, { options: { lr: 0.001 }, order0_entropy: 4.5 })];
  const out = join(folder, 'both.html');
  const { code } = await cli('report', a, b, '--out', out);
  expect(code).toBe(0);
  const html = readFileSync(out, 'utf8');
  const labels = embedded(html)[0]!.series.map(({ label }) => label);
  expect(labels).toContain('a: text, mean');
  expect(labels).toContain('b: text, mean');
  expect(labels.filter((label) => label === 'order-0 entropy').length).toBe(1);
  expect(html).toMatch(/<tr class="differs"><th scope="row">options.lr<\/th><td>0.002<\/td><td>0.001<\/td>/);
});

test('the terminal chart is drawn from the smoothed curve; one step is no curve', () => {
  const chart = terminalChart(readRun(run('drawn', 200)))!;
  expect(chart).toContain('steps 1 to 200');
  expect(chart.split('\n').length).toBe(12);
  expect(chart).toContain('7.98 ┼'); // the first column is the mean of the first three
  expect(terminalChart(readRun(run('short', 1)))).toBeUndefined();
  for (const columns of [20, 50, 60, 110]) {
    const lines = terminalChart(readRun(join(folder, 'drawn')), columns)!.split('\n');
    const [title, rows] = [lines.slice(0, -11), lines.slice(-11)];
    expect(Math.max(...rows.map((line) => line.length))).toBeLessThanOrEqual(columns);
    if (columns >= 50) expect(Math.max(...title.map((line) => line.length))).toBeLessThan(columns);
  }
  expect(terminalChart(readRun(join(folder, 'drawn')), 12)).toBeUndefined();
});

test('a resumed run removes the samples that it will write again', () => {
  const path = run('resumed', 4);
  const kept = RunFolder.open(path);
  kept.logSample(6, Uint8Array.of(72), Uint8Array.of(105, 255));
  expect(readRun(path).samples.map(({ step, made }) => [step, made])).toEqual([
    [4, '<img src=x onerror=alert(1)>'],
    [6, 'i\uFFFD'],
  ]);
  const stays: unknown[] = [];
  kept.rewind(
    5,
    () => {},
    ({ step }) => stays.push(step),
  );
  expect(stays).toEqual([4]);
  kept.release();
  expect(readRun(path).samples.map(({ step }) => step)).toEqual([4]);
});

describe('bad input gets one clear line', () => {
  test('a folder that holds no run', async () => {
    const { code, error } = await cli('report', join(folder, 'nowhere'));
    expect(code).toBe(1);
    expect(error).toMatch(/^error: .*nowhere: holds no run/);
  });
  test('a configuration that is not JSON', async () => {
    const path = run('broken');
    writeFileSync(join(path, 'config.json'), '{');
    const { code, error } = await cli('report', path);
    expect(code).toBe(1);
    expect(error).toMatch(/config\.json: cannot be used: not JSON/);
    writeFileSync(join(path, 'config.json'), '[]');
    expect((await cli('report', path)).error).toMatch(/config\.json: is not a JSON object/);
  });
  test('no run at all', async () => expect((await cli('report')).code).toBe(2));
});
