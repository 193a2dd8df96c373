import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CellResult } from '../../src/experiment/cell.js';
import { collect } from '../../src/experiment/collect.js';
import { type Grid, readGrid } from '../../src/experiment/grid.js';
import { jsonOf, makeReport, markdownOf, type Report } from '../../src/experiment/report.js';
import { htmlOf } from '../../src/experiment/reportHtml.js';

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
      scores: {},
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

const claim = (words: string) => report.claims.find(({ text }) => text.includes(words))!;

describe('the report', () => {
  it('judges by whole intervals of paired differences', () => {
    expect(claim('as well on text as with a learned projection').verdict).toBe('reproduced');
    expect(claim('better on text than plain byte embeddings').verdict).toBe('reproduced');
    expect(claim('better on text than plain byte embeddings').evidence).toMatch(
      /^zero minus bytes is −0\.423 \(95 % interval −0\.486 to −0\.361, 3 seeds\).*the seed reports −0\.365/,
    );
    expect(claim('the same rows given to other bytes').verdict).toBe('undecided at this scale');
    expect(claim('better on captions than plain byte embeddings').verdict).toBe('refuted');
    expect(claim('The zero door binds').verdict).toBe('reproduced');
    expect(claim('The bytes door binds').verdict).toBe('undecided at this scale');
    expect(claim('Through the zero door the right caption').verdict).toBe('reproduced');
    expect(claim('context channels').verdict).toBe('reproduced');
    expect(claim('context channels').evidence).toMatch(
      /costs \+0\.103 .* of the lead over bytes, \+0\.423, that is 24 %/,
    );
  });

  it('gives the context channels no share of a lead that is not sure', () => {
    const even = join(folder, 'even');
    finish(grid, even, { ...TEXT, bytes: [2.49, 2.52, 2.5] });
    const { claims } = makeReport(grid, collect(grid, even), 'byte-to-loss experiment', '1');
    expect(claims.find(({ text }) => text.includes('context channels'))!.evidence).toMatch(
      /no sure lead over bytes that they could explain: bytes minus zero is \+0\.003/,
    );
  });

  it('shows means ± half intervals, and paired differences without what the seeds share', () => {
    const markdown = markdownOf(report);
    expect(markdown).toContain('| zero | 3 | 0 | 2.533 ± 0.625 |');
    expect(markdown).toContain('| bytes | +0.423 ± 0.063 |');
    expect(markdown).toContain('- Cells: 15 of 15 finished, 15.0 minutes in all');
    expect(JSON.parse(jsonOf(report)).groups[0].arms[2].measures.text_bpb.mean).toBeCloseTo(2.9567, 4);
  });

  it('has no control character in its page, whatever an arm is called', () => {
    const odd = readGrid({ name: 'g', arms: [{ name: 'a\x1b\x7fb', door: 'zero' }], seeds: [0], steps: 2 }, 'g.json');
    const out = join(folder, 'odd');
    finish(odd, out, { 'a\x1b\x7fb': [2] });
    const html = htmlOf(makeReport(odd, collect(odd, out), 'byte-to-loss experiment', '1'));
    expect(html).not.toMatch(/(?![\t\n])\p{Cc}/u);
    expect(html).toContain('a␛␡b');
  });

  it('names each line that was left out once, however many runs met it', () => {
    const markdown = markdownOf(report);
    expect(markdown).toContain('- Lines and files left out of the data: 102\n');
    expect(markdown.match(/not JSON/g)?.length).toBe(100);
    expect(markdown).toContain("- `` a·.jsonl:7: not JSON <b> 'x' ``\n");
    expect(markdown).toContain('- `` 2 more, whose reasons were not kept ``\n');
    expect(htmlOf(report)).toContain('<li>a·.jsonl:7: not JSON &lt;b&gt; `x`</li>\n');
    expect(htmlOf(report)).toContain('<li>2 more, whose reasons were not kept</li>');
    expect(JSON.parse(jsonOf(report)).cells[0].result.left_out_reasons).toEqual(REASONS);
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

  it('draws a curve of each measure that was followed, and escapes what came from outside', () => {
    const html = htmlOf(report);
    expect(html).not.toContain('<script>');
    expect(html).not.toContain('a <driver>');
    const { document } = parseHTML(html);
    expect(document.querySelectorAll('svg [aria-label="line"] path').length).toBe(5 * 3 + 5);
    expect(document.querySelector('h1')!.textContent).toBe('g');
    expect([...document.querySelectorAll('td')].some((td) => td.textContent === '<script>alert(1)</script>')).toBe(
      true,
    );
  });

  it('draws curves of few points without a warning of Plot', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const last = report.cells.map((cell) => ({ ...cell, curve: cell.curve.slice(-1) })); // as with --eval-every 0
    htmlOf({ ...report, cells: last });
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('says what is not there yet, and decides nothing on one seed', () => {
    for (const { id, seed } of grid.cells) if (seed > 0) rmSync(join(folder, id, 'result.json'));
    rmSync(join(folder, grid.cells.at(-1)!.id), { recursive: true });
    mkdirSync(join(folder, grid.cells.at(-2)!.id, 'lock'));
    const partial = makeReport(grid, collect(grid, folder), 'byte-to-loss experiment', '1');
    expect(partial.cells.map(({ state }) => state).slice(-3)).toEqual(['broken off', 'running', 'not begun']);
    expect(new Set(partial.claims.map(({ verdict }) => verdict))).toEqual(new Set(['undecided at this scale']));
    expect(markdownOf(partial)).toContain('| zero | 1 | 0 | 2.500 |');
    const nothing = makeReport(grid, collect(grid, join(folder, 'nowhere')), 'byte-to-loss experiment', '1');
    expect(markdownOf(nothing)).toContain('no arm can be compared');
    expect(htmlOf(nothing)).toContain('Cells: 0 of 15 finished');
  });
});
