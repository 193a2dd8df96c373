import { useMemo, useState } from 'preact/hooks';
import { shortNumber } from '../../src/cli/inspect/signs.js';
import { formatShape, stridesOf } from '../../src/common/shape.js';
import type { Trace } from '../../src/inspect/trace.js';
import { diverging } from '../lib/colour.js';
import { usePalette } from '../lib/hooks.js';
import { Heatmap } from './heatmap.js';

/** Maximum cells of a picture. */
const MOST_CELLS = 2 ** 17;

/** The numbers of a tensor as a picture: a row for each of its vectors, a column for each place of its last axis. */
export function TensorPicture({ trace, tensor }: { trace: Trace; tensor: number }) {
  const palette = usePalette();
  const [read, setRead] = useState<number | undefined>(undefined);
  const { name, shape } = trace.tensors[tensor]!;
  const data = useMemo(() => trace.value(tensor).data, [trace, tensor]);
  const columns = shape.at(-1) ?? 1;
  const all = data.length / columns;
  const rows = Math.min(all, Math.max(1, Math.floor(MOST_CELLS / columns)));
  const most = useMemo(() => fullAt(data), [data]);
  const colour = useMemo(
    () => (row: number, column: number) => diverging(palette, data[row * columns + column]! / most),
    [palette, data, columns, most],
  );
  const place = read !== undefined && read < data.length ? placeOf(read, shape) : undefined;
  return (
    <figure class="tensor">
      <Heatmap
        rows={rows}
        columns={columns}
        colour={colour}
        label={`${name}, ${formatShape(shape)}`}
        width={`min(100%, ${Math.max(6, columns) * 5}px)`}
        height={`${Math.max(16, Math.min(320, rows * 8))}px`}
        onPick={(row, column) => setRead(row * columns + column)}
      />
      <figcaption class="soft">
        {name} {formatShape(shape)}
        {rows < all && `, the first ${rows} of ${all} rows`}
        {place === undefined
          ? '. Point at a number to read it.'
          : `: ${shortNumber(data[read!]!)} at [${place.join(', ')}]`}
      </figcaption>
    </figure>
  );
}

/** The magnitude with the full colour: all but the largest half percent are below it. */
export function fullAt(data: ArrayLike<number>): number {
  const sizes = Float64Array.from(data, Math.abs).filter(Number.isFinite).sort();
  return sizes[Math.floor(sizes.length * 0.995)] || sizes.at(-1) || 1;
}

/** A row-major index by axis: `placeOf(5, [2, 3]) // [1, 2]` */
function placeOf(index: number, shape: readonly number[]): number[] {
  return stridesOf(shape).map((stride, axis) => Math.floor(index / stride) % shape[axis]!);
}
