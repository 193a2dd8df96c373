import { join } from 'node:path';
import { writeFileAtomic } from '../common/atomicWrite.js';
import { InputError } from '../common/errors.js';
import { chartsOf, colourOf } from './charts.js';
import { escapeHtml } from './html.js';
import { chartsHtml, pageHtml } from './page.js';
import { type RunRecord, readRun, type Sample } from './readRun.js';

/**
 * Write the report of one run into its folder, or of several overlaid runs into a file.
 *
 * @returns its path
 * @throws FileError when a folder holds no run or the file cannot be written; InputError without any run
 */
export function writeReport(paths: readonly string[], out?: string): string {
  if (paths.length === 0) throw new InputError('report: there is no run; give a run folder or several');
  const to = out ?? (paths.length === 1 ? join(paths[0]!, 'report.html') : 'report.html');
  writeFileAtomic(to, reportHtml(paths.map(readRun)));
  return to;
}

/** The report of runs as one HTML file. */
function reportHtml(runs: readonly RunRecord[]): string {
  const charts = chartsOf(runs);
  const title = runs.length === 1 ? runs[0]!.name : `${runs.length} runs`;
  return pageHtml({
    title,
    kicker: 'byte-to-loss, run report',
    style: runs.map((_, i) => swatchStyle(i)).join(''),
    charts,
    body: `<ul class="runs">${runs.map(headline).join('')}</ul>
<h2>Curves</h2>
${chartsHtml(charts)}
${validationTable(runs)}
<h2>Samples over time</h2>
${runs.map((run) => samplesHtml(run, runs.length > 1)).join('')}
<h2>Memory</h2>
${memoryTable(runs)}
<h2>Configuration</h2>
${configTable(runs)}`,
  });
}

function swatchStyle(index: number): string {
  const { light, dark } = colourOf(index);
  return `.run-${index}{color:${light}}@media(prefers-color-scheme:dark){.run-${index}{color:${dark}}}`;
}

function headline(run: RunRecord, index: number, runs: readonly RunRecord[]): string {
  const validation = [...run.curves].filter(([name]) => /_bpb$/.test(name));
  const steps = run.curves.get('bits_per_byte')?.x.at(-1);
  const skipped = run.curves.get('skipped')?.x.length;
  const said = [
    ...(runs.length > 1 ? [run.name] : []),
    steps === undefined ? 'no step was finished' : `${steps.toLocaleString('en')} steps`,
    ...(skipped === undefined ? [] : [`${skipped} steps skipped, not finite`]),
    ...validation.map(([name, { y }]) => `${name.replace(/_bpb$/, '')} ${y.at(-1)!.toFixed(3)} bits/byte held out`),
    ...(run.leftOut > 0 ? [`${run.leftOut} unreadable lines left out`] : []),
  ];
  return `<li><span class="swatch run-${index}"></span>${escapeHtml(said.join(' · '))}</li>`;
}

/** The validations as numbers. */
function validationTable(runs: readonly RunRecord[]): string {
  const rows = runs.flatMap((run) =>
    [...run.curves]
      .filter(([name]) => /_bpb$/.test(name))
      .map(([name, { x, y }]) => ({
        run,
        name: name.replace(/_bpb$/, ''),
        cells: x.map((step, i) => `${step}: ${y[i]!.toFixed(3)}`),
      })),
  );
  if (rows.length === 0) return '';
  const lines = rows.map(
    ({ run, name, cells }) =>
      `<tr><th scope="row">${escapeHtml(runs.length > 1 ? `${run.name} ${name}` : name)}</th><td>${escapeHtml(cells.join('   '))}</td></tr>`,
  );
  return `<details><summary>Validations as numbers (step: bits per byte)</summary><div class="table" tabindex="0"><table>${lines.join('')}</table></div></details>`;
}

/** Samples shown of one run: the first, the last, and some between. */
const MAX_SAMPLES = 30;

function samplesHtml(run: RunRecord, named: boolean): string {
  const heading = named ? `<h3>${escapeHtml(run.name)}</h3>` : '';
  const { samples } = run;
  if (samples.length === 0) return `${heading}<p class="soft">None: the run was stopped before a validation.</p>`;
  const count = Math.min(samples.length, MAX_SAMPLES);
  const shown = Array.from(
    { length: count },
    (_, i) => samples[Math.round((i * (samples.length - 1)) / Math.max(1, count - 1))]!,
  );
  const prompt = `<p class="soft">The same held-out prompt each time: …${escapeHtml(samples[0]!.prompt.slice(-160))}</p>`;
  return heading + prompt + shown.map(sampleHtml).join('');
}

function sampleHtml({ step, made }: Sample): string {
  return `<div class="sample"><span class="soft">step ${step}</span><pre>${escapeHtml(made)}</pre></div>`;
}

const MEMORY: readonly (readonly [name: string, what: string])[] = [
  ['device_bytes', 'on the device, in all'],
  ['parameter_bytes', 'parameters, gradients and moments'],
  ['activation_bytes', 'activations, buffers shared by liveness'],
  ['activation_bytes_unshared', 'activations without sharing'],
  ['process_bytes', 'this process'],
];

function memoryTable(runs: readonly RunRecord[]): string {
  const rows = MEMORY.filter(([name]) => runs.some((run) => name in run.memory)).map(([name, what]) => {
    const cells = runs.map((run) => run.memory[name]);
    return [
      what,
      cells.map((bytes) => (typeof bytes === 'number' ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : '–')),
    ] as const;
  });
  return rows.length === 0 ? '<p class="soft">Not recorded.</p>' : table(runs, rows, false);
}

/** Every setting by its dotted name; differences between compared runs are highlighted. */
function configTable(runs: readonly RunRecord[]): string {
  const flat = runs.map(({ config }) => flatten(config));
  const names = [...new Set(flat.flatMap((each) => [...each.keys()]))];
  const rows = names.map((name) => [name, flat.map((each) => each.get(name) ?? '–')] as const);
  return table(runs, rows, runs.length > 1);
}

function table(
  runs: readonly RunRecord[],
  rows: readonly (readonly [string, readonly string[]])[],
  compare: boolean,
): string {
  const head =
    runs.length > 1
      ? `<tr><td></td>${runs.map(({ name }) => `<th scope="col">${escapeHtml(name)}</th>`).join('')}</tr>`
      : '';
  const lines = rows.map(([name, cells]) => {
    const differs = compare && new Set(cells).size > 1;
    const columns = cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('');
    return `<tr${differs ? ' class="differs"' : ''}><th scope="row">${escapeHtml(name)}</th>${columns}</tr>`;
  });
  return `<div class="table" tabindex="0" role="region" aria-label="table"><table>${head}${lines.join('')}</table></div>`;
}

/** `{ a: { b: 1 } }` → `a.b` = `1` */
function flatten(value: unknown, name = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new Map([[name, typeof value === 'string' ? value : JSON.stringify(value)]]);
  }
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [...flatten(inner, name === '' ? key : `${name}.${key}`)]),
  );
}
