import { escapeHtml, jsonForScript } from '../../report/html.js';
import { Heats } from './heat.js';
import type { Inspection } from './inspection.js';
import { kernelTexts } from './json.js';
import { opPanels } from './opPanels.js';
import { referenceSource } from './referenceSource.js';
import { SCRIPT } from './script.js';
import { labelsOf, type Section, sectionsOf } from './sections.js';
import { shortNumber, shortTime, signOf } from './signs.js';
import { STYLE } from './style.js';

/** Cells of all heatmaps of a page together: each takes 2.7 bytes. */
const CELLS = 900_000;
/** Maximum cells of one heatmap; a screen cannot show more. */
const MOST_CELLS = 128 * 128;

/** An inspection as one HTML file that needs no network and no other file. */
export function inspectionPage(inspection: Inspection): string {
  const { subject, trace, sizes, window } = inspection;
  const { layers, heads } = subject.config;
  const heats = new Heats(Math.min(MOST_CELLS, Math.floor(CELLS / (layers * (heads + 8) + 6))));
  const sections = sectionsOf(inspection, heats);
  const ops = new Map(trace.entries.map(({ op }) => [op.name, op]));
  const before = ['∅', ...Array.from(window.targets.subarray(0, -1), signOf)];
  const data = {
    heats: heats.data,
    labels: {
      ...labelsOf(inspection),
      predicted: Array.from(window.targets, (id, t) => `stream ${t}, “${signOf(id)}” after “${before[t]}”`),
    },
    kernels: [...kernelTexts(trace).keys()],
    references: Object.fromEntries([...ops].map(([name, op]) => [name, referenceSource(op)])),
  };
  const all: Section[] = [...sections, { id: 'ops', title: 'Every op', html: opsHtml(inspection) }];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>From byte to loss: one pass</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>One pass, from byte to loss and back</h1>
<p class="note">${escapeHtml(subject.origin)}</p>
${facts(inspection)}
</header>
<nav aria-label="Sections"><ol>${all.map(({ id, title }) => `<li><a href="#${id}">${title}</a></li>`).join('')}</ol></nav>
<main>
${all.map(({ id, title, html }, i) => `<section id="${id}"><h2><span class="step">${i + 1}</span>${title}</h2>${html}</section>`).join('\n')}
</main>
<footer>Written by byte-to-loss inspect. ${sizes.P} slots + ${sizes.T} stream positions on ${escapeHtml(inspection.device.name)}. Every number is of this one run.</footer>
<script type="application/json" id="data">${jsonForScript(data)}</script>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function facts({ subject, device, trace, bitsPerByte, sizes }: Inspection): string {
  const { door, dim, layers, heads, K } = subject.config;
  const dispatches = trace.entries.flatMap((entry) => entry.dispatches);
  const times = dispatches.map(({ nanoseconds }) => nanoseconds ?? 0);
  const compared = trace.entries.flatMap(({ outputs }) => outputs.flatMap(({ parity }) => parity ?? []));
  const share = Math.max(...compared.map(({ error, allowed }) => error / allowed));
  const rows: [string, string][] = [
    ['loss', `${bitsPerByte.toFixed(3)} bits per byte`],
    ['decoder', `${door} door, dim ${dim}, ${layers} blocks, ${heads} heads, K ${K}`],
    ['positions', `${sizes.P} slots + ${sizes.T} stream`],
    ['ran', `${trace.entries.length} entries, ${dispatches.length} dispatches`],
    [
      'GPU time',
      device.timestamps ? shortTime(times.reduce((sum, time) => sum + time, 0)) : 'no timestamps on this device',
    ],
    ['largest error', `${shortNumber(share * 100)} % of what rounding allows, over ${compared.length} results`],
    ['device', device.name],
  ];
  return `<dl class="facts">${rows.map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`).join('')}</dl>`;
}

function opsHtml({ trace, subject, window }: Inspection): string {
  return (
    '<p>Everything that ran, in order. An op opens to its formula, its numbers, its error against plain float64 loops, the WGSL, and its neighbours.</p>' +
    '<div class="tools"><label for="filter">Show ops with</label><input id="filter" type="search" placeholder="layerNorm blocks.0" autocomplete="off"><span id="found" aria-live="polite"></span></div>' +
    opPanels(trace, subject.explorer === undefined ? undefined : (op) => stepperAddress(subject.explorer!, window, op))
  );
}

/** The explorer on the same text, stepping through the kernels of an op. */
function stepperAddress(explorer: string, { prefix, targets }: Inspection['window'], op: string): string {
  const bytes = Uint8Array.from([...prefix, ...targets]);
  const asked = { text: new TextDecoder().decode(bytes), before: String(prefix.length), step: op };
  return `${explorer}?${new URLSearchParams(asked)}`;
}
