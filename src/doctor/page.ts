import { colourOf } from '../report/charts.js';
import { escapeHtml, jsonForScript } from '../report/html.js';
import { STYLE } from '../report/style.js';
import type { Examination, Report } from './doctor.js';
import type { Curve, Row, Table } from './part.js';

/** Names of verdicts on the page and in the terminal. */
export const VERDICTS: Readonly<Record<Report['verdict'], string>> = {
  passed: 'passed',
  partly: 'passed in part',
  failed: 'failed',
  'not run': 'not run',
};

/** The result in one line: `nothing wrong was found`, and how much of the examination was done. */
export function resultOf({ verdict, reports }: Examination): string {
  if (verdict === 'failed') return 'something is wrong on this device';
  const whole = reports.filter((report) => report.verdict === 'passed').length;
  const words = 'nothing wrong was found';
  return whole === reports.length ? words : `${words}; ${whole} of ${reports.length} parts ran in full`;
}

const OWN_STYLE = `
.verdict { font-weight: 650; } td.verdict, td.number { white-space: nowrap; }
.passed { color: var(--good); } .partly { color: var(--warn); } .failed { color: var(--bad); }
:root { --good: #1b6e3c; --warn: #8a5a00; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --good: #7fd19b; --warn: #e6b35c; --bad: #ff8a80; } }
ul { max-width: 60rem; padding-left: 1.2rem; } li { overflow-wrap: anywhere; margin: .2rem 0; }
summary { cursor: pointer; font-weight: 550; margin-top: 1rem; }
svg { display: block; width: 100%; max-width: 46rem; height: auto; margin-top: .8rem; font-size: 11px; }
svg text { fill: var(--soft); } svg .axis { stroke: var(--line); }
td.number { text-align: right; }
`;

/** Tables with more rows are collapsed. */
const MAX_OPEN_ROWS = 16;

/** An examination as one page that contains its JSON. */
export function pageOf(examination: Examination): string {
  const { device, version, date, isQuick, seconds, verdict, reports } = examination;
  const overview = reports.map((report) => {
    const cells = [
      `<td>${escapeHtml(report.part)}</td>`,
      `<td class="verdict ${report.verdict.replace(' ', '-')}">${VERDICTS[report.verdict]}</td>`,
      `<td>${escapeHtml(report.summary)}</td>`,
      `<td class="number">${report.seconds.toFixed(1)} s</td>`,
    ];
    return `<tr>${cells.join('')}</tr>`;
  });
  const title = `byte-to-loss doctor: ${escapeHtml(device)}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}${OWN_STYLE}</style>
<h1>${escapeHtml(device)}</h1>
<p class="verdict ${verdict}">Result: ${resultOf(examination)}.</p>
<p class="soft">byte-to-loss ${escapeHtml(version)} doctor, ${escapeHtml(date.slice(0, 16).replace('T', ' '))} UTC, ${seconds.toFixed(0)} s${isQuick ? ', small sizes (--quick)' : ''}. This file holds its own numbers as JSON: to report on a device, attach it to an issue.</p>
<div class="table"><table><thead><tr><th>part</th><th>verdict</th><th>result</th><th>time</th></tr></thead>
<tbody>${overview.join('\n')}</tbody></table></div>
${reports.map(section).join('\n')}
<script type="application/json" id="examination">${jsonForScript(examination)}</script>
</html>
`;
}

function section({ part, what, faults, leftOut, notes = [], curves = [], tables = [] }: Report): string {
  return [
    `<h2>${escapeHtml(part)}</h2><p class="soft">${escapeHtml(what)}</p>`,
    list('Wrong', faults, 'failed'),
    list('Left out', leftOut, 'partly'),
    list('Notes', notes, 'soft'),
    curves.length > 0 ? chart(curves) : '',
    ...tables.map(tableOf),
  ].join('\n');
}

function list(title: string, lines: readonly string[], className: string): string {
  if (lines.length === 0) return '';
  const items = lines.map((line) => `<li>${escapeHtml(line)}</li>`);
  return `<h3 class="${className}">${title}</h3><ul>${items.join('')}</ul>`;
}

function tableOf({ title, rows }: Table): string {
  if (rows.length === 0) return '';
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const head = columns.map((column) => `<th>${escapeHtml(column)}</th>`).join('');
  const body = rows.map((row) => `<tr>${columns.map((column) => cell(row[column])).join('')}</tr>`);
  const open = rows.length <= MAX_OPEN_ROWS ? ' open' : '';
  return `<details${open}><summary>${escapeHtml(title)}</summary>
<div class="table" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div></details>`;
}

function cell(value: Row[string] | undefined): string {
  if (typeof value === 'number')
    return `<td class="number">${value.toLocaleString('en', { maximumSignificantDigits: 12 })}</td>`;
  if (typeof value === 'boolean') return `<td>${value ? 'yes' : 'no'}</td>`;
  return `<td>${escapeHtml(value ?? '')}</td>`;
}

/** The plot area of the chart, and its margins for numbers. */
const PLOT = { width: 640, height: 220, left: 44, top: 8, bottom: 22, right: 8 };

/** Lines over the steps, in bits per byte, as plain SVG. */
function chart(curves: readonly Curve[]): string {
  const finite = curves.flatMap(({ values }) => values).filter(Number.isFinite);
  const least = Math.floor(Math.min(...finite));
  const most = Math.max(least + 1, Math.ceil(Math.max(...finite)));
  const steps = Math.max(2, ...curves.map(({ values }) => values.length));
  const { width, height, left, top, bottom, right } = PLOT;
  const x = (step: number) => left + ((step - 1) / (steps - 1)) * width;
  const y = (value: number) => top + ((most - value) / (most - least)) * height;
  const grid = Array.from({ length: most - least + 1 }, (_, i) => least + i).map(
    (value) =>
      `<line class="axis" x1="${left}" x2="${left + width}" y1="${y(value)}" y2="${y(value)}"/>` +
      `<text x="${left - 6}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
  );
  // The first curve is what the others are compared with: wide and pale, so that one on top of it can be seen.
  const lines = curves.map(({ values }, i) => {
    const points = values.flatMap((value, at) =>
      Number.isFinite(value) ? [`${x(at + 1).toFixed(1)},${y(value).toFixed(1)}`] : [],
    );
    const look = i === 0 ? 'stroke-width="5" stroke-opacity="0.35"' : 'stroke-width="1.5"';
    return `<polyline class="curve${i}" fill="none" ${look} points="${points.join(' ')}"/>`;
  });
  const colours = curves.map((_, i) => {
    const { light, dark } = colourOf(i);
    return `.curve${i} { stroke: ${light}; } @media (prefers-color-scheme: dark) { .curve${i} { stroke: ${dark}; } }`;
  });
  const key = curves.map(
    ({ label }, i) =>
      `<line class="curve${i}" ${i === 0 ? 'stroke-width="5" stroke-opacity="0.35"' : 'stroke-width="1.5"'} x1="${left + 150 * i + 330}" x2="${left + 150 * i + 354}" y1="${top + 10}" y2="${top + 10}"/>` +
      `<text x="${left + 150 * i + 360}" y="${top + 14}">${escapeHtml(label)}</text>`,
  );
  const ends = `<text x="${left}" y="${top + height + 16}">step 1</text><text x="${left + width}" y="${top + height + 16}" text-anchor="end">step ${steps}</text>`;
  return `<style>${colours.join('\n')}</style>
<svg viewBox="0 0 ${left + width + right} ${top + height + bottom}" role="img" aria-label="bits per byte by step">
${grid.join('')}${lines.join('')}${key.join('')}${ends}</svg><p class="soft">Bits per byte of each batch.</p>`;
}
