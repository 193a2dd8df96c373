import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeHtml, visible } from '../report/html.js';
import { factsOf, HOW_TO_READ, leftOutLines, MEASURES, type Report, type Table, tablesOf } from './report.js';

/** The report as one HTML page with learning curves. Whatever came from outside stands in it as text, never as markup. */
export function htmlOf(report: Report): string {
  const { name, about, claims } = report;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(name)} · byte-to-loss</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
  table { border-collapse: collapse; font-size: 0.85rem; display: block; overflow-x: auto }
  th, td { padding: 0.2rem 0.7rem; text-align: right; border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums }
  th:first-child, td:first-child { text-align: left }
  td { white-space: nowrap }
  .reproduced { color: #17692d } .refuted { color: #a01c1c } .undecided { color: #7a5b00 }
  .curves { display: flex; flex-wrap: wrap; gap: 1rem }
  figure { margin: 0 }
</style>
<h1>${escapeHtml(name)}</h1>
<p>${escapeHtml(about)}</p>
<ul>${factsOf(report)
    .map((fact) => `<li>${escapeHtml(fact)}</li>`)
    .join('')}</ul>
${leftOutHtml(leftOutLines(report))}<h2>What was claimed</h2>
<ul>${claims
    .map(
      ({ text, verdict, evidence }) =>
        `<li>${escapeHtml(text)}: <strong class="${verdict.split(' ')[0]}">${verdict}</strong> — ${escapeHtml(evidence)}</li>`,
    )
    .join('\n')}</ul>
<p>${escapeHtml(HOW_TO_READ)}</p>
<h2>Learning curves</h2>
<p>Held-out windows; a thick line is the mean over seeds, a thin one a seed.</p>
<div class="curves">${curvesOf(report).join('\n')}</div>
<h2>Numbers</h2>
${tablesOf(report).map(tableHtml).join('\n')}
</html>
`;
}

function leftOutHtml(lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `<h2>Left out of the data</h2>\n<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('\n')}</ul>\n`;
}

function tableHtml({ title, header, rows }: Table): string {
  const row = (tag: 'th' | 'td', cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<h3>${escapeHtml(title)}</h3>
<table>${row('th', header)}
${rows.map((cells) => row('td', cells)).join('\n')}
</table>`;
}

/** What curves are drawn of, where it was measured along the way. */
const CURVES = ['text_bpb', 'video_bpb', 'caption_bpb', 'binding_gap'];

interface Point {
  readonly arm: string;
  readonly seed: number;
  readonly K: string;
  readonly step: number;
  readonly value: number;
}

function curvesOf({ cells }: Report): string[] {
  return CURVES.flatMap((measure) => {
    const points = cells.flatMap(({ cell: { arm, seed, K }, curve }) =>
      curve.flatMap(({ step, measures }): Point[] => {
        const value = measures[measure];
        return value === undefined ? [] : [{ arm, seed, K: `K ${K}`, step, value }];
      }),
    );
    return points.length === 0 ? [] : [curve(MEASURES[measure]!, points)];
  });
}

/** One SVG: arms by colour, values of K side by side. */
function curve(title: string, points: readonly Point[]): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const widths = new Set(points.map(({ K }) => K)).size;
  const channels = { x: 'step', y: 'value', stroke: 'arm', fx: 'K' };
  const svg = Plot.plot({
    document: document as unknown as Document,
    width: 160 + 380 * widths,
    height: 320,
    grid: true,
    color: { legend: true, domain: [...new Set(points.map(({ arm }) => arm))] },
    x: { label: 'step' },
    y: { label: title },
    fx: { label: null, axis: widths > 1 ? 'top' : null },
    marks: [
      Plot.line(points, {
        ...channels,
        z: ({ arm, seed }: Point) => `${arm} ${seed}`,
        strokeWidth: 0.6,
        strokeOpacity: 0.6,
      }),
      // Without z, Plot takes the lines from the colours, and warns where each has few points.
      Plot.line(meansOf(points), { ...channels, z: 'arm', strokeWidth: 2.2 }),
      Plot.dot(meansOf(points), { ...channels, fill: 'arm', r: 2.5 }),
    ],
  }).outerHTML;
  return visible(svg); // its legend has the arms' names
}

/** The mean at each step over the seeds that have reached it. */
function meansOf(points: readonly Point[]): Omit<Point, 'seed'>[] {
  const groups = new Map<string, Point[]>();
  for (const point of points) {
    const key = JSON.stringify([point.arm, point.K, point.step]);
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return [...groups.values()].map((same) => {
    const { arm, K, step } = same[0]!;
    return { arm, K, step, value: same.reduce((sum, { value }) => sum + value, 0) / same.length };
  });
}
