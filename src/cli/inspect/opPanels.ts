import { type Shape, stridesOf } from '../../common/shape.js';
import type { DispatchTrace, EntryTrace, Operand, Trace, WrittenOperand } from '../../inspect/trace.js';
import { escapeHtml } from '../../report/html.js';
import { kernelTexts } from './json.js';
import { shortNumber, shortTime } from './signs.js';

/** Shared by all panels: the run, and the location of each kernel's text in the page's data. */
interface Panels {
  readonly trace: Trace;
  readonly kernels: readonly string[];
  /** the address that steps through the kernels of an op */
  readonly stepper: ((op: string) => string) | undefined;
}

/**
 * Every entry as a panel that opens, forward first. The script fills in kernel and reference texts on demand.
 *
 * @param stepper the address of the page that steps through the kernels of an op, where there is one
 */
export function opPanels(trace: Trace, stepper?: (op: string) => string): string {
  const panels: Panels = { trace, kernels: [...kernelTexts(trace).keys()], stepper };
  const part = (title: string, entries: readonly EntryTrace[]) =>
    `<h3>${title} <small>${entries.length} entries</small></h3>${entries.map((entry) => panel(entry, panels)).join('\n')}`;
  const isUpdate = ({ phase }: EntryTrace) => phase === 'update';
  const step = trace.entries.filter((entry) => !isUpdate(entry));
  const forward = step.filter((entry) => entry.forward === undefined);
  const backward = step.filter((entry) => entry.forward !== undefined);
  const update = trace.entries.filter(isUpdate);
  return `${part('Forward', forward)}\n${part('Backward', backward)}\n${part('Update, recorded and not run', update)}`;
}

/** A link that opens an entry's panel: `#12 gelu.forward`. */
export function entryLink(entry: EntryTrace): string {
  return `<a href="#op-${entry.index}">#${entry.index} ${escapeHtml(entry.op.name)}</a>`;
}

function panel(entry: EntryTrace, panels: Panels): string {
  const { index, op, scope, outputs, dispatches } = entry;
  const { trace } = panels;
  const shapes = outputs.map(({ tensor }) => `[${trace.tensors[tensor]!.shape.join(', ')}]`).join(' ');
  const time = timeOf(dispatches);
  const bad = outputs.some(({ parity }) => parity !== undefined && parity.error > parity.allowed);
  const odd = outputs.some(({ tensor }) => trace.tensors[tensor]!.statistics.nonFinite > 0);
  return (
    `<details class="op" id="op-${index}" data-find="${escapeHtml(`${op.name} ${scope}`.toLowerCase())}"><summary>` +
    `<span class="n">#${index}</span> <b>${escapeHtml(op.name)}</b> <span class="scope">${escapeHtml(scope)}</span> ` +
    `<span class="shape">${shapes}</span>${bad ? ' <em class="bad">off its reference</em>' : ''}` +
    `${odd ? ' <em class="bad">not finite</em>' : ''}` +
    `<span class="time">${time === undefined ? '' : shortTime(time)}</span></summary><div class="body">` +
    `<p class="formula">${escapeHtml(op.formula)}</p>` +
    `${operandTable(entry, trace)}${parityList(outputs, trace)}${dispatchList(entry, panels)}` +
    `<details class="code" data-reference="${escapeHtml(op.name)}"><summary>float64 reference</summary></details>` +
    `${neighbours(entry, trace)}</div></details>`
  );
}

function timeOf(dispatches: readonly DispatchTrace[]): number | undefined {
  const times = dispatches.map(({ nanoseconds }) => nanoseconds).filter((time) => time !== undefined);
  return times.length === 0 ? undefined : times.reduce((sum, time) => sum + time, 0);
}

function operandTable({ inputs, outputs }: EntryTrace, trace: Trace): string {
  const row = (direction: string, { name, tensor }: Operand) => {
    const { name: label, shape, statistics } = trace.tensors[tensor]!;
    const { min, mean, max, nonFinite, histogram } = statistics;
    return (
      `<tr><td>${direction}</td><th scope="row">${escapeHtml(name)}</th><td class="label">${escapeHtml(label)}</td><td>[${shape.join(', ')}]</td>` +
      `<td>${shortNumber(min)}</td><td>${shortNumber(mean)}</td><td>${shortNumber(max)}</td>` +
      `<td>${histogramSvg(histogram)}</td><td${nonFinite > 0 ? ' class="bad"' : ''}>${nonFinite}</td></tr>`
    );
  };
  return (
    '<div class="scroll"><table><thead><tr><th></th><th>name</th><th>tensor</th><th>shape</th><th>min</th><th>mean</th><th>max</th>' +
    `<th>histogram</th><th>not finite</th></tr></thead><tbody>${inputs.map((each) => row('reads', each)).join('')}` +
    `${outputs.map((each) => row(each.kind, each)).join('')}</tbody></table></div>`
  );
}

function parityList(outputs: readonly WrittenOperand[], trace: Trace): string {
  const items = outputs.flatMap(({ parity, tensor }) => {
    if (parity === undefined) return [];
    const { output, error, index, kernel, reference, allowed } = parity;
    const bad = error > allowed ? ' class="bad"' : '';
    return `<li${bad}><b>${escapeHtml(output)}</b> is at most <b>${shortNumber(error)}</b> off, at [${placeOf(index, trace.tensors[tensor]!.shape).join(', ')}]: kernel ${kernel}, reference ${reference}; rounding allows ${shortNumber(allowed)}</li>`;
  });
  return items.length === 0 ? '' : `<h4>Against the float64 reference</h4><ul class="parity">${items.join('')}</ul>`;
}

/** A row-major index by axis: `placeOf(5, [2, 3]) // [1, 2]` */
function placeOf(index: number, shape: Shape): number[] {
  return stridesOf(shape).map((stride, axis) => Math.floor(index / stride) % shape[axis]!);
}

function dispatchList({ op, dispatches, phase }: EntryTrace, { kernels, stepper }: Panels): string {
  if (phase === 'update') return '<p>Training runs this after the gradients; here the parameters stay as they are.</p>';
  if (dispatches.length === 0) return '<p>A view: other strides over the same numbers. Nothing runs.</p>';
  const list = (values: Readonly<Record<string, number>>) =>
    Object.entries(values)
      .map(([name, value]) => `${escapeHtml(name)} = ${shortNumber(value)}`)
      .join(', ');
  const items = dispatches.map(
    ({ shader, text, constants, params, workgroups, nanoseconds }) =>
      `<li><details class="code" data-kernel="${kernels.indexOf(text)}"><summary>WGSL <b>shaders/${escapeHtml(shader)}.wgsl</b></summary></details>` +
      `<span>${workgroups.join(' × ')} workgroups${nanoseconds === undefined ? '' : `, ${shortTime(nanoseconds)}`}</span> ` +
      `<span>const ${list(constants) || 'none'}</span> <span>params ${list(params) || 'none'}</span></li>`,
  );
  const link =
    stepper && `<p><a href="${escapeHtml(stepper(op.name))}">Step through this kernel</a> in the explorer</p>`;
  return `<h4>Dispatches</h4><ol class="dispatches">${items.join('')}</ol>${link ?? ''}`;
}

function neighbours({ from, to, forward, backward }: EntryTrace, trace: Trace): string {
  const links = (indices: readonly number[]) => indices.map((index) => entryLink(trace.entries[index]!)).join(' · ');
  const rows: [string, readonly number[]][] = [
    ['made from', from],
    ['goes into', to],
    ['differentiates', forward === undefined ? [] : [forward]],
    ['its gradients', backward],
  ];
  const shown = rows.filter(([, indices]) => indices.length > 0);
  return `<dl class="links">${shown.map(([name, indices]) => `<dt>${name}</dt><dd>${links(indices)}</dd>`).join('')}</dl>`;
}

/** A histogram as bars, 72 × 18. */
function histogramSvg(bins: readonly number[]): string {
  const most = Math.max(1, ...bins);
  const width = 72 / bins.length;
  const bars = bins
    .map((count, i) => ({ x: i * width, height: count === 0 ? 0 : Math.max(1, (count / most) * 18) }))
    .filter(({ height }) => height > 0)
    .map(
      ({ x, height }) => `M${x.toFixed(1)} 18v-${height.toFixed(1)}h${(width - 0.6).toFixed(1)}v${height.toFixed(1)}z`,
    );
  return `<svg class="bars" viewBox="0 0 72 18" width="72" height="18" aria-hidden="true"><path d="${bars.join('')}"/></svg>`;
}
