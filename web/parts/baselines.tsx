import { useEffect, useState } from 'preact/hooks';
import { type Baseline, baselinesOf, HELD_OUT } from '../lib/baselines.js';
import type { Snapshot } from '../lib/explorer.js';
import { OPENED } from '../lib/models.js';

/**
 * The loss of each decoder compared with baselines without one: on this text, and for the decoder of the package on the held-out part of
 * Moby-Dick.
 */
export function Baselines({ snapshots }: { snapshots: readonly Snapshot[] }) {
  const [known, setKnown] = useState<readonly Baseline[]>([]);
  const { ids, L } = snapshots[0]!;
  useEffect(() => {
    let current = true;
    void baselinesOf(ids, L).then((found) => current && setKnown(found));
    return () => {
      current = false;
    };
  }, [ids, L]);
  const models = snapshots.map(({ model, bitsPerByte }) => ({ name: model.name, bits: bitsPerByte, isModel: true }));
  return (
    <div class="baselines">
      <Bars title="This text, in bits per byte" rows={[...known, ...models]} />
      {OPENED?.kind === 'package' && <Bars title="The last tenth of Moby-Dick, held out in training" rows={HELD_OUT} />}
    </div>
  );
}

function Bars({ title, rows }: { title: string; rows: readonly Baseline[] }) {
  const most = Math.max(8.1, ...rows.map(({ bits }) => bits));
  return (
    <table class="expected">
      <caption>{title}</caption>
      <tbody>
        {[...rows]
          .sort((a, b) => b.bits - a.bits)
          .map(({ name, bits, isModel = false }) => (
            <tr key={name} class={isModel ? 'hit' : ''}>
              <th scope="row">{name}</th>
              <td>{bits.toFixed(2)}</td>
              <td class={`bar${isModel ? '' : ' quiet'}`}>
                <span style={{ width: `${(100 * bits) / most}%` }} />
              </td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}
