import type { Inspection } from '../src/cli/inspect/inspection.js';
import { escapeHtml } from './highlight.js';
import { type LessonRun, TEXT } from './lessonRun.js';

/*
 * Pictures of the lesson, as SVG text. In a page of the site they take its colours; alone, as on GitHub, those of the fallbacks.
 */

const STYLE = `<style>
.fig{font:13px system-ui,sans-serif}.fig text{fill:var(--ink,#777)}.fig .soft{fill:var(--soft,#888)}.fig .mono{font-family:ui-monospace,Menlo,monospace}
.fig .accent{fill:var(--accent,#0a7d88)}.fig .warm{fill:var(--warm,#c2571a)}.fig .panel{fill:var(--panel,#8882)}.fig .line{stroke:var(--line,#8886);fill:none}
.fig .stroke{stroke:var(--accent,#0a7d88);fill:none;stroke-width:2}.fig .dash{stroke:var(--warm,#c2571a);fill:none;stroke-width:2;stroke-dasharray:4 3}
.fig .on{fill:var(--accent-ink,#fff)}.fig .mark{stroke:var(--ink,#777);fill:none;stroke-width:2.5}.fig .back{stroke:var(--warm,#c2571a);fill:none;stroke-width:2}</style>`;

/** Every picture by its file name. */
export function figuresOf({ fresh, trained }: LessonRun, card: Card): Map<string, string> {
  return new Map([
    ['bytes.svg', bytes()],
    ['channels.svg', channels(fresh)],
    ['door.svg', door(fresh)],
    ['strides.svg', strides()],
    ['barriers.svg', barriers()],
    ['attention.svg', attention(fresh, trained)],
    ['loss.svg', loss(fresh, trained)],
    ['backward.svg', backward()],
    ['curve.svg', curve(card)],
    ['gang.svg', gang()],
  ]);
}

/** The part of the trained decoder's card that the curve needs. */
export interface Card {
  readonly validation: readonly { readonly step: number; readonly bits: number }[];
  readonly baselines: { readonly uniform: number; readonly order0: number; readonly gzip: number };
}

const svg = (width: number, height: number, ...parts: string[]) =>
  `<svg class="fig" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">\n${STYLE}\n${parts.join('\n')}\n</svg>\n`;

const number = (x: number) => String(Math.round(x * 10) / 10);

function text(x: number, y: number, words: string, classes = '', anchor = 'middle'): string {
  return `<text x="${number(x)}" y="${number(y)}" text-anchor="${anchor}"${classes && ` class="${classes}"`}>${escapeHtml(words)}</text>`;
}

function box(x: number, y: number, width: number, height: number, classes: string, opacity = 1): string {
  const faint = opacity < 1 ? ` fill-opacity="${opacity.toFixed(3)}"` : '';
  return `<rect x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}" class="${classes}"${faint}/>`;
}

function path(d: string, classes: string): string {
  return `<path d="${d}" class="${classes}"/>`;
}

function bytes(): string {
  const ids = [...new TextEncoder().encode(TEXT)];
  const parts = ids.flatMap((id, i) => {
    const x = 20 + i * 78 + (i >= 4 ? 28 : 0);
    const sign = String.fromCharCode(id);
    return [
      box(x, 34, 70, 62, 'panel'),
      text(x + 35, 61, sign === ' ' ? '␣' : sign, 'mono'),
      text(x + 35, 85, String(id), i < 4 ? 'accent mono' : 'warm mono'),
    ];
  });
  return svg(
    680,
    130,
    text(171, 22, 'given: one slot', 'soft'),
    text(511, 22, 'to predict: the stream', 'soft'),
    ...parts,
    path('M20 106v8h304v-8', 'stroke'),
    path('M360 106v8h304v-8', 'dash'),
  );
}

/** All channels of the eight bytes; the stream starts a new run behind MASK, as in the run. */
function channels({ channels: grid }: Inspection): string {
  const { data, columns, rows } = grid!;
  const groups = [
    ['dxor', 0, 8],
    ['d2xor', 8, 16],
    ['', 16, 17],
    ['Fourier', 17, 25],
    ['phase', 25, 27],
  ] as const;
  const names = ['H', 'i', ',', '␣', 'MASK', 'b', 'y', 't'];
  const gap = (c: number) => groups.findIndex(([, , end]) => c < end) * 8;
  const at = (c: number) => 60 + c * 21 + gap(c);
  const cells = Array.from({ length: rows * columns }, (_, i) => {
    const [r, c] = [Math.floor(i / columns), i % columns];
    const value = data[i]!;
    const strength = Math.min(1, Math.abs(value) / (c >= 17 && c < 25 ? 4 : 1));
    return box(at(c), 30 + r * 24, 19, 21, value < 0 ? 'warm' : 'accent', Math.max(0.06, strength));
  });
  return svg(
    680,
    235,
    ...groups.map(([name, begin, end]) => text((at(begin) + at(end - 1) + 19) / 2, 20, name, 'soft')),
    ...names.map((name, r) => text(50, 45 + r * 24, name, 'mono', 'end')),
    ...cells,
  );
}

function door({ x0 }: Inspection): string {
  const names = ['slot 0', 'stream 0', 'stream 1', 'stream 2', 'stream 3'];
  const cells = Array.from(x0.data, (value, i) => {
    if (value === 0) return '';
    const [r, c] = [Math.floor(i / x0.columns), i % x0.columns];
    return box(
      80 + c * 4.6,
      30 + r * 26,
      4.2,
      20,
      value < 0 ? 'warm' : 'accent',
      Math.min(1, 0.35 + Math.abs(value) / 4),
    );
  });
  return svg(
    680,
    175,
    ...[0, 27, 54, 81, 108].map((c) => text(80 + c * 4.6, 20, String(c), 'soft')),
    ...names.map((name, r) => text(70, 45 + r * 26, name, '', 'end')),
    ...names.map((_, r) => box(80, 30 + r * 26, 128 * 4.6, 20, 'panel')),
    ...cells.filter((cell) => cell !== ''),
    ...[27, 54, 81, 108].map((c) => path(`M${number(80 + c * 4.6)} 26v130`, 'line')),
  );
}

/**
 * A row of A times a column of B, and the memory that they are in. Filled: one invocation, over all k. Framed: its neighbours at one
 * moment, k = 1.
 */
function strides(): string {
  type Cells = (i: number) => boolean;
  const cell = (x: number, y: number, i: number, filled: boolean, color: string) =>
    box(x, y, 27, 27, filled ? color : 'panel') + text(x + 13.5, y + 18, String(i), `mono${filled ? ' on' : ''}`);
  const frame = (x: number, y: number) => `<rect x="${x - 0.5}" y="${y - 0.5}" width="28" height="28" class="mark"/>`;
  const matrix = (
    x: number,
    name: string,
    [rows, columns]: [number, number],
    color: string,
    one: Cells,
    all: Cells,
  ) => {
    const at = (i: number) => [x + (i % columns) * 29, 34 + Math.floor(i / columns) * 29] as const;
    const cells = Array.from({ length: rows * columns }, (_, i) => i);
    return [
      text(x, 22, name, 'soft', 'start'),
      ...cells.map((i) => cell(...at(i), i, one(i), color)),
      ...cells.filter(all).map((i) => frame(...at(i))),
    ].join('');
  };
  const memory = (y: number, name: string, length: number, color: string, one: Cells, all: Cells, said: string) => {
    const cells = Array.from({ length }, (_, i) => i);
    return [
      text(20, y + 18, name, 'soft', 'start'),
      ...cells.map((i) => cell(96 + i * 29, y, i, one(i), color)),
      ...cells.filter(all).map((i) => frame(96 + i * 29, y)),
      text(96, y + 46, said, '', 'start'),
    ].join('');
  };
  const inRow1: Cells = (i) => i >= 4 && i < 8;
  const column2: Cells = (i) => i % 5 === 2;
  const row2: Cells = (i) => i >= 8 && i < 12;
  const k1: Cells = (i) => i >= 5 && i < 10;
  return svg(
    690,
    470,
    matrix(20, 'A [3, 4]', [3, 4], 'accent', inRow1, (i) => i === 5),
    text(148, 82, '·'),
    matrix(162, 'B [4, 5]', [4, 5], 'warm', column2, k1),
    text(319, 82, '='),
    matrix(334, 'y [3, 5]', [3, 5], 'soft', (i) => i === 7, k1),
    matrix(560, 'weight [5, 4] = B^T', [5, 4], 'warm', row2, (i) => i % 4 === 1),
    box(20, 206, 14, 14, 'warm'),
    text(42, 218, 'read by one invocation, that of y[1, 2], for all k', '', 'start'),
    '<rect x="361" y="207" width="13" height="13" class="mark"/>',
    text(384, 218, 'read by its neighbours, y[1, 0] to y[1, 4], at k = 1', '', 'start'),
    memory(
      244,
      'A',
      12,
      'accent',
      inRow1,
      (i) => i === 5,
      'One invocation: along a row. Neighbours at k = 1: all read 5.',
    ),
    memory(
      328,
      'B',
      20,
      'warm',
      column2,
      k1,
      'One invocation: down a column, in steps of 5. Neighbours at k = 1: 5 to 9, one piece.',
    ),
    memory(
      412,
      'weight',
      20,
      'warm',
      row2,
      (i) => i % 4 === 1,
      'One invocation: along a row. Neighbours at k = 1: 1, 5, 9, 13, 17, a piece for each.',
    ),
  );
}

/** Invocations over time: with both barriers, and without either. */
function barriers(): string {
  const bar = (x: number, y: number, width: number, name: 'stage' | 'multiply') =>
    box(x, y, width, 22, name === 'stage' ? 'accent' : 'panel') +
    text(x + width / 2, y + 16, name, name === 'stage' ? 'on' : '');
  /** Rows of bars, 30 apart: where each bar begins, its width and its name. */
  const lanes = (y: number, ...rows: readonly (readonly [x: number, width: number, name: 'stage' | 'multiply'])[][]) =>
    rows.flatMap((bars, i) => [
      text(84, y + i * 30 + 16, `invocation ${i}`, 'soft', 'end'),
      ...bars.map(([x, width, name]) => bar(x, y + i * 30, width, name)),
    ]);
  const width = (i: number) => [120, 84, 132, 100][i % 4]!;
  /** An access: a line down from its bar, with words below. */
  const access = (x: number, y: number, to: number, words: string, anchor: string) =>
    `<circle cx="${x}" cy="${y}" r="4" class="warm"/>${path(`M${x} ${y}V${to}`, 'back')}${text(x, to + 15, words, 'warm', anchor)}`;
  return svg(
    690,
    470,
    text(20, 24, 'With both barriers', '', 'start'),
    ...lanes(
      46,
      ...[0, 1, 2, 3].map((i) => [
        [96, width(i), 'stage'] as const,
        [292, width(i + 1), 'multiply'] as const,
        [488, width(i + 2), 'stage'] as const,
      ]),
    ),
    path('M260 36v132', 'dash'),
    path('M456 36v132', 'dash'),
    text(260, 186, 'barrier 1: all of both', 'warm'),
    text(260, 202, 'tiles is written', 'warm'),
    text(456, 186, 'barrier 2: nobody', 'warm'),
    text(456, 202, 'reads them any more', 'warm'),
    text(20, 246, 'Without barrier 1: invocation 0 does not wait for the slow invocation 1', '', 'start'),
    ...lanes(
      258,
      [
        [96, 84, 'stage'],
        [184, 130, 'multiply'],
      ],
      [
        [96, 250, 'stage'],
        [350, 130, 'multiply'],
      ],
    ),
    access(290, 269, 318, 'reads aTile[68]: an old number', 'end'),
    access(334, 299, 318, 'writes aTile[68]: too late', 'start'),
    text(
      20,
      370,
      'Without barrier 2: invocation 0 stages the next tile while invocation 1 still multiplies',
      '',
      'start',
    ),
    ...lanes(
      382,
      [
        [96, 104, 'multiply'],
        [204, 146, 'stage'],
      ],
      [
        [96, 234, 'multiply'],
        [354, 100, 'stage'],
      ],
    ),
    access(249, 393, 442, 'overwrites aTile[0]', 'end'),
    access(310, 423, 442, 'reads aTile[0]: of the next tile', 'start'),
    path('M540 424h120m-7-4l7 4l-7 4', 'line'),
    text(600, 444, 'time', 'soft'),
  );
}

function attention(fresh: Inspection, trained: Inspection): string {
  const names = ['slot', 'none', 'b', 'y', 't'];
  const map = (run: Inspection, head: number, x: number, y: number) => {
    const { data } = run.attention.find((each) => each.block === 1 && each.head === head)!.probabilities;
    return Array.from(data, (p, i) => {
      const [r, c] = [Math.floor(i / 5), i % 5];
      return box(x + c * 26, y + r * 26, 24, 24, c <= r ? 'accent' : 'panel', c <= r ? Math.max(0.05, p) : 0.5);
    }).join('');
  };
  const row = (run: Inspection, y: number, title: string) => [
    text(20, y - 12, title, 'soft', 'start'),
    ...names.map((name, r) => text(54, y + 17 + r * 26, name, 'mono', 'end')),
    ...[0, 1, 2, 3].map((head) => map(run, head, 62 + head * 154, y)),
  ];
  return svg(
    680,
    350,
    ...row(fresh, 34, 'fresh decoder, block 1, heads 0 to 3'),
    ...row(trained, 204, 'trained decoder, block 1, heads 0 to 3'),
  );
}

/** -log2 p, and where the four bytes are on it. */
function loss(fresh: Inspection, trained: Inspection): string {
  const x = (p: number) => 60 + p * 560;
  const y = (bits: number) => 20 + (10 - bits) * 20;
  const curve = Array.from({ length: 120 }, (_, i) => 2 ** (-10 * (1 - i / 119)));
  const line = curve.map((p, i) => `${i === 0 ? 'M' : 'L'}${number(x(p))} ${number(y(-Math.log2(p)))}`).join('');
  const dots = (run: Inspection, color: string) =>
    run.predictions.map(
      ({ bits }) => `<circle cx="${number(x(2 ** -bits))}" cy="${number(y(bits))}" r="4.5" class="${color}"/>`,
    );
  return svg(
    680,
    270,
    ...[0, 2, 4, 6, 8, 10].map(
      (bits) => path(`M60 ${number(y(bits))}h560`, 'line') + text(50, y(bits) + 4, String(bits), 'soft', 'end'),
    ),
    ...[0, 0.25, 0.5, 0.75, 1].map((p) => text(x(p), 240, String(p), 'soft')),
    text(340, 262, 'probability that the decoder gave the byte that came', 'soft'),
    text(20, 12, 'bits', 'soft', 'start'),
    path(line, 'stroke'),
    ...dots(fresh, 'warm'),
    ...dots(trained, 'accent'),
    `<circle cx="470" cy="40" r="4.5" class="warm"/>${text(482, 44, 'fresh decoder', '', 'start')}`,
    `<circle cx="470" cy="62" r="4.5" class="accent"/>${text(482, 66, 'trained decoder', '', 'start')}`,
  );
}

function backward(): string {
  const ops = ['channels', 'door', 'norm', 'linear', 'attention', 'linear', 'loss'];
  const at = (i: number) => 14 + i * 95;
  return svg(
    680,
    150,
    ...ops.flatMap((name, i) => [
      box(at(i), 30, 78, 34, 'panel'),
      text(at(i) + 39, 52, name),
      box(at(i), 96, 78, 34, 'panel'),
      text(at(i) + 39, 118, `${name}′`),
      path(`M${at(i) + 39} 66v28`, 'line'),
    ]),
    ...ops.slice(1).map((_, i) => path(`M${at(i) + 79} 47h13m-5-4l5 4l-5 4`, 'stroke')),
    ...ops.slice(1).map((_, i) => path(`M${at(i) + 93} 113h-13m5-4l-5 4l5 4`, 'back')),
    text(14, 20, 'forward: values', 'accent', 'start'),
    text(14, 146, 'backward: gradients, from right to left; each step reads what forward kept', 'warm', 'start'),
  );
}

function curve({ validation, baselines }: Card): string {
  const last = validation.at(-1)!.step;
  const x = (step: number) => 70 + (step / last) * 470;
  const y = (bits: number) => 16 + (8.2 - bits) * 36;
  const levels = [
    ['guessing', baselines.uniform],
    ['byte frequencies', baselines.order0],
    ['gzip -9', baselines.gzip],
  ] as const;
  const points = [{ step: 0, bits: baselines.uniform }, ...validation];
  return svg(
    680,
    290,
    ...levels.map(
      ([name, bits]) =>
        path(`M70 ${number(y(bits))}h470`, 'line') +
        text(550, y(bits) + 4, `${name} ${bits.toFixed(2)}`, 'soft', 'start'),
    ),
    path(
      points.map(({ step, bits }, i) => `${i === 0 ? 'M' : 'L'}${number(x(step))} ${number(y(bits))}`).join(''),
      'stroke',
    ),
    ...validation.map(
      ({ step, bits }) => `<circle cx="${number(x(step))}" cy="${number(y(bits))}" r="3.5" class="accent"/>`,
    ),
    text(550, y(validation.at(-1)!.bits) + 4, `decoder ${validation.at(-1)!.bits.toFixed(2)}`, 'accent', 'start'),
    ...[0, last / 2, last].map((step) => text(x(step), 258, String(step), 'soft')),
    text(305, 280, 'steps of training', 'soft'),
    text(20, 12, 'bits per byte on held-out text', 'soft', 'start'),
  );
}

/** One workgroup of 64 as 16 gangs of 4 lanes. */
function gang(): string {
  const cells = Array.from({ length: 64 }, (_, i) => {
    const x = 20 + (i % 16) * 40;
    return (
      box(x, 30 + Math.floor(i / 16) * 34, 36, 26, i < 4 ? 'accent' : 'panel') +
      text(x + 18, 48 + Math.floor(i / 16) * 34, String(i), `mono${i < 4 ? ' on' : ''}`)
    );
  });
  const frames = Array.from({ length: 16 }, (_, g) => {
    const [x, y] = [17 + (g % 4) * 160, 27 + Math.floor(g / 4) * 34];
    return path(`M${x} ${y}h159v32h-159z`, 'line');
  });
  return svg(
    680,
    185,
    text(20, 18, 'a workgroup: 64 invocations, 16 gangs of 4; one gang is one SIMD register', 'soft', 'start'),
    ...cells,
    ...frames,
  );
}
