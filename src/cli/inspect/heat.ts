import { escapeHtml } from '../../report/html.js';
import type { Grid } from './inspection.js';

/** The display of a grid. */
export interface HeatOptions {
  /** the caption, also for a screen reader */
  readonly title: string;
  /** more of the caption, as HTML */
  readonly note?: string;
  /** numbers of both signs around 0, or only positive ones */
  readonly signed: boolean;
  /** keys of label lists in the page's data */
  readonly rows: string;
  readonly columns: string;
  /** lines before these rows and columns */
  readonly rowMarks?: readonly number[];
  readonly columnMarks?: readonly number[];
  /** height of a row in pixels; default 9 */
  readonly rowHeight?: number;
  /** as high as wide */
  readonly square?: boolean;
}

/** The data that the page's script draws: 16-bit numbers, `scale` times as large, base64. */
interface HeatData {
  readonly rows: number;
  readonly columns: number;
  /** rows and columns per cell */
  readonly pool: readonly [number, number];
  readonly scale: number;
  /** the magnitude with the full colour: all but the largest half percent are below it */
  readonly limit: number;
  readonly signed: boolean;
  readonly labels: readonly [string, string];
  readonly numbers: string;
}

/** The heatmaps of a page: their figures, and their numbers. */
export class Heats {
  readonly data: HeatData[] = [];

  /** @param cells of one heatmap at most; a larger grid shows the number of largest magnitude of each a × b cells */
  constructor(private readonly cells: number) {}

  /** A figure whose canvas the script draws. */
  figure(grid: Grid, options: HeatOptions): string {
    const { title, note = '', rows, columns, rowMarks = [], columnMarks = [], rowHeight = 9, square = false } = options;
    const { pooled, pool } = poolGrid(grid, this.cells);
    const magnitudes = Float64Array.from(pooled.data, Math.abs).filter(Number.isFinite).sort();
    const largest = magnitudes.at(-1) ?? 0;
    const scale = largest / 32767 || 1;
    // Numbers that are not finite are stored as -32768.
    const numbers = Int16Array.from(pooled.data, (x) => (Number.isFinite(x) ? Math.round(x / scale) : -32768));
    const index = this.data.length;
    this.data.push({
      rows: pooled.rows,
      columns: pooled.columns,
      pool,
      scale,
      limit: magnitudes[Math.floor(magnitudes.length * 0.995)] || largest || 1,
      signed: options.signed,
      labels: [rows, columns],
      numbers: Buffer.from(numbers.buffer).toString('base64'),
    });
    const pooling = pool[0] * pool[1] > 1 ? ` Each cell is the largest of ${pool[0]} × ${pool[1]}.` : '';
    const lines = [
      ...rowMarks.map((r) => `M0 ${r / pool[0]}H${pooled.columns}`),
      ...columnMarks.map((c) => `M${c / pool[1]} 0V${pooled.rows}`),
    ];
    const shape = square ? 'aspect-ratio:1' : `height:${Math.max(24, Math.min(560, pooled.rows * rowHeight))}px`;
    const label = escapeHtml(`${title}, ${grid.rows} × ${grid.columns}. Arrow keys move between cells.`);
    return (
      `<figure class="heat"><div class="map" style="${shape}">` +
      `<canvas data-heat="${index}" width="${pooled.columns}" height="${pooled.rows}" tabindex="0" role="img" aria-label="${label}"></canvas>` +
      `<svg viewBox="0 0 ${pooled.columns} ${pooled.rows}" preserveAspectRatio="none" aria-hidden="true"><path d="${lines.join('')}"/></svg>` +
      `<i class="at" hidden></i></div>` +
      `<figcaption><b>${escapeHtml(title)}</b> ${note}${pooling} <output aria-live="polite"></output></figcaption></figure>`
    );
  }
}

/** Shrink a grid until it has at most `most` cells: each keeps the number of largest magnitude that it represents. */
export function poolGrid(grid: Grid, most: number): { pooled: Grid; pool: [number, number] } {
  const pool: [number, number] = [1, 1];
  const size = () => [Math.ceil(grid.rows / pool[0]), Math.ceil(grid.columns / pool[1])] as const;
  while (size()[0] * size()[1] > most) pool[size()[0] >= size()[1] ? 0 : 1]++;
  const [rows, columns] = size();
  const data = new Float64Array(rows * columns);
  for (let r = 0; r < grid.rows; r++) {
    for (let c = 0; c < grid.columns; c++) {
      const at = Math.floor(r / pool[0]) * columns + Math.floor(c / pool[1]);
      const value = grid.data[r * grid.columns + c]!;
      // a NaN stays visible
      if (!Number.isNaN(data[at]!) && !(Math.abs(value) <= Math.abs(data[at]!))) data[at] = value;
    }
  }
  return { pooled: { rows, columns, data }, pool };
}

/** Rows become columns. */
export function transposeGrid({ rows, columns, data }: Grid): Grid {
  const turned = Float64Array.from(
    { length: rows * columns },
    (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!,
  );
  return { rows: columns, columns: rows, data: turned };
}
