import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { css } from '../lib/colour.js';
import { usePalette } from '../lib/hooks.js';

/** Share of the running mean that stays at each step. */
const KEEP = 0.9;

/** The loss of a live run: each batch, their running mean, and what byte frequencies alone would reach. */
export function Curve({ losses, entropy, label }: { losses: readonly number[]; entropy: number; label: string }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const palette = usePalette();
  useEffect(() => {
    const box = place.current!;
    const ink = css(palette.axis);
    const line = css(palette.grid);
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line } };
    const show = (_: uPlot, value: number | null) => (value === null ? '–' : value.toFixed(2));
    const made = new uPlot(
      {
        width: box.clientWidth,
        height: 240,
        scales: { x: { time: false }, y: { range: { min: { pad: 0.1 }, max: { pad: 0.1 } } } },
        axes: [
          { ...axis, label: 'step', labelSize: 18, size: 30 },
          { ...axis, label: 'bits per byte', labelSize: 18, size: 36 },
        ],
        legend: { live: false },
        series: [
          { label: 'step' },
          {
            label: 'each batch',
            stroke: css(palette.positive),
            width: 1,
            alpha: 0.35,
            value: show,
            points: { show: false },
          },
          { label: 'running mean', stroke: css(palette.positive), width: 2, value: show, points: { show: false } },
          {
            label: 'byte frequencies alone',
            stroke: ink,
            width: 1,
            dash: [6, 5],
            value: show,
            points: { show: false },
          },
        ],
      },
      [[], [], [], []],
      box,
    );
    plot.current = made;
    const resize = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: 240 }));
    resize.observe(box);
    return () => {
      resize.disconnect();
      made.destroy();
    };
  }, [palette]);
  useEffect(() => {
    let sum = 0;
    let weight = 0;
    const mean = losses.map((loss) => {
      sum = KEEP * sum + (1 - KEEP) * loss;
      weight = KEEP * weight + (1 - KEEP);
      return sum / weight;
    });
    const steps = losses.map((_, i) => i + 1);
    plot.current!.setData([steps, [...losses], mean, losses.map(() => entropy)]);
  }, [losses, entropy, palette]);
  return <div ref={place} class="curve" role="img" aria-label={label} />;
}
