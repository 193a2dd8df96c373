import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { GRAPH_STYLE, graphSvg } from '../../src/cli/inspect/graphSvg.js';
import { programGraph } from '../../src/inspect/graph.js';
import type { Trace } from '../../src/inspect/trace.js';
import { Scroll } from './scroll.js';

interface Props {
  readonly trace: Trace;
  readonly chosen: number;
  readonly onOpen: (index: number) => void;
}

/** The pass as a graph. Blocks are folded at first; a click on one unfolds it, a click on an op opens it. */
export function GraphPanel({ trace, chosen, onOpen }: Props) {
  const blocks = useMemo(
    () => [...new Set(trace.entries.flatMap(({ scope }) => /^blocks\.\d+/.exec(scope)?.[0] ?? []))],
    [trace],
  );
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set(blocks));
  useEffect(() => setFolded(new Set(blocks)), [blocks]);
  const drawing = useRef<HTMLDivElement>(null);
  const graph = useMemo(() => programGraph(trace, folded), [trace, folded]);
  const svg = useMemo(() => graphSvg(graph, chosen), [graph, chosen]);
  const latest = useRef(onOpen);
  latest.current = onOpen;
  useEffect(() => {
    const box = drawing.current!;
    const focused = box.contains(document.activeElement) ? document.activeElement!.getAttribute('aria-label') : null;
    box.innerHTML = svg; // drawn by graphSvg, which escapes every name
    // A keyboard user stays on the node.
    if (focused !== null) box.querySelector<SVGElement>(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }, [svg]);
  useEffect(() => {
    const box = drawing.current!;
    const activate = (event: MouseEvent) => {
      const link = (event.target as Element).closest('a');
      if (link === null) return;
      event.preventDefault();
      const { block, entry } = link.dataset;
      if (block !== undefined) setFolded((now) => new Set([...now].filter((one) => one !== block)));
      if (entry !== undefined) latest.current(Number(entry));
    };
    box.addEventListener('click', activate);
    return () => box.removeEventListener('click', activate);
  }, []);
  return (
    <>
      <p class="actions">
        <button
          type="button"
          class="quiet small"
          onClick={() => setFolded(new Set(blocks))}
          disabled={folded.size === blocks.length}
        >
          Fold the blocks
        </button>
        <button type="button" class="quiet small" onClick={() => setFolded(new Set())} disabled={folded.size === 0}>
          Unfold the blocks
        </button>
        <span class="soft">
          A click opens a block or an op. A dotted line leads from a gradient to the op that it differentiates.
        </span>
      </p>
      <style>{GRAPH_STYLE}</style>
      <Scroll label="Graph of the program" class="drawing">
        <div id="graph" ref={drawing} />
      </Scroll>
    </>
  );
}
