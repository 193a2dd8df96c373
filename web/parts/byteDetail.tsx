import { likeliest } from '../../src/cli/inspect/inspection.js';
import { hexOf, shortNumber, signOf } from '../../src/cli/inspect/signs.js';
import { channelNames } from '../../src/substrate/channels.js';
import { bitString, byteName } from '../lib/bytes.js';
import type { Snapshot } from '../lib/explorer.js';

/** The chosen byte in numbers: its bits, what it cost, what was expected in its place, its channels. */
export function ByteDetail({ snapshot, at }: { snapshot: Snapshot; at: number }) {
  const { ids, L, bits, logits, channels, channelCount, model } = snapshot;
  const byte = ids[at]!;
  const t = at - L;
  const names = channelNames(model.config.includeBits);
  const expected = t >= 0 ? likeliest(logits.subarray(t * 258, (t + 1) * 258), 5) : [];
  return (
    <div class="detail" aria-live="polite">
      <p class="headline">
        <span class="big">{signOf(byte)}</span>
        <span>
          byte {at + 1} of {ids.length},{' '}
          {byte > 255 ? (
            byteName(byte)
          ) : (
            <>
              hex {hexOf(byte)}, <code>{bitString(byte)}</code>
            </>
          )}
          <br />
          {t >= 0 ? (
            <>
              cost <b>{bits[t]!.toFixed(3)} bits</b>
            </>
          ) : (
            <>comes before: it goes into slot {Math.floor(at / model.config.K)}</>
          )}
        </span>
      </p>
      {expected.length > 0 && (
        <table class="expected">
          <caption>Likeliest in its place</caption>
          <tbody>
            {expected.map(({ id, probability: p }) => (
              <tr key={id} class={id === byte ? 'hit' : ''}>
                <th scope="row">{byteName(id)}</th>
                <td>{(100 * p).toFixed(1)} %</td>
                <td class="bar">
                  <span style={{ width: `${100 * p}%` }} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <details>
        <summary>Its {channelCount} channels</summary>
        <dl class="channels">
          {names.map((name, c) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{shortNumber(channels[at * channelCount + c]!)}</dd>
            </div>
          ))}
        </dl>
      </details>
    </div>
  );
}
