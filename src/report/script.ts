/**
 * Run before uPlot, which asks Intl for the browser's language as it loads, and fails where that is no language tag: under
 * the POSIX locale Chromium gives "en-US@posix".
 */
export const LANGUAGE = `
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US' });
}
`;

/**
 * What draws the charts in a report, in the browser: one uPlot per chart of the embedded data. It is a text because a report is one
 * file; `Chart` in charts.ts is what it reads.
 */
export const SCRIPT = `
const charts = JSON.parse(document.getElementById('data').textContent);
const dark = matchMedia('(prefers-color-scheme: dark)');
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let drawn = [];
function draw() {
  for (const plot of drawn) plot.destroy();
  drawn = charts.map((chart, i) => {
    const place = document.getElementById('plot-' + i);
    const data = uPlot.join(chart.series.map((one) => [one.x, one.y]));
    const show = (value) => value == null ? '–' : Number(value.toPrecision(4)).toLocaleString('en', { maximumSignificantDigits: 4 });
    const axis = { stroke: style('--soft'), grid: { stroke: style('--line'), width: 1 }, ticks: { stroke: style('--line') } };
    return new uPlot({
      width: place.clientWidth,
      height: chart.wide ? 320 : 210,
      scales: { x: { time: false }, y: chart.log ? { distr: 3 } : {} },
      axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map((t) => t == null ? '' : show(t)) }],
      cursor: { sync: { key: 'step' } },
      series: [
        { label: 'step' },
        ...chart.series.map((one) => ({
          label: one.label,
          stroke: dark.matches ? one.dark : one.light,
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
let width = innerWidth;
addEventListener('resize', () => { if (innerWidth !== width) { width = innerWidth; draw(); } });
`;
