import { useEffect, useRef, useState } from 'preact/hooks';
import { shortNumber } from '../../src/cli/inspect/signs.js';
import { pathTo, READ, type Touch } from '../../src/wgsl/index.js';
import { css, diverging, type Rgb, sequential } from '../lib/colour.js';
import { usePalette } from '../lib/hooks.js';
import { type MemoryGrid, numberAt } from '../lib/stepping.js';

interface Props {
  readonly grid: MemoryGrid;
  /** READ and WRITTEN for each word that the last move touched */
  readonly touched: Uint8Array | undefined;
  /** accesses of the chosen lane in the last step */
  readonly own: readonly Touch[];
  /** changes whenever the numbers may have */
  readonly moment: number;
}

const NAN = 0x7fc00000;

/** One memory as a heat map, with the words that the last move read and wrote marked. */
export function MemoryView({ grid, touched, own, moment }: Props) {
  const picture = useRef<HTMLCanvasElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  const palette = usePalette();
  const [hovered, setHovered] = useState<number | undefined>(undefined);
  const { variable, memory, columns, rows, shape } = grid;
  const height = Math.max(14, Math.min(200, rows * Math.max(2, Math.min(12, 320 / columns))));

  // Numbers change in place; `moment` says when.
  useEffect(() => {
    const context = picture.current!.getContext('2d')!;
    const image = context.createImageData(columns, rows);
    const numbers = Float64Array.from({ length: memory.words }, (_, word) => numberAt(grid, word));
    const most = numbers.reduce((a, b) => (Number.isFinite(b) ? Math.max(a, Math.abs(b)) : a), 0) || 1;
    const isSigned = numbers.some((value) => value < 0);
    for (let i = 0; i < columns * rows; i++) {
      const value = numbers[i] ?? Number.NaN;
      const colour: Rgb = Number.isNaN(value)
        ? palette.nothing
        : isSigned
          ? diverging(palette, value / most)
          : sequential(palette, value / most);
      image.data.set([...colour, 255], i * 4);
    }
    context.putImageData(image, 0, 0);
  }, [grid, memory, palette, moment]);

  useEffect(() => {
    const canvas = marks.current!;
    const ratio = devicePixelRatio;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const context = canvas.getContext('2d')!;
    const [w, h] = [canvas.width / columns, canvas.height / rows];
    const box = (word: number, least: number) => {
      const [width, tall] = [Math.max(w, least), Math.max(h, least)];
      const x = ((word % columns) + 0.5) * w - width / 2;
      const y = (Math.floor(word / columns) + 0.5) * h - tall / 2;
      return [x, y, width, tall] as const;
    };
    touched?.forEach((flags, word) => {
      if (flags === 0) return;
      context.fillStyle = css(flags === READ ? palette.read : palette.written);
      context.globalAlpha = 0.8;
      context.fillRect(...box(word, 2.5 * ratio));
    });
    context.globalAlpha = 1;
    context.strokeStyle = css(palette.ink);
    context.lineWidth = 1.5 * ratio;
    for (const { word } of own) context.strokeRect(...box(word, 7 * ratio));
  }, [grid, touched, own, palette, moment]);

  const at = (event: PointerEvent) => {
    const { left, top, width, height } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const column = Math.min(columns - 1, Math.floor(((event.clientX - left) / width) * columns));
    const row = Math.min(rows - 1, Math.floor(((event.clientY - top) / height) * rows));
    const word = row * columns + column;
    setHovered(word >= 0 && word < memory.words ? word : undefined);
  };
  const count = touched?.reduce((sum, flags) => sum + Number(flags > 0), 0) ?? 0;
  const isUnwritten = hovered !== undefined && memory.u32[hovered] === NAN;
  return (
    <figure class="memory">
      <figcaption>
        <b>{variable.name}</b>{' '}
        <span class="soft">
          {shape === undefined ? `${memory.words} words` : `[${shape.join(', ')}]`}
          {variable.space === 'workgroup' && ', workgroup memory'}
          {hovered === undefined
            ? count > 0 && `, ${count} touched`
            : `, ${variable.name}${pathTo(variable.type, hovered)} = ${isUnwritten ? 'not written' : shortNumber(numberAt(grid, hovered))}`}
        </span>
      </figcaption>
      <div
        class="heat"
        style={{ height: `${height}px`, width: `min(100%, ${Math.max(48, columns * 14)}px)` }}
        onPointerMove={at}
        onPointerDown={at}
        onPointerLeave={() => setHovered(undefined)}
      >
        <canvas
          ref={picture}
          width={columns}
          height={rows}
          role="img"
          aria-label={`${variable.name}: ${memory.words} words, ${count} of them touched by the last move`}
        />
        <div class="marks" aria-hidden="true">
          <canvas ref={marks} />
        </div>
      </div>
    </figure>
  );
}
