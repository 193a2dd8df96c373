import { useMemo, useState } from 'preact/hooks';
import { signOf } from '../../src/cli/inspect/signs.js';
import { visibleKeys } from '../../src/engine/ops/attention.js';
import { sequential } from '../lib/colour.js';
import type { AttentionMap, Snapshot } from '../lib/explorer.js';
import { usePalette } from '../lib/hooks.js';
import { Heatmap } from './heatmap.js';

/** The position of a byte of the text in the decoder: its slot, or the stream position that predicts it. */
function positionOf({ L, P, model }: Snapshot, at: number): number {
  return at < L ? Math.floor(at / model.config.K) : P + at - L;
}

/** A position of the decoder as text: the bytes of a slot, or the stream byte that was read there. */
function nameOf({ ids, L, P, model }: Snapshot, position: number): string {
  const { K } = model.config;
  if (position < P) {
    const slot = ids.subarray(position * K, Math.min(L, (position + 1) * K));
    return `slot ${position} “${Array.from(slot, signOf).join('')}”`;
  }
  return position === P ? 'the start of the stream' : `stream byte “${signOf(ids[L + position - P - 1]!)}”`;
}

interface Props {
  readonly snapshot: Snapshot;
  readonly at: number;
}

/** Attention of every layer and head, small; one of them large, with the row of the chosen byte framed. */
export function AttentionPanel({ snapshot, at }: Props) {
  const [chosen, setChosen] = useState(0);
  const [hovered, setHovered] = useState<[number, number] | undefined>(undefined);
  const { attention, S, P } = snapshot;
  const map = attention[Math.min(chosen, attention.length - 1)]!;
  const row = positionOf(snapshot, at);
  const most = useMemo(
    () =>
      Array.from(map.weights.subarray(row * S, (row + 1) * S), (weight, j) => [j, weight] as const)
        .sort((a, b) => b[1] - a[1])
        .slice(0, 4),
    [map, row, S],
  );
  return (
    <>
      <fieldset class="heads">
        <legend class="soft">block and head</legend>
        {attention.map((one, i) => (
          <button
            key={`${one.layer}.${one.head}`}
            type="button"
            aria-pressed={one === map}
            onClick={() => setChosen(i)}
            aria-label={`block ${one.layer}, head ${one.head}`}
          >
            <HeadMap map={one} snapshot={snapshot} size="clamp(56px, 15vw, 72px)" />
            <span>
              {one.layer}.{one.head}
            </span>
          </button>
        ))}
      </fieldset>
      <div class="one-head">
        <HeadMap
          map={map}
          snapshot={snapshot}
          size="min(100%, 30rem)"
          row={row}
          onPick={(i, j) => setHovered([i, j])}
          label={`Attention of block ${map.layer}, head ${map.head}: ${S} positions by ${S}`}
        />
        <div class="reading">
          <p>
            <b>
              Block {map.layer}, head {map.head}.
            </b>{' '}
            Each row is a position and shows where it takes from. The first {P} rows and columns are slots: every
            position sees all of them. Stream positions see themselves and what came before; the empty part is out of
            sight.
          </p>
          <p aria-live="polite">
            The framed row, where {row < P ? nameOf(snapshot, row) : `“${signOf(snapshot.ids[at]!)}” is predicted`},
            takes most from{' '}
            {most.map(([j, weight], i) => (
              <span key={j}>
                {i > 0 && ', '}
                {nameOf(snapshot, j)} <b>{(100 * weight).toFixed(0)} %</b>
              </span>
            ))}
            .
          </p>
          <p class="soft">
            {hovered === undefined
              ? 'Point at the map, or tap it, for single weights.'
              : weightSaid(snapshot, map, hovered[0], hovered[1])}
          </p>
        </div>
      </div>
    </>
  );
}

function weightSaid(snapshot: Snapshot, { weights }: AttentionMap, i: number, j: number): string {
  const { S, P } = snapshot;
  if (i >= S || j >= S) return '';
  if (j >= visibleKeys(i, P)) return `row ${i}, column ${j}: out of sight`;
  return `row ${i}, column ${j}: ${(100 * weights[i * S + j]!).toFixed(2)} % from ${nameOf(snapshot, j)}`;
}

interface MapProps {
  readonly map: AttentionMap;
  readonly snapshot: Snapshot;
  readonly size: string;
  readonly row?: number;
  readonly label?: string;
  readonly onPick?: (row: number, column: number) => void;
}

/** The attention of one head as a picture: a row per position, a column per position that it sees. */
export function HeadMap({ map, snapshot, size, row, label = '', onPick }: MapProps) {
  const palette = usePalette();
  const { S, P } = snapshot;
  const colour = useMemo(() => {
    const most = map.weights.reduce((a, b) => Math.max(a, b), 0);
    // The square root makes small weights visible next to large ones.
    return (i: number, j: number) =>
      j < visibleKeys(i, P) ? sequential(palette, Math.sqrt(map.weights[i * S + j]! / most)) : palette.nothing;
  }, [map, S, P, palette]);
  return (
    <Heatmap
      rows={S}
      columns={S}
      colour={colour}
      label={label}
      width={size}
      height="auto"
      row={row}
      {...(onPick && { onPick })}
    />
  );
}
