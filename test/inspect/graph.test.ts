import { beforeAll, expect, test } from 'vitest';
import { graphPage } from '../../src/cli/inspect/graphPage.js';
import { graphSvg } from '../../src/cli/inspect/graphSvg.js';
import { Plan } from '../../src/engine/plan.js';
import { Program } from '../../src/engine/program.js';
import { programGraph } from '../../src/inspect/graph.js';
import { type Trace, trace } from '../../src/inspect/trace.js';
import { recordForward, toFeeds } from '../../src/model/forward.js';
import { initialParameters } from '../../src/model/parameters.js';
import { randomBatch } from '../support/decoders.js';
import { testDevice } from '../support/device.js';

const CONFIG = { door: 'zero', dim: 56, layers: 1, heads: 2, K: 2 } as const;
let run: Trace;

beforeAll(async () => {
  const size = { B: 1, L: 4, T: 3 };
  const program = new Program();
  const pass = recordForward(program, CONFIG, size);
  program.backward(pass.loss);
  const plan = await Plan.compile(program, await testDevice(), {
    keep: 'all',
    parameters: initialParameters(CONFIG, 1),
  });
  for (const [tensor, data] of toFeeds(pass, randomBatch(size))) plan.write(tensor, data);
  run = await trace(plan);
  plan.free();
});

test('every op that ran is a node, placed apart from the others, after the nodes that it reads', () => {
  const { nodes, edges, width, height } = programGraph(run);
  const ran = run.entries.filter(({ dispatches }) => dispatches.length > 0);
  expect(nodes.map(({ entry }) => entry)).toEqual(ran.map(({ index }) => index));
  for (const [i, a] of nodes.entries()) {
    expect(a.x - a.width / 2).toBeGreaterThanOrEqual(0);
    expect(a.x + a.width / 2).toBeLessThanOrEqual(width + 1);
    expect(a.y + a.height / 2).toBeLessThanOrEqual(height + 1);
    for (const b of nodes.slice(0, i)) {
      expect(Math.abs(a.x - b.x) >= a.width || Math.abs(a.y - b.y) >= a.height, `${a.id} on ${b.id}`).toBe(true);
    }
  }
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const { from, to } of edges) {
    const [a, b] = [byId.get(from)!, byId.get(to)!];
    if (a.side === 'forward' && b.side === 'forward') expect(b.y).toBeGreaterThan(a.y); // down
    if (a.side === 'backward') expect(b.y).toBeLessThan(a.y); // up
  }
  expect(
    edges.some(({ from, to }) => byId.get(from)!.name === 'crossEntropy' && byId.get(to)!.side === 'backward'),
  ).toBe(true);
});

test('a gradient knows the op that it differentiates, and a chosen one is drawn with a line to it', () => {
  const graph = programGraph(run);
  const back = graph.nodes.find(({ name }) => name === 'attention.backwardQ')!;
  expect(graph.nodes.find(({ id }) => id === back.forward)!.name).toBe('attention.forward');
  expect(graphSvg(graph)).not.toContain('class="differentiates"');
  const svg = graphSvg(graph, back.entry);
  expect(svg.match(/class="differentiates"/g)).toHaveLength(1);
  expect(svg).toContain(`aria-label="attention.backwardQ in blocks.0, backward, [1, 2, 5, 28]`);
});

test('a folded block is one node each way, with its ops counted', () => {
  const { nodes } = programGraph(run, new Set(['blocks.0']));
  const folded = nodes.filter(({ entry }) => entry === undefined);
  expect(folded.map(({ name, side }) => `${name} ${side}`)).toEqual(['blocks.0 forward', 'blocks.0 backward']);
  const inside = run.entries.filter(({ scope, dispatches }) => scope.startsWith('blocks.0') && dispatches.length > 0);
  const counted = folded.reduce((sum, { detail }) => sum + Number(detail.replace(' ops', '')), 0);
  expect(counted).toBe(inside.length);
});

test('the page lists every op that the drawing links to', () => {
  const page = graphPage(programGraph(run), run, 'a device');
  const links = [...page.matchAll(/href="#(op-\d+)"/g)].map(([, id]) => id!);
  expect(links.length).toBeGreaterThan(30);
  for (const id of links) expect(page).toContain(`id="${id}"`);
  expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
});
