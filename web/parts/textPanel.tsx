import { signOf } from '../../src/cli/inspect/signs.js';
import { byteName } from '../lib/bytes.js';
import { cost, css, inkOn } from '../lib/colour.js';
import type { Snapshot, Text } from '../lib/explorer.js';
import { usePalette } from '../lib/hooks.js';

/** Bits at which the colour is full: what a byte costs when nothing is known. */
const MOST_BITS = 8;

/** Moves the chosen byte with the keys of a slider; undefined for other keys. */
export function moved(key: string, at: number, count: number): number | undefined {
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: count - 1, PageUp: at - 8, PageDown: at + 8 }[key];
  return to === undefined ? undefined : Math.max(0, Math.min(count - 1, to));
}

interface Props {
  readonly text: Text;
  readonly snapshot: Snapshot | undefined;
  readonly at: number;
  readonly onPick: (at: number) => void;
  readonly label?: string;
}

/** The text itself, a box per byte, coloured by what each predicted byte cost. */
export function ColouredText({ text, snapshot, at, onPick, label = 'Chosen byte' }: Props) {
  const palette = usePalette();
  const { ids, L } = text;
  const bitsOf = (i: number) => (snapshot?.ids.length === ids.length ? snapshot.bits[i - snapshot.L] : undefined);
  const said = (i: number) => {
    const bits = bitsOf(i);
    return `byte ${i + 1} of ${ids.length}: ${byteName(ids[i]!)}, ${i < L || bits === undefined ? 'comes before' : `${bits.toFixed(2)} bits`}`;
  };
  return (
    <div
      class="bytes"
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={1}
      aria-valuemax={ids.length}
      aria-valuenow={at + 1}
      aria-valuetext={said(at)}
      onKeyDown={(event) => {
        const to = moved(event.key, at, ids.length);
        if (to === undefined) return;
        event.preventDefault();
        onPick(to);
      }}
    >
      {Array.from(ids, (byte, i) => {
        const bits = i < L ? undefined : bitsOf(i);
        const ground = bits === undefined ? undefined : cost(palette, bits / MOST_BITS);
        const style = ground && { background: css(ground), color: inkOn(ground) };
        return (
          <span
            key={i}
            class={`byte${i < L ? ' before' : ''}${i === at ? ' chosen' : ''}`}
            style={style}
            title={said(i)}
            onPointerDown={() => onPick(i)}
          >
            {signOf(byte)}
          </span>
        );
      })}
    </div>
  );
}

/** The legend of the text's colours. */
export function BitsLegend() {
  const palette = usePalette();
  const stops = Array.from({ length: 9 }, (_, i) => css(cost(palette, i / 8))).join(', ');
  return (
    <p class="legend">
      <span>0 bits</span>
      <span class="ramp" style={{ background: `linear-gradient(to right, ${stops})` }} />
      <span>8 bits</span>
      <span class="soft">grey: comes before, not predicted</span>
    </p>
  );
}
