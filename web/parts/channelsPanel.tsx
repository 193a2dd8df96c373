import { useCallback } from 'preact/hooks';
import { signOf } from '../../src/cli/inspect/signs.js';
import { channelNames } from '../../src/substrate/channels.js';
import { diverging } from '../lib/colour.js';
import { usePalette } from '../lib/hooks.js';
import { Heatmap } from './heatmap.js';
import { Scroll } from './scroll.js';

const ROW = 11;
const COLUMN = 15;

/**
 * Columns that belong together, what they are called here, and the largest magnitude in them, which gets the full
 * colour.
 */
const GROUPS: readonly { pattern: RegExp; name: string; most: number }[] = [
  { pattern: /^bit/, name: 'bits', most: 1 },
  { pattern: /^dxor/, name: 'dxor', most: 1 },
  { pattern: /^d2xor/, name: 'd2xor', most: 1 },
  { pattern: /^boundary/, name: 'boundary', most: 1.5 },
  { pattern: /^fft_re/, name: 'Fourier, real', most: 4 },
  { pattern: /^fft_im/, name: 'Fourier, imag.', most: 3 },
  { pattern: /^phase/, name: 'phase', most: 1 },
];

interface Props {
  readonly ids: Uint32Array;
  /** [ids, channelCount] */
  readonly channels: Float32Array;
  readonly channelCount: number;
  /** the magnitude with the full colour; default that of each group of channels */
  readonly most?: number;
  /** what the numbers are; default channels */
  readonly name?: string;
  readonly at: number;
  readonly onPick: (at: number) => void;
}

/** The channels of every byte as a heatmap: a column per byte, a row per channel. */
export function ChannelsPanel({ ids, channels, channelCount, most, name = 'channels', at, onPick }: Props) {
  const palette = usePalette();
  const names = channelNames(channelCount > 27);
  const groups = GROUPS.map((group) => ({ ...group, rows: names.filter((name) => group.pattern.test(name)).length }));
  // rows at which a group ends
  const lines = groups.map((_, i) => groups.slice(0, i + 1).reduce((sum, { rows }) => sum + rows, 0)).slice(0, -1);
  const colour = useCallback(
    (row: number, column: number) => {
      const full = most ?? GROUPS.find(({ pattern }) => pattern.test(names[row]!))!.most;
      return diverging(palette, channels[column * channelCount + row]! / full);
    },
    [channels, channelCount, most, palette],
  );
  return (
    <div class="channel-map">
      <div class="row-names" aria-hidden="true">
        {groups
          .filter(({ rows }) => rows > 0)
          .map(({ name, rows }) => (
            <span key={name} style={{ height: `${rows * ROW}px` }}>
              {name}
            </span>
          ))}
      </div>
      <Scroll label={`The ${name} of every byte`}>
        <div class="column-names" aria-hidden="true" style={{ width: `${ids.length * COLUMN}px` }}>
          {Array.from(ids, (byte, i) => (
            <span key={i} class={i === at ? 'chosen' : ''}>
              {signOf(byte)}
            </span>
          ))}
        </div>
        <Heatmap
          rows={names.length}
          columns={ids.length}
          colour={colour}
          width={`${ids.length * COLUMN}px`}
          height={`${names.length * ROW}px`}
          column={at}
          lines={lines}
          onPick={(_, column) => onPick(column)}
          label={`${names.length} ${name} of ${ids.length} bytes`}
        />
      </Scroll>
    </div>
  );
}
