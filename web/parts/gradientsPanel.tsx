import { useMemo } from 'preact/hooks';
import type { Inspection } from '../../src/cli/inspect/inspection.js';
import { shortNumber } from '../../src/cli/inspect/signs.js';
import { byteName } from '../lib/bytes.js';
import { sequential } from '../lib/colour.js';
import { usePalette } from '../lib/hooks.js';
import { ChannelsPanel } from './channelsPanel.js';
import { Heatmap } from './heatmap.js';
import { Scroll } from './scroll.js';
import { fullAt } from './tensorPicture.js';

interface Props {
  readonly look: Inspection;
  readonly at: number;
  readonly onPick: (at: number) => void;
  /** an entry to open */
  readonly onOpen: (entry: number) => void;
}

/** The residual stream on the way forward, and where the gradient of the loss arrives on the way back. */
export function GradientsPanel({ look, at, onPick, onOpen }: Props) {
  const ids = useMemo(() => Uint32Array.of(...look.window.prefix, ...look.window.targets), [look]);
  const byByte = useMemo(() => gradientByByte(look, ids.length), [look, ids]);
  const colours = useMemo(() => byByte?.map((x) => Math.sign(x) * Math.sqrt(Math.abs(x))), [byByte]);
  const chosen = Math.min(at, ids.length - 1);
  return (
    <>
      <h3>Residual stream</h3>
      <p>
        The length of every position’s vector, from the door to the final norm: the sum of the blocks so far. After the
        last attention only the stream is used, so the slots end there.
      </p>
      <Residual look={look} onOpen={onOpen} />
      {byByte !== undefined && colours !== undefined && (
        <>
          <h3>Gradient at each byte</h3>
          <p>
            How a change of each channel of each byte would change the loss; colours grow with the square root. The last
            byte is predicted and never read, so nothing arrives there.
          </p>
          <ChannelsPanel
            ids={ids}
            channels={colours}
            channelCount={look.attribution!.columns}
            most={fullAt(colours)}
            name="gradients by channel"
            at={chosen}
            onPick={onPick}
          />
          <p aria-live="polite">{largestAt(look, byByte, chosen, ids[chosen]!)}</p>
        </>
      )}
      <h3>Gradient of each parameter</h3>
      <p>Its length, with bars on a logarithmic scale, and its ratio to the length of the parameter.</p>
      <Parameters look={look} onOpen={onOpen} />
    </>
  );
}

/** [ids, channels]; undefined for a door without channels. Rows of `attribution` are slots' bytes, then MASK and the stream but its last. */
function gradientByByte(
  { attribution, sizes: { L, P }, subject }: Inspection,
  count: number,
): Float32Array | undefined {
  if (attribution === undefined) return undefined;
  const { columns, data } = attribution;
  const rows = new Float32Array(count * columns);
  rows.set(data.subarray(0, L * columns));
  rows.set(data.subarray((P * subject.config.K + 1) * columns), L * columns);
  return rows;
}

/** The channels of one byte where most of the gradient arrives. */
function largestAt({ attribution, channels }: Inspection, byByte: Float32Array, at: number, id: number): string {
  const { columns } = attribution!;
  const own = Array.from(byByte.subarray(at * columns, (at + 1) * columns), (x, c) => [x, c] as const);
  const largest = own.sort(([a], [b]) => Math.abs(b) - Math.abs(a)).slice(0, 4);
  if (largest[0]![0] === 0) return `Nothing arrives at ${byteName(id)}.`;
  return `Most at ${byteName(id)}: ${largest.map(([x, c]) => `${channels!.names[c]} ${shortNumber(x)}`).join(', ')}.`;
}

function Residual({ look: { residual, sizes }, onOpen }: Pick<Props, 'look' | 'onOpen'>) {
  const palette = usePalette();
  const columns = sizes.P + sizes.T;
  const colour = useMemo(() => {
    const most = Math.max(...residual.flatMap(({ norms }) => norms));
    return (row: number, column: number) => {
      const { norms } = residual[row]!;
      const norm = norms[column - columns + norms.length];
      return norm === undefined ? palette.nothing : sequential(palette, norm / most);
    };
  }, [residual, columns, palette]);
  return (
    <Scroll label="Residual stream">
      <table class="residual">
        <thead>
          <tr>
            <th scope="col">where</th>
            <th scope="col">mean length</th>
            <th scope="col">largest</th>
            <th scope="col">
              by position, {sizes.P} slots and {sizes.T} of the stream
            </th>
          </tr>
        </thead>
        <tbody>
          {residual.map(({ entry, scope, norms }, row) => (
            <tr key={entry}>
              <th scope="row">
                <button type="button" class="link" onClick={() => onOpen(entry)}>
                  {scope === 'x0' ? 'door' : `before ${scope}`}
                </button>
              </th>
              <td>{shortNumber(norms.reduce((sum, norm) => sum + norm, 0) / norms.length)}</td>
              <td>{shortNumber(Math.max(...norms))}</td>
              <td>
                <Heatmap
                  rows={1}
                  columns={columns}
                  colour={(_, column) => colour(row, column)}
                  label=""
                  width="100%"
                  height="1rem"
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Parameters({ look: { gradients, trace, pass }, onOpen }: Pick<Props, 'look' | 'onOpen'>) {
  const logs = gradients.map(({ gradient }) => Math.log10(Math.max(gradient, 1e-12)));
  const [least, most] = [Math.min(...logs), Math.max(...logs)];
  return (
    <Scroll label="Gradient of each parameter" class="tall">
      <table class="expected gradients">
        <thead>
          <tr>
            {['parameter', 'gradient', '', 'gradient / parameter'].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {gradients.map(({ name, gradient, parameter }, i) => {
            const { writers } = trace.of(pass.program.gradientOf(pass.parameters.get(name)!)!);
            return (
              <tr key={name}>
                <th scope="row">
                  <button type="button" class="link" onClick={() => onOpen(writers[0]!)}>
                    {name}
                  </button>
                </th>
                <td>{shortNumber(gradient)}</td>
                <td class="bar">
                  <span style={{ width: `${2 + (98 * (logs[i]! - least)) / (most - least || 1)}%` }} />
                </td>
                <td>{parameter === 0 ? '–' : shortNumber(gradient / parameter)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}
