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
.fig .on{fill:#fff}</style>`;

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

/** A row of A times a column of B, and the memory that both are in. */
function strides(): string {
  const matrix = (x: number, y: number, rows: number, columns: number, marked: (r: number, c: number) => string) =>
    Array.from({ length: rows * columns }, (_, i) => {
      const [r, c] = [Math.floor(i / columns), i % columns];
      return box(x + c * 30, y + r * 30, 27, 27, marked(r, c));
    }).join('');
  const indices = (x: number, y: number, rows: number, columns: number) =>
    Array.from({ length: rows * columns }, (_, i) =>
      text(x + 13.5 + (i % columns) * 30, y + 18 + Math.floor(i / columns) * 30, String(i), 'mono'),
    ).join('');
  const strip = (y: number, length: number, marked: (i: number) => boolean, color: string) =>
    Array.from(
      { length },
      (_, i) =>
        box(96 + i * 30, y, 27, 27, marked(i) ? color : 'panel') +
        text(109.5 + i * 30, y + 18, String(i), `mono${marked(i) ? ' on' : ''}`),
    ).join('');
  return svg(
    680,
    300,
    text(20, 22, 'A [3, 4]', 'soft', 'start'),
    matrix(20, 32, 3, 4, (r) => (r === 1 ? 'accent' : 'panel')),
    indices(20, 32, 3, 4),
    text(165, 82, '·'),
    text(200, 22, 'B [4, 5]', 'soft', 'start'),
    matrix(200, 32, 4, 5, (_, c) => (c === 2 ? 'warm' : 'panel')),
    indices(200, 32, 4, 5),
    text(372, 82, '='),
    text(400, 22, 'y [3, 5]', 'soft', 'start'),
    matrix(400, 32, 3, 5, (r, c) => (r === 1 && c === 2 ? 'soft' : 'panel')),
    text(20, 190, 'A in memory', 'soft', 'start'),
    strip(204, 12, (i) => i >= 4 && i < 8, 'accent'),
    text(20, 254, 'B in memory', 'soft', 'start'),
    strip(268, 19, (i) => i % 5 === 2, 'warm'),
  );
}

/** Four invocations over time. */
function barriers(): string {
  const phases = [
    ['stage', 96, 'accent'],
    ['multiply', 292, 'panel'],
    ['stage', 488, 'accent'],
  ] as const;
  const lanes = [0, 1, 2, 3].flatMap((lane) => {
    const y = 34 + lane * 32;
    return [
      text(84, y + 16, `invocation ${lane}`, 'soft', 'end'),
      ...phases.map(([name, x, color], i) => {
        const width = [120, 84, 132, 100][(lane + i) % 4]!;
        return box(x, y, width, 22, color) + text(x + width / 2, y + 16, name, color === 'accent' ? 'on' : '');
      }),
    ];
  });
  return svg(
    680,
    215,
    ...lanes,
    path('M260 24v146', 'dash'),
    path('M456 24v146', 'dash'),
    text(260, 190, 'barrier 1: all of both', 'warm'),
    text(260, 206, 'tiles is written', 'warm'),
    text(456, 190, 'barrier 2: nobody', 'warm'),
    text(456, 206, 'reads them any more', 'warm'),
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
    ...ops.slice(1).map((_, i) => path(`M${at(i) + 93} 113h-13m5-4l-5 4l5 4`, 'dash')),
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
