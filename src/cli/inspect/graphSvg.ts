import type { GraphEdge, GraphNode, ProgramGraph } from '../../inspect/graph.js';
import { escapeHtml } from '../../report/html.js';
import { shortTime } from './signs.js';

/** Margin around the drawing. */
const MARGIN = 12;

/** Styles of the drawing; colours come from the page: `--paper`, `--panel`, `--ink`, `--soft`, `--line`, `--accent`. */
export const GRAPH_STYLE = `
.graph text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.graph .detail { fill: var(--soft); font-size: 11px; }
.graph rect { fill: var(--panel); stroke: var(--line); }
.graph .backward rect { stroke-dasharray: 4 3; stroke: var(--soft); }
.graph .folded rect { stroke: var(--ink); stroke-width: 1.5; }
.graph .edge { fill: none; stroke: var(--soft); stroke-width: 1; opacity: 0.7; }
.graph .near { stroke: var(--accent); stroke-width: 2; opacity: 1; }
.graph .differentiates { fill: none; stroke: var(--accent); stroke-width: 2; stroke-dasharray: 2 4; }
.graph .chosen rect { stroke: var(--accent); stroke-width: 2.5; stroke-dasharray: none; }
.graph a { cursor: pointer; text-decoration: none; }
.graph a:focus-visible { outline: none; }
.graph a:focus-visible rect { stroke: var(--accent); stroke-width: 3; }
.graph .title { font-weight: 600; }
`;

/**
 * A graph as SVG. Every node is a link to `#op-N`, or with `data-block` for a folded block.
 *
 * @param chosen an entry to mark, with a line between a gradient and its forward op
 */
export function graphSvg(graph: ProgramGraph, chosen?: number): string {
  const { nodes, edges } = graph;
  const [width, height] = [graph.width + 2 * MARGIN, graph.height + 2 * MARGIN];
  const marked = nodes.find(({ entry }) => entry !== undefined && entry === chosen);
  const pairs = nodes.filter(
    ({ id, forward }) => marked && forward !== undefined && (id === marked.id || forward === marked.id),
  );
  return [
    `<svg class="graph" xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${-MARGIN} ${-MARGIN} ${width} ${height}" role="group" aria-label="The program as a graph: ${nodes.length} nodes">`,
    '<defs><marker id="arrow" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0L6 3L0 6z" fill="context-stroke"/></marker></defs>',
    ...edges.map((edge) => edgeSvg(edge, marked !== undefined && (edge.from === marked.id || edge.to === marked.id))),
    ...pairs.map((back) => lineSvg(back, nodes.find(({ id }) => id === back.forward)!)),
    ...nodes.map((node) => nodeSvg(node, node === marked)),
    '</svg>',
  ].join('\n');
}

const round = (x: number) => Math.round(x * 10) / 10;

function edgeSvg({ points }: GraphEdge, isNear: boolean): string {
  const path = points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('');
  return `<path class="edge${isNear ? ' near' : ''}" d="${path}" marker-end="url(#arrow)"/>`;
}

/** From a gradient back to the op that it differentiates. */
function lineSvg(from: GraphNode, to: GraphNode): string {
  const [x1, x2] = [from.x - from.width / 2, to.x + to.width / 2];
  const middle = (x1 + x2) / 2;
  const path = `M${round(x1)} ${round(from.y)}C${round(middle)} ${round(from.y)} ${round(middle)} ${round(to.y)} ${round(x2)} ${round(to.y)}`;
  return `<path class="differentiates" d="${path}" marker-end="url(#arrow)"/>`;
}

function nodeSvg(node: GraphNode, isChosen: boolean): string {
  const { entry, block, side, name, detail, microseconds, x, y, width, height } = node;
  const [left, top] = [round(x - width / 2), round(y - height / 2)];
  // A browser's clock is coarse: a short op may take 0.
  const time = microseconds ? shortTime(1000 * microseconds) : '';
  const names = ['node', side, ...(entry === undefined ? ['folded'] : []), ...(isChosen ? ['chosen'] : [])].join(' ');
  const target =
    entry === undefined
      ? `href="#graph" data-block="${escapeHtml(block)}"`
      : `href="#op-${entry}" data-entry="${entry}"`;
  const said = `${name}${entry === undefined ? '' : ` in ${block}`}, ${side}, ${detail}${time === '' ? '' : `, ${time}`}`;
  return [
    `<a ${target} aria-label="${escapeHtml(said)}"><g class="${names}">`,
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" rx="6"/>`,
    `<text class="title" x="${left + 10}" y="${top + 20}">${escapeHtml(name)}</text>`,
    `<text class="detail" x="${left + 10}" y="${top + 38}">${escapeHtml(detail)}</text>`,
    `<text class="detail" x="${left + width - 10}" y="${top + 38}" text-anchor="end">${time}</text>`,
    '</g></a>',
  ].join('');
}
