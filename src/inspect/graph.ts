/** The entries of a traced pass as a graph: its nodes, their blocks, and their positions. */
import { Graph as DagreGraph, layout } from '@dagrejs/dagre';
import { formatShape } from '../common/shape.js';
import type { EntryTrace, Trace } from './trace.js';

/** One op of the pass, or a folded block of them. */
export interface GraphNode {
  readonly id: string;
  /** index of the entry in the trace; undefined for a folded block */
  readonly entry: number | undefined;
  /** `blocks.0`, `head`: the block with which it folds */
  readonly block: string;
  readonly side: 'forward' | 'backward';
  readonly name: string;
  /** shape of the first output, or the number of ops */
  readonly detail: string;
  /** time of its dispatches; undefined if the device has no timestamps */
  readonly microseconds: number | undefined;
  /** for a gradient: the node that it differentiates */
  readonly forward: string | undefined;
  /** centre, and size */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** An edge from a node to a reader of its output, as the points of a line. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** A laid out graph. */
export interface ProgramGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  readonly width: number;
  readonly height: number;
}

type Placed = 'x' | 'y' | 'width' | 'height';

const SIZE = { width: 196, height: 50 };
/** Space between the forward and the backward part. */
const GAP = 90;

/**
 * Lay out a traced pass: the forward part runs down, the backward part to the right of it runs up, and they join at the
 * loss.
 *
 * @param trace of a pass, with or without its gradients   @param folded blocks that are one node: `blocks.0`
 */
export function programGraph(trace: Trace, folded: ReadonlySet<string> = new Set()): ProgramGraph {
  const ran = trace.entries.filter(({ dispatches }) => dispatches.length > 0);
  const firstBack = ran.find(({ forward }) => forward !== undefined)?.index ?? trace.entries.length;
  const sideOf = ({ index }: EntryTrace) => (index < firstBack ? 'forward' : 'backward');
  const idOf = (entry: EntryTrace) => {
    const block = blockOf(entry);
    return folded.has(block) ? `${sideOf(entry)} ${block}` : `entry ${entry.index}`;
  };
  const members = new Map<string, EntryTrace[]>();
  for (const entry of ran) members.set(idOf(entry), [...(members.get(idOf(entry)) ?? []), entry]);
  const nodes = [...members].map(([id, entries]): Omit<GraphNode, Placed> => {
    const [first] = entries as [EntryTrace];
    const isFolded = folded.has(blockOf(first));
    const times = entries.flatMap(({ dispatches }) => dispatches.map(({ nanoseconds }) => nanoseconds));
    const forward = isFolded ? undefined : first.forward;
    return {
      id,
      entry: isFolded ? undefined : first.index,
      block: blockOf(first),
      side: sideOf(first),
      name: isFolded ? blockOf(first) : first.op.name,
      detail: isFolded ? `${entries.length} ops` : shapeOf(trace, first),
      microseconds: times.includes(undefined) ? undefined : times.reduce<number>((sum, time) => sum + time! / 1000, 0),
      forward: forward === undefined ? undefined : nodeThatRan(trace, forward, idOf),
    };
  });
  const links = linksBetween(trace, ran, idOf);
  // An op without any link is not of the pass: it computes something to look at.
  const linked = new Set(links.flatMap(({ from, to }) => [from, to]));
  const parts = (['forward', 'backward'] as const).map((side) => {
    const own = nodes.filter(({ id, ...node }) => node.side === side && (linked.has(id) || nodes.length === 1));
    const ids = new Set(own.map(({ id }) => id));
    const inside = links.filter(({ from, to }) => ids.has(from) && ids.has(to));
    return layOut(own, inside, side === 'forward' ? 'TB' : 'BT');
  });
  return joined(sideBySide(parts), links);
}

/** `blocks.0.mlp.up` folds as `blocks.0`, `loss` as itself. */
function blockOf({ scope, op }: EntryTrace): string {
  return /^blocks\.\d+/.exec(scope)?.[0] ?? (scope.split('.')[0] || op.name);
}

function shapeOf(trace: Trace, { outputs }: EntryTrace): string {
  return outputs.length === 0 ? '' : formatShape(trace.tensors[outputs[0]!.tensor]!.shape);
}

/** The node of an entry; for a view, which runs nothing, that of its base tensor. */
function nodeThatRan(trace: Trace, index: number, idOf: (entry: EntryTrace) => string): string | undefined {
  let entry = trace.entries[index]!;
  while (entry.dispatches.length === 0) {
    const [from] = entry.from;
    if (from === undefined) return undefined;
    entry = trace.entries[from]!;
  }
  return idOf(entry);
}

interface Link {
  readonly from: string;
  readonly to: string;
}

/** Edges from nodes to the readers of their outputs, once each. Views are passed through. */
function linksBetween(trace: Trace, ran: readonly EntryTrace[], idOf: (entry: EntryTrace) => string): Link[] {
  const links = new Map<string, Link>();
  for (const entry of ran) {
    for (const maker of entry.from) {
      const [from, to] = [nodeThatRan(trace, maker, idOf), idOf(entry)];
      if (from !== undefined && from !== to) links.set(`${from} > ${to}`, { from, to });
    }
  }
  return [...links.values()];
}

function layOut(nodes: readonly Omit<GraphNode, Placed>[], links: readonly Link[], rankdir: 'TB' | 'BT'): ProgramGraph {
  const graph = new DagreGraph();
  graph.setGraph({ rankdir, nodesep: 22, ranksep: 26 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(id, { ...SIZE });
  for (const { from, to } of links) graph.setEdge(from, to);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const isEmpty = nodes.length === 0;
  return {
    nodes: nodes.map((node) => {
      const { x, y } = graph.node(node.id) as { x: number; y: number };
      return { ...node, ...SIZE, x, y };
    }),
    edges: links.map(({ from, to }) => {
      const { points } = graph.edge(from, to) as { points: { x: number; y: number }[] };
      return { from, to, points };
    }),
    width: isEmpty ? 0 : width,
    height: isEmpty ? 0 : height,
  };
}

/** The two parts side by side, aligned at the bottom, where the loss is. */
function sideBySide(parts: readonly ProgramGraph[]): ProgramGraph {
  const height = Math.max(...parts.map((part) => part.height));
  let left = 0;
  const moved = parts.map((part) => {
    const [dx, dy] = [left, height - part.height];
    left += part.width === 0 ? 0 : part.width + GAP;
    return {
      nodes: part.nodes.map((node) => ({ ...node, x: node.x + dx, y: node.y + dy })),
      edges: part.edges.map(({ points, ...edge }) => ({
        ...edge,
        points: points.map(({ x, y }) => ({ x: x + dx, y: y + dy })),
      })),
    };
  });
  return {
    nodes: moved.flatMap(({ nodes }) => nodes),
    edges: moved.flatMap(({ edges }) => edges),
    width: Math.max(0, left - GAP),
    height,
  };
}

/**
 * Add the edges from the loss to the start of the backward part. Other edges between the parts are saved tensors for
 * the gradients; they are omitted, since they would hide the rest.
 */
function joined(graph: ProgramGraph, links: readonly Link[]): ProgramGraph {
  const nodeOf = new Map(graph.nodes.map((node) => [node.id, node]));
  const isRead = new Set(graph.edges.map(({ from }) => from));
  const across = links.flatMap(({ from, to }): GraphEdge[] => {
    const [a, b] = [nodeOf.get(from)!, nodeOf.get(to)!];
    if (a.side === b.side || isRead.has(from)) return [];
    const middle = a.x + a.width / 2 + GAP / 2;
    const floor = Math.max(a.y, b.y);
    return [
      {
        from,
        to,
        points: [
          { x: a.x + a.width / 2, y: a.y },
          { x: middle, y: floor + a.height / 2 + 8 },
          { x: b.x - b.width / 4, y: floor + a.height / 2 + 8 },
          { x: b.x - b.width / 4, y: b.y + b.height / 2 },
        ],
      },
    ];
  });
  return { ...graph, edges: [...graph.edges, ...across] };
}
