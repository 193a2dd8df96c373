/**
 * Run before uPlot, which asks Intl for the browser's language as it loads, and fails if that is not a language tag:
 * under the POSIX locale Chromium returns "en-US@posix".
 */
export const LANGUAGE = `
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US' });
}
`;

/**
 * What a page in a frame of the site asks of the page around it, which answers with `{ theme: 'light' | 'dark' }`, then and after each
 * change: two pages that are opened from disk may not read each other.
 */
export const THEME_QUESTION = 'byte-to-loss: theme?';

/**
 * The script that draws the charts of a report in the browser: one uPlot per chart of the embedded data. It is a string
 * because a report is one file; its data has the type `Chart` of charts.ts.
 */
export const SCRIPT = `
const charts = JSON.parse(document.getElementById('data').textContent);
const dark = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => { const { theme } = document.documentElement.dataset; return theme ? theme === 'dark' : dark.matches; };
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let drawn = [];
function draw() {
  for (const plot of drawn) plot.destroy();
  drawn = charts.map((chart, i) => {
    const place = document.getElementById('plot-' + i);
    const colour = (one) => isDark() ? one.dark : one.light;
    // A band is drawn between two lines of zero width, which follow its line.
    const lines = chart.series.flatMap((one) => [{ ...one, edge: '' }, ...(one.low ? ['high', 'low'].map((edge) => ({ ...one, y: one[edge], edge })) : [])]);
    const bands = lines.flatMap((one, i) => one.edge === 'high' ? [{ series: [i + 1, i + 2], fill: colour(one) + '2e' }] : []);
    const data = uPlot.join(lines.map((one) => [one.x, one.y]));
    const show = (value) => value == null ? '–' : Number(value.toPrecision(4)).toLocaleString('en', { maximumSignificantDigits: 4 });
    const axis = { stroke: style('--soft'), grid: { stroke: style('--line'), width: 1 }, ticks: { stroke: style('--line') } };
    return new uPlot({
      width: place.clientWidth,
      height: chart.wide ? 320 : 210,
      scales: { x: { time: false, ...(chart.logX ? { distr: 3 } : {}) }, y: chart.log ? { distr: 3 } : {} },
      bands,
      axes: [{ ...axis, ...(chart.logX ? { splits: () => [...new Set(chart.series.flatMap((one) => one.x))], filter: (_, all) => all, values: (_, all) => all.map(show) } : {}) }, { ...axis, size: 64, values: (_, ticks) => ticks.map((t) => t == null ? '' : show(t)) }],
      cursor: chart.x ? {} : { sync: { key: 'step' } },
      legend: { live: lines.length < 40, markers: { dash: (plot, i) => plot.series[i].dash ? 'dashed' : 'solid' } },
      series: [
        { label: chart.x ?? 'step', value: (_, v) => show(v) },
        ...lines.map((one) => one.edge ? { label: '', class: 'edge', stroke: 'transparent', width: 0, points: { show: false }, spanGaps: true } : ({
          label: one.label,
          stroke: colour(one),
          width: one.faint ? 1 : 2,
          alpha: one.faint ? 0.35 : 1,
          dash: one.dash ? [6, 5] : undefined,
          points: { show: Boolean(one.points), size: 7 },
          spanGaps: true,
          value: (_, v) => show(v),
        })),
      ],
    }, data, place);
  });
}
draw();
dark.addEventListener('change', draw);
addEventListener('message', ({ source, data }) => {
  if (source !== parent || !['light', 'dark'].includes(data?.theme)) return;
  document.documentElement.dataset.theme = data.theme;
  draw();
});
if (parent !== window) parent.postMessage(${JSON.stringify(THEME_QUESTION)}, '*');
let width = innerWidth;
addEventListener('resize', () => { if (innerWidth !== width) { width = innerWidth; draw(); } });
`;
