import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FileError } from '../common/errors.js';
import type { Chart } from './charts.js';
import { escapeHtml, jsonForScript } from './html.js';
import { LANGUAGE, SCRIPT } from './script.js';
import { STYLE } from './style.js';

/** A page of charts. */
export interface Page {
  readonly title: string;
  /** the line above the title */
  readonly kicker: string;
  /** additional CSS */
  readonly style?: string;
  /** all charts, in the order of `chartsHtml` */
  readonly charts: readonly Chart[];
  /** HTML, with all external text escaped */
  readonly body: string;
}

/** The page as one HTML file that makes no network request. */
export function pageHtml({ title, kicker, style = '', charts, body }: Page): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeHtml(title)}: byte-to-loss</title>
<style>${library('uPlot.min.css')}${STYLE}${style}</style>
<main>
<p class="soft">${escapeHtml(kicker)}</p>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
<script type="application/json" id="data">${jsonForScript(charts)}</script>
<script>${LANGUAGE}</script>
<script>${library('uPlot.iife.min.js')}</script>
<script>${SCRIPT}</script>
</html>
`;
}

/**
 * Elements for charts, one after another.
 *
 * @param first index of the first one among all charts of the page
 */
export function chartsHtml(charts: readonly Chart[], first = 0): string {
  return `<div class="charts">${charts.map((chart, i) => chartHtml(chart, first + i)).join('')}</div>`;
}

function chartHtml(chart: Chart, index: number): string {
  return `<section class="chart${chart.wide ? ' wide' : ''}"><h3>${escapeHtml(chart.title)}</h3>
<p class="soft">${escapeHtml(chart.about)}</p>
<div class="plot" id="plot-${index}" role="img" aria-label="${escapeHtml(describe(chart))}"></div></section>`;
}

/** A chart as text, for screen readers: the first and last value of each line. */
function describe({ title, series, x: along = 'step' }: Chart): string {
  const ends = series
    .filter(({ faint, x }) => !faint && x.length > 0)
    .map(
      ({ label, x, y }) =>
        `${label} from ${round(y[0]!)} at ${along} ${x[0]} to ${round(y.at(-1)!)} at ${along} ${x.at(-1)}`,
    );
  return `${title}. ${ends.join('; ')}`;
}

function round(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** uPlot's own files, embedded in the page so that it opens from disk. */
function library(name: string): string {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('uplot/package.json'));
    return readFileSync(join(folder, 'dist', name), 'utf8').replaceAll('</script', '<\\/script');
  } catch {
    throw new FileError('the report needs the package uplot; run "npm install" in the folder of byte-to-loss');
  }
}
