import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chartsOf } from '../../src/experiment/charts.js';
import { type CollectedCell, collect } from '../../src/experiment/collect.js';
import { type Grid, readGrid } from '../../src/experiment/grid.js';
import { jsonOf, makeReport, markdownOf, type Report } from '../../src/experiment/report.js';
import { htmlOf } from '../../src/experiment/reportHtml.js';
import type { CellResult } from '../../src/experiment/result.js';

const folder = mkdtempSync(join(tmpdir(), 'report-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Text bits per byte that every arm is given, seed by seed: three seeds that shift all arms alike. */
const SHIFT = [0, 0.3, -0.2];
const TEXT: Readonly<Record<string, readonly number[]>> = {
  zero: [2.5, 2.5, 2.5],
  projected: [2.49, 2.5, 2.51], // as well as zero
  bytes: [2.9, 2.95, 2.92], // surely worse
  permuted: [2.3, 2.7, 2.5], // who knows
  '<script>alert(1)</script>': [2.6, 2.61, 2.6], // zero without its context
};

/** What each run left out: 102 lines, of which the first hundred are named. */
const REASONS = Array.from({ length: 100 }, (_, i) => `a\x1b.jsonl:${i + 1}: not JSON <b> \`x\``);

function finish(grid: Grid, out: string, text = TEXT): void {
  for (const { id, arm, K, seed, steps } of grid.cells) {
    const text_bpb = text[arm]![seed]! + SHIFT[seed]!;
    const result: CellResult = {
      arm,
      K,
      seed,
      steps,
      measures: {
        text_bpb,
        caption_bpb: arm === 'bytes' ? 0.5 + 0.01 * seed : 1,
        binding_gap: arm === 'zero' ? 0.5 + 0.01 * seed : 0.1 * (seed - 1),
        retrieval: 0.3,
      },
      parameters: { all: 1000, door: arm === 'bytes' ? 33024 : 0 },
      lr: 0.002,
      scores: {
        text_bpb: {
          sums: [100, 101, 99].map((weight, w) => weight * (text_bpb + 0.01 * (w - 1))),
          weights: [100, 101, 99],
        },
      },
      data_sha256: [],
      flops: 1e12,
      weights_sha256: 'abc',
      bytes_per_second: 1000,
      training_milliseconds: 1000,
      seconds: 60,
      peak_memory_bytes: 2 ** 28,
      left_out: 102,
      left_out_reasons: REASONS,
      adapter: 'a <driver>',
    };
    mkdirSync(join(out, id), { recursive: true });
    writeFileSync(join(out, id, 'result.json'), JSON.stringify(result));
    const lines = [
      { step: 1, kind: 'text', bits_per_byte: 5, milliseconds: 10 },
      { step: 1, text_bpb: text_bpb + 1 },
      { step: 2, kind: 'text', bits_per_byte: 4, milliseconds: 10 },
      { step: 2, text_bpb },
    ];
    writeFileSync(
      join(out, id, 'metrics.jsonl'),
      `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"step": 3, "te`,
    );
  }
}

const grid = readGrid(
  {
    name: 'g',
    about: 'A & B',
    arms: [
      'zero',
      'projected',
      'bytes',
      'permuted',
      { name: '<script>alert(1)</script>', door: 'zero', channels: ['value'] },
    ],
    seeds: [0, 1, 2],
    steps: 2,
  },
  'g.json',
);
let report: Report;
beforeAll(() => {
  finish(grid, folder);
  report = makeReport(grid, collect(grid, folder), 'byte-to-loss experiment', '1');
});

describe('the report', () => {
  it('shows means ± half intervals, and paired differences without what the seeds share', () => {
    const markdown = markdownOf(report);
    expect(markdown).toContain('| zero | 3 | 0 | 2.533 ± 0.625 |');
    expect(markdown).toMatch(/\| bytes \| \+0\.423 \(\+0\.3\d\d to \+0\.4\d\d\) \|/);
    expect(markdown).toContain('- Cells: 15 of 15 finished, 15.0 minutes in all');
    expect(JSON.parse(jsonOf(report)).groups[0].arms[2].measures.text_bpb.mean).toBeCloseTo(2.957, 3);
  });

  it('is made from results with many windows, of over a mebibyte and 100,000 values', () => {
    const one = readGrid({ name: 'g', arms: ['zero'], seeds: [0], steps: 2 }, 'g.json');
    const out = join(folder, 'many');
    finish(one, out);
    const file = join(out, one.cells[0]!.id, 'result.json');
    const each = Array.from({ length: 70_000 }, (_, i) => 1 + i / 1e6);
    const scores = { text_bpb: { sums: each, weights: each } };
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), scores }));
    expect(statSync(file).size).toBeGreaterThan(1 << 20);
    expect(collect(one, out)[0]).toMatchObject({ state: 'finished', result: { scores } });
  });

  it('has no control character in its page, for any name of an arm', () => {
    const odd = readGrid({ name: 'g', arms: [{ name: 'a\x1b\x7fb', door: 'zero' }], seeds: [0], steps: 2 }, 'g.json');
    const out = join(folder, 'odd');
    finish(odd, out, { 'a\x1b\x7fb': [2] });
    const html = htmlOf(makeReport(odd, collect(odd, out), 'byte-to-loss experiment', '1'));
    expect(html).not.toMatch(/(?![\t\n])\p{Cc}/u);
    expect(html).toContain('a␛␡b');
  });

  it('names each skipped line once, for any number of runs', () => {
    const markdown = markdownOf(report);
    expect(markdown).toContain('- Lines and files left out of the data: 102\n');
    expect(markdown.match(/not JSON/g)?.length).toBe(100);
    expect(markdown).toContain("- `` a·.jsonl:7: not JSON <b> 'x' ``\n");
    expect(markdown).toContain('- `` 2 more, whose reasons were not kept ``\n');
    expect(htmlOf(report)).toContain('<li>a·.jsonl:7: not JSON &lt;b&gt; `x`</li>\n');
    expect(htmlOf(report)).toContain('<li>2 more, whose reasons were not kept</li>');
    expect(report.cells[0]!.result!.left_out_reasons).toEqual(REASONS);
  });

  it('says nothing where nothing was left out', () => {
    const resultsWith = (change: object) => ({
      ...report,
      cells: report.cells.map((cell) => ({ ...cell, result: { ...cell.result!, ...change } })),
    });
    const nothing = resultsWith({ left_out: 0, left_out_reasons: [] });
    expect(markdownOf(nothing)).toContain('- Lines and files left out of the data: 0\n');
    expect(markdownOf(nothing) + htmlOf(nothing)).not.toContain('Left out of the data');
  });

  it('has a chart of each measure that was followed, a line with a band for each arm, and escapes what came from outside', () => {
    const html = htmlOf(report);
    expect(html).not.toContain('<script>alert');
    expect(html).not.toContain('a <driver>');
    const charts = chartsOf(report);
    expect(charts.map(({ title }) => title)).toEqual(['text bits/byte', 'text bits/byte, by operations']);
    expect(charts[0]!.series.map(({ label }) => label)).toEqual(Object.keys(TEXT));
    const [zero] = charts[0]!.series;
    expect(zero!.x).toEqual([1, 2]);
    expect(zero!.y[1]).toBeCloseTo(2.533, 3);
    expect(zero!.high![1]! - zero!.y[1]!).toBeCloseTo(0.625, 3);
    expect(charts[1]!.series[0]!.x).toEqual([0.5, 1]); // of 1 TFLOP
  });

  it('shows a run that was not finite, and counts it', () => {
    const cells = report.cells.map(
      (each): CollectedCell =>
        each.cell.arm === 'bytes' && each.cell.seed === 1
          ? {
              ...each,
              result: { ...each.result!, measures: {}, scores: {}, non_finite: 'step 2: matmul is not finite' },
            }
          : each,
    );
    const broken = makeReport(grid, cells, 'byte-to-loss experiment', '1');
    const bytes = broken.groups[0]!.arms.find(({ arm }) => arm === 'bytes')!;
    expect(bytes.nonFinite).toBe(1);
    expect(bytes.measures.text_bpb!.n).toBe(3);
    expect(bytes.measures.text_bpb!.mean).toBeCloseTo((2.9 + Math.log2(258) + 2.72) / 3, 2);
    expect(markdownOf(broken)).toContain('step 2: matmul is not finite');
  });

  it('says what is not there yet, and gives no interval of one seed', () => {
    for (const { id, seed } of grid.cells) if (seed > 0) rmSync(join(folder, id, 'result.json'));
    rmSync(join(folder, grid.cells.at(-1)!.id), { recursive: true });
    mkdirSync(join(folder, grid.cells.at(-2)!.id, 'lock'));
    const partial = makeReport(grid, collect(grid, folder), 'byte-to-loss experiment', '1');
    expect(partial.cells.map(({ state }) => state).slice(-3)).toEqual(['broken off', 'running', 'not begun']);
    expect(markdownOf(partial)).toMatch(/\| bytes \| \+0\.400 \|/);
    expect(markdownOf(partial)).toContain('| zero | 1 | 0 | 2.500 |');
    const nothing = makeReport(grid, collect(grid, join(folder, 'nowhere')), 'byte-to-loss experiment', '1');
    expect(markdownOf(nothing)).not.toContain('minus zero');
    expect(htmlOf(nothing)).toContain('Cells: 0 of 15 finished');
  });
});
