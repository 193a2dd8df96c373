import { useEffect, useRef } from 'preact/hooks';
import type { Rgb } from '../lib/colour.js';

/** The content and the size of a heatmap. */
export interface HeatmapProps {
  readonly rows: number;
  readonly columns: number;
  readonly colour: (row: number, column: number) => Rgb;
  /** what a screen reader says in its place; nothing where it is empty */
  readonly label: string;
  readonly width: string;
  readonly height: string;
  /** a row and a column to frame */
  readonly row?: number | undefined;
  readonly column?: number | undefined;
  /** rows to draw a line above */
  readonly lines?: readonly number[];
  readonly onPick?: (row: number, column: number) => void;
}

/** A grid of numbers as a picture: a pixel per cell, scaled up without blur. */
export function Heatmap({
  rows,
  columns,
  colour,
  label,
  width,
  height,
  row,
  column,
  lines = [],
  onPick,
}: HeatmapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current!.getContext('2d')!;
    const image = context.createImageData(columns, rows);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) image.data.set([...colour(r, c), 255], (r * columns + c) * 4);
    }
    context.putImageData(image, 0, 0);
  }, [rows, columns, colour]);
  const pick = (event: PointerEvent) => {
    if (onPick === undefined || (event.type === 'pointermove' && event.pointerType === 'touch')) return;
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const at = (position: number, size: number, count: number) =>
      Math.max(0, Math.min(count - 1, Math.floor((position / size) * count)));
    onPick(at(event.clientY - box.top, box.height, rows), at(event.clientX - box.left, box.width, columns));
  };
  return (
    <div class="heat" style={{ width, height }} onPointerDown={pick} onPointerMove={pick}>
      <canvas
        ref={canvas}
        width={columns}
        height={rows}
        {...(label === '' ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label })}
      />
      {lines.map((above) => (
        <span key={above} class="rule" style={{ top: `${(100 * above) / rows}%` }} />
      ))}
      {column !== undefined && (
        <span
          class="frame"
          style={{ left: `${(100 * column) / columns}%`, width: `${100 / columns}%`, top: 0, bottom: 0 }}
        />
      )}
      {row !== undefined && (
        <span class="frame" style={{ top: `${(100 * row) / rows}%`, height: `${100 / rows}%`, left: 0, right: 0 }} />
      )}
    </div>
  );
}
