import type { EntryTrace, Trace } from '../../inspect/trace.js';
import { escapeHtml } from '../../report/html.js';
import { bitOf } from '../../substrate/channels.js';
import { type Heats, transposeGrid } from './heat.js';
import { entriesOf, type Grid, type Inspection, tensorOf } from './inspection.js';
import { entryLink } from './opPanels.js';
import { hexOf, shortNumber, signOf } from './signs.js';

/** A part of the page: its heading, and its HTML. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly html: string;
}

/** The way from byte to loss and back, in the order of the arrows. */
export function sectionsOf(inspection: Inspection, heats: Heats): Section[] {
  return [
    bytesSection(inspection),
    ...channelsSection(inspection, heats),
    doorSection(inspection, heats),
    ...blockSections(inspection, heats),
    residualSection(inspection, heats),
    logitsSection(inspection, heats),
    lossSection(inspection),
    ...attributionSection(inspection, heats),
    gradientsSection(inspection),
  ];
}

/** The lists of labels in the page's data; heatmaps name them. */
export function labelsOf({
  window,
  sizes,
  subject,
  channels,
  residual,
}: Inspection): Record<string, readonly string[]> {
  const { K, dim } = subject.config;
  const { P, T } = sizes;
  const bytes = (ids: ArrayLike<number>) => Array.from(ids, signOf).join('');
  const slots = Array.from({ length: P }, (_, p) => `slot ${p} “${bytes(window.prefix.subarray(p * K, p * K + K))}”`);
  const before = [256, ...window.targets.subarray(0, T - 1)];
  const stream = before.map((id, t) => `stream ${t} “${signOf(id)}”`);
  const padded = Array.from({ length: P * K }, (_, i) => window.prefix[i] ?? 0);
  const width = channels?.columns ?? 0;
  return {
    positions: [...slots, ...stream],
    stream,
    inputs: [
      ...padded.map(
        (id, i) => `prefix ${i} ${hexOf(id)} “${signOf(id)}”${i < window.prefix.length ? '' : ' (padding)'}`,
      ),
      ...before.map((id, t) => `stream ${t} ${hexOf(id)} “${signOf(id)}”`),
    ],
    channels: channels?.names ?? [],
    addresses: Array.from({ length: dim }, (_, c) =>
      c < K * width ? `column ${c}: byte ${Math.floor(c / width)} · ${channels?.names[c % width]}` : `column ${c}`,
    ),
    ids: Array.from({ length: 258 }, (_, id) => `${hexOf(id)} “${signOf(id)}”`),
    stages: residual.map(({ scope }) => (scope === 'x0' ? 'door' : `before ${scope}`)),
  };
}

function bytesSection({ window, sizes, subject }: Inspection): Section {
  const { K } = subject.config;
  const slots = Array.from({ length: sizes.P }, (_, p) => {
    const own = Array.from({ length: K }, (_, k) => window.prefix[p * K + k]);
    return `<div class="slot"><small>slot ${p}</small><div>${own.map((id) => byteCard(id ?? 0, id === undefined)).join('')}</div></div>`;
  });
  const stream = Array.from(window.targets, (id) => byteCard(id, false));
  return {
    id: 'bytes',
    title: 'Bytes',
    html:
      `<p>The window is ${window.prefix.length} bytes of prefix, packed ${K} to a slot, and a stream of ${window.targets.length} to predict. ` +
      'Each byte is shown with its hex digits and its bits, the top bit first.</p>' +
      (slots.length > 0 ? `<h4>Prefix</h4><div class="bytes">${slots.join('')}</div>` : '<p>There is no prefix.</p>') +
      `<h4>Stream</h4><div class="bytes">${stream.join('')}</div>`,
  };
}

function byteCard(id: number, padding: boolean): string {
  const bits =
    id > 255 ? '' : Array.from({ length: 8 }, (_, i) => `<i${bitOf(id, i) ? ' class="on"' : ''}></i>`).join('');
  return `<span class="byte${padding ? ' padding' : ''}"><b>${escapeHtml(signOf(id))}</b><code>${hexOf(id)}</code><span class="bits">${bits}</span></span>`;
}

function channelsSection({ channels, trace, window, sizes, subject }: Inspection, heats: Heats): Section[] {
  if (channels === undefined) return [];
  const made = entriesOf(trace, 'hslFeatures.forward');
  const L = sizes.P * subject.config.K;
  const figure = heats.figure(transposeGrid(channels), {
    title: 'Channels of each byte',
    note: `${sourceLinks(made)} Prefix left of the line, stream inputs right of it: the stream is moved right by one, behind a row of zeros.`,
    signed: true,
    rows: 'channels',
    columns: 'inputs',
    columnMarks: [L],
    rowHeight: 13,
  });
  return [
    {
      id: 'channels',
      title: `${channels.columns} channels`,
      html:
        `<p>Each byte departs from zero: eight differences of neighbouring bits, eight of those by the byte before, how much changes at its boundary, ` +
        `its Fourier transform, and its place on a circle. ${window.prefix.length + window.targets.length} bytes, nothing learned.</p>` +
        withNames(channels.names, figure),
    },
  ];
}

/** A heatmap of 13-pixel rows with a name next to each. */
function withNames(names: readonly string[], figure: string): string {
  const items = names.map((name) => `<li>${escapeHtml(name)}</li>`).join('');
  return `<div class="named"><ol class="names" aria-hidden="true">${items}</ol>${figure}</div>`;
}

function doorSection({ x0, pass, sizes, subject, channels, trace }: Inspection, heats: Heats): Section {
  const { P } = sizes;
  const { door, K, dim } = subject.config;
  const width = channels?.columns ?? 0;
  const fixed = door !== 'projected' && channels !== undefined;
  const rule = fixed
    ? `Byte k of a slot owns columns ${width}k … ${width}k + ${width - 1}; a stream byte owns the first ${width}. The rest of the ${dim} columns is zero.`
    : `The ${escapeHtml(door)} door maps each slot of ${K} bytes and each stream byte to ${dim} learned columns.`;
  return {
    id: 'door',
    title: 'Slots and stream',
    html:
      `<p>${rule}</p>` +
      heats.figure(x0, {
        title: 'Decoder input',
        note: `${sourceLinks([trace.entries[trace.of(pass.x0).writers[0]!]!])} ${P} slots above the line, the stream below.`,
        signed: true,
        rows: 'positions',
        columns: fixed ? 'addresses' : '',
        rowMarks: P > 0 ? [P] : [],
        columnMarks: fixed ? Array.from({ length: K }, (_, k) => width * (k + 1)) : [],
      }),
  };
}

function blockSections(inspection: Inspection, heats: Heats): Section[] {
  const { subject, trace, attention, sizes } = inspection;
  const { P } = sizes;
  return Array.from({ length: subject.config.layers }, (_, block) => {
    const inside = (part: string, op: string) =>
      trace.entries.find(
        (entry) =>
          entry.scope === `blocks.${block}.${part}` && entry.op.name.endsWith(op) && entry.forward === undefined,
      )!;
    const D = subject.config.dim / subject.config.heads;
    const headMarks = Array.from({ length: subject.config.heads - 1 }, (_, h) => D * (h + 1));
    const shown = (entry: EntryTrace, name: string, title: string, columnMarks: readonly number[] = []) =>
      heats.figure(positionRows(trace, tensorOf(entry, name)), {
        title,
        note: sourceLinks([entry]),
        signed: true,
        ...positionsOf(trace.tensors[tensorOf(entry, name)]!.shape.at(-2)!),
        columns: '',
        columnMarks,
        rowHeight: 4,
      });
    // After the last attention only the stream is read.
    const positionsOf = (rows: number) =>
      rows === sizes.T ? { rows: 'stream' } : { rows: 'positions', rowMarks: P > 0 ? [P] : [] };
    const rotary = inside('attention', 'rotary.forward');
    const attend = inside('attention', 'attention.forward');
    const maps = attention
      .filter((map) => map.block === block)
      .map(({ head, probabilities }) =>
        heats.figure(probabilities, {
          title: `Head ${head}`,
          signed: false,
          rows: 'positions',
          columns: 'positions',
          rowMarks: P > 0 ? [P] : [],
          columnMarks: P > 0 ? [P] : [],
          square: true,
        }),
      );
    return {
      id: `block-${block}`,
      title: `Block ${block}`,
      html:
        `<div class="pair">${shown(inside('norm1', 'ayerNorm.forward'), 'y', 'norm1')}` +
        `${shown(rotary, 'q', 'q, rotated; one head between lines', headMarks)}${shown(rotary, 'k', 'k, rotated', headMarks)}${shown(rotary, 'v', 'v', headMarks)}</div>` +
        `<h4>Attention</h4><p>A row attends to columns. Left of the line are the slots, which every position sees; below it, right of it, ` +
        `a stream position sees itself and the stream before. ${sourceLinks([attend])}</p><div class="heads">${maps.join('')}</div>` +
        `<div class="pair">${shown(inside('attention.out', 'linear.forward'), 'y', 'attention, added to the residual')}` +
        `${shown(inside('norm2', 'ayerNorm.forward'), 'y', 'norm2')}${shown(inside('mlp', 'gelu.forward'), 'y', 'MLP, after GELU')}` +
        `${shown(inside('mlp.down', 'linear.forward'), 'y', 'MLP, added to the residual')}</div>`,
    };
  });
}

/** A tensor with one row per position: heads are put side by side again. */
function positionRows(trace: Trace, tensor: number): Grid {
  const { data, shape } = trace.value(tensor);
  const S = shape.at(-2)!;
  const columns = data.length / S;
  if (shape.length !== 4) return { rows: S, columns, data };
  const [, H, , D] = shape as [number, number, number, number];
  const rows = new Float64Array(data.length);
  for (let h = 0; h < H; h++)
    // [h, s, :] → [s, h·D …]
    for (let s = 0; s < S; s++) rows.set(data.subarray((h * S + s) * D, (h * S + s + 1) * D), s * columns + h * D);
  return { rows: S, columns, data: rows };
}

function residualSection({ residual, sizes, trace }: Inspection, heats: Heats): Section {
  const grid: Grid = {
    rows: residual.length,
    columns: sizes.P + sizes.T,
    data: Float64Array.from(
      residual.flatMap(({ norms }) => [...Array<number>(sizes.P + sizes.T - norms.length).fill(0), ...norms]),
    ),
  };
  const rows = residual.map(({ entry, norms, scope }) => {
    const mean = norms.reduce((sum, norm) => sum + norm, 0) / norms.length;
    return `<tr><th scope="row">${scope === 'x0' ? 'door' : `before ${escapeHtml(scope)}`}</th><td>${shortNumber(mean)}</td><td>${shortNumber(Math.max(...norms))}</td><td>${entryLink(trace.entries[entry]!)}</td></tr>`;
  });
  return {
    id: 'residual',
    title: 'Residual stream',
    html:
      `<p>The length of every position’s vector, from the door to the final norm: the sum of the blocks so far. After the last attention only the stream is used, so the slots end there.</p>` +
      heats.figure(grid, {
        title: '‖x‖ by position',
        signed: false,
        rows: 'stages',
        columns: 'positions',
        columnMarks: sizes.P > 0 ? [sizes.P] : [],
        rowHeight: 22,
      }) +
      `<div class="scroll"><table><thead><tr><th>where</th><th>mean ‖x‖</th><th>largest</th><th>made by</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
  };
}

function logitsSection({ predictions, trace, pass }: Inspection, heats: Heats): Section {
  const logits = trace.value(pass.logits);
  const rows = predictions.map(({ target, bits, nats, top }, t) => {
    const likeliest = top
      .map(({ id, probability }) => {
        const mine = id === target ? ' class="hit"' : '';
        return `<span${mine} style="--p:${probability.toFixed(4)}">${escapeHtml(signOf(id))} <small>${(100 * probability).toFixed(1)}%</small></span>`;
      })
      .join('');
    return (
      `<tr><td>${t}</td><th scope="row">${escapeHtml(signOf(target))} <code>${hexOf(target)}</code></th><td style="--b:${heatOf(bits)}" class="cost">${bits.toFixed(3)}</td>` +
      `<td>${shortNumber(Math.exp(-nats))}</td><td class="top">${likeliest}</td></tr>`
    );
  });
  return {
    id: 'logits',
    title: 'Logits',
    html:
      heats.figure(
        { rows: predictions.length, columns: logits.data.length / predictions.length, data: logits.data },
        {
          title: 'Logits',
          note: sourceLinks([trace.entries[trace.of(pass.logits).writers[0]!]!]),
          signed: true,
          rows: 'predicted',
          columns: 'ids',
          rowHeight: 6,
        },
      ) +
      `<div class="scroll tall" tabindex="0"><table class="predictions"><thead><tr><th>t</th><th>byte</th><th>bits</th><th>probability</th><th>likeliest</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
  };
}

/** 0 for a byte that was sure, 1 for one that cost 10 bits or more. */
function heatOf(bits: number): string {
  return Math.min(1, bits / 10).toFixed(3);
}

function lossSection({ window, predictions, bitsPerByte, trace, pass }: Inspection): Section {
  const prefix = Array.from(window.prefix, (id) => `<span class="given">${escapeHtml(signOf(id))}</span>`);
  const stream = predictions.map(
    ({ target, bits }) =>
      `<span class="cost" style="--b:${heatOf(bits)}" title="${hexOf(target)}: ${bits.toFixed(3)} bits">${escapeHtml(signOf(target))}</span>`,
  );
  const loss = trace.of(pass.loss);
  return {
    id: 'loss',
    title: 'Bits per byte',
    html:
      `<p class="text">${prefix.join('')}${stream.join('')}</p>` +
      `<p class="scale"><span class="cost" style="--b:0">0</span><span class="cost" style="--b:.25">2.5</span><span class="cost" style="--b:.5">5</span><span class="cost" style="--b:.75">7.5</span><span class="cost" style="--b:1">10 bits</span></p>` +
      `<p>The mean is <b>${bitsPerByte.toFixed(4)} bits per byte</b>, ${shortNumber(loss.statistics.mean)} nats; guessing among 258 ids costs ${Math.log2(258).toFixed(3)} bits. ` +
      `${sourceLinks([trace.entries[loss.writers[0]!]!])}</p>`,
  };
}

function attributionSection({ attribution, channels, subject, sizes }: Inspection, heats: Heats): Section[] {
  if (attribution === undefined || channels === undefined) return [];
  const figure = heats.figure(transposeGrid(attribution), {
    title: 'd loss / d channel',
    note: 'Prefix left of the line, stream inputs right of it.',
    signed: true,
    rows: 'channels',
    columns: 'inputs',
    columnMarks: [sizes.P * subject.config.K],
    rowHeight: 13,
  });
  return [
    {
      id: 'attribution',
      title: 'Back to the channels',
      html:
        '<p>The gradient of the loss with respect to each channel of each byte: how a change of each part of each byte would change the loss.</p>' +
        withNames(channels.names, figure),
    },
  ];
}

function gradientsSection({ gradients, trace, pass }: Inspection): Section {
  const logs = gradients.map(({ gradient }) => Math.log10(Math.max(gradient, 1e-12)));
  const [least, most] = [Math.min(...logs), Math.max(...logs)];
  const rows = gradients.map(({ name, gradient, parameter }, i) => {
    const share = most > least ? (logs[i]! - least) / (most - least) : 1;
    const entries = trace.of(pass.program.gradientOf(pass.parameters.get(name)!)!).writers;
    return (
      `<tr><th scope="row">${escapeHtml(name)}</th><td>${shortNumber(gradient)}</td><td><span class="bar" style="--p:${(0.02 + 0.98 * share).toFixed(3)}"></span></td>` +
      `<td>${parameter === 0 ? '–' : shortNumber(gradient / parameter)}</td><td>${entries.map((entry) => entryLink(trace.entries[entry]!)).join(' ')}</td></tr>`
    );
  });
  return {
    id: 'gradients',
    title: 'Gradient of each parameter',
    html:
      '<p>Lengths of the gradients, bars on a logarithmic scale, and their ratio to the parameter’s own length.</p>' +
      `<div class="scroll tall" tabindex="0"><table class="gradients"><thead><tr><th>parameter</th><th>‖gradient‖</th><th></th><th>‖gradient‖ / ‖parameter‖</th><th>made by</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
  };
}

function sourceLinks(entries: readonly EntryTrace[]): string {
  return `<span class="source">${entries.map(entryLink).join(' ')}</span>`;
}
