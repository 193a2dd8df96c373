import { escapeHtml } from '../report/html.js';
import { chartsHtml, pageHtml } from '../report/page.js';
import { chartsOf } from './charts.js';
import { factsOf, HOW_TO_READ, leftOutLines, type Report, type Table, tablesOf } from './report.js';

/** The report of a grid as one HTML page with curves. External text is escaped. */
export function htmlOf(report: Report): string {
  const { name, about } = report;
  const charts = chartsOf(report);
  const leftOut = leftOutLines(report);
  return pageHtml({
    title: `Grid ${name}`,
    kicker: 'byte-to-loss, report of an experiment',
    charts,
    body: `<p>${escapeHtml(about)}</p>
${listHtml(factsOf(report))}
${leftOut.length > 0 ? `<h2>Left out of the data</h2>\n${listHtml(leftOut)}` : ''}
<p>${escapeHtml(HOW_TO_READ)}</p>
<h2>Curves</h2>
${charts.length > 0 ? chartsHtml(charts) : '<p class="soft">None yet: no run has been validated.</p>'}
<h2>Numbers</h2>
${tablesOf(report).map(tableHtml).join('\n')}`,
  });
}

/** Lines as a list, escaped. */
export function listHtml(lines: readonly string[]): string {
  return `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('\n')}</ul>`;
}

/** A table with its title, escaped. */
export function tableHtml({ title, header, rows }: Table): string {
  const row = (tag: 'th' | 'td', cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<h3>${escapeHtml(title)}</h3>
<div class="table" tabindex="0" role="region" aria-label="${escapeHtml(title)}"><table>${row('th', header)}
${rows.map((cells) => row('td', cells)).join('\n')}
</table></div>`;
}
