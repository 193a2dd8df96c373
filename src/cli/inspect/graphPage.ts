import { formatShape } from '../../common/shape.js';
import type { ProgramGraph } from '../../inspect/graph.js';
import type { Trace } from '../../inspect/trace.js';
import { escapeHtml } from '../../report/html.js';
import { STYLE } from '../../report/style.js';
import { GRAPH_STYLE, graphSvg } from './graphSvg.js';

const COLOURS = `
:root { --accent: #09626c; }
@media (prefers-color-scheme: dark) { :root { --accent: #7cd3d6; } }
`;

/**
 * The drawing as a page, with every op below it: a click on a node goes there. @param device the device of the times
 */
export function graphPage(graph: ProgramGraph, trace: Trace, device: string): string {
  const rows = trace.entries
    .filter(({ dispatches }) => dispatches.length > 0)
    .map(({ index, op, scope, outputs, dispatches, forward }) => {
      const shapes = outputs.map(({ tensor }) => formatShape(trace.tensors[tensor]!.shape)).join(' ');
      const link =
        forward === undefined ? '' : `<a href="#op-${forward}">${escapeHtml(trace.entries[forward]!.op.name)}</a>`;
      const shaders = dispatches.map(({ shader }) => escapeHtml(shader)).join(', ');
      return `<tr id="op-${index}" tabindex="-1"><th scope="row">${escapeHtml(op.name)}</th><td>${escapeHtml(scope)}</td><td>${shapes}</td><td>${escapeHtml(op.formula)}</td><td>${shaders}</td><td>${link}</td></tr>`;
    });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>The program as a graph</title><style>${STYLE}${COLOURS}${GRAPH_STYLE}
.drawing { overflow: auto; } tr:target { background: var(--panel); } table { border-collapse: collapse; font-size: 0.9rem; }
th, td { text-align: left; padding: 0.3rem 1rem 0.3rem 0; vertical-align: top; font-weight: 400; }</style></head>
<body><h1>The program as a graph</h1>
<p>The forward pass runs down on the left, the backward pass runs up on the right; they join at the loss. Times are of ${escapeHtml(device)}. A click on a node leads to its op below.</p>
<div class="drawing" tabindex="0" role="region" aria-label="Drawing" id="graph">${graphSvg(graph)}</div>
<h2>Ops</h2><div class="drawing" tabindex="0" role="region" aria-label="Ops"><table><thead><tr><th>op</th><th>where</th><th>makes</th><th>formula</th><th>kernels</th><th>differentiates</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div></body></html>
`;
}

/** The drawing as a file of its own, with its colours. */
export function graphSvgFile(graph: ProgramGraph): string {
  const style = `:root { --paper: #fbfaf7; --panel: #f3f1eb; --ink: #1f1e1b; --soft: #5f5c55; --line: #dedad1; --accent: #09626c; }`;
  return graphSvg(graph).replace('<defs>', `<style>${style}${GRAPH_STYLE}</style><defs>`);
}
