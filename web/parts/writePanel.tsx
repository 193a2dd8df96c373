import { useEffect, useRef, useState } from 'preact/hooks';
import { likeliest } from '../../src/cli/inspect/inspection.js';
import { sample } from '../../src/model/generate.js';
import { EOS } from '../../src/substrate/channels.js';
import { byteName } from '../lib/bytes.js';
import type { Explorer, Snapshot } from '../lib/explorer.js';

/** How many bytes the longer button writes. */
const MANY = 32;

interface Props {
  readonly snapshot: Snapshot;
  readonly explorer: Explorer;
  /** the longest text */
  readonly most: number;
  readonly onText: (bytes: Uint8Array) => void;
}

/** The likeliest next bytes, and writing on, a byte at a time. */
export function WritePanel({ snapshot, explorer, most, onText }: Props) {
  const [temperature, setTemperature] = useState(0.7);
  const [isWriting, setWriting] = useState(false);
  const stop = useRef(false);
  const latest = useRef(onText);
  latest.current = onText;
  useEffect(
    () => () => {
      stop.current = true;
    },
    [explorer],
  );
  const { ids, L } = snapshot;
  const isFull = ids.length >= most;

  const write = async (count: number) => {
    stop.current = false;
    setWriting(true);
    let now = snapshot;
    for (let i = 0; i < count && now.ids.length < most && !stop.current; i++) {
      const id = sample(rowAfter(now), temperature, 40, Math.random());
      if (id >= EOS - 1) break; // the text ends here, or MASK, which is not a byte
      const longer = Uint32Array.of(...now.ids, id);
      latest.current(Uint8Array.from(longer));
      if (i + 1 < count) now = await explorer.run({ ids: longer, L });
    }
    setWriting(false);
  };
  // The distribution of sampling: temperature divides the logits.
  const logits = rowAfter(snapshot).map((logit) => logit / Math.max(temperature, 0.05));
  return (
    <div class="write">
      <table class="expected">
        <caption>Likeliest next byte, at this temperature</caption>
        <tbody>
          {likeliest(logits, 8).map(({ id, probability: p }) => (
            <tr key={id}>
              <th scope="row">{byteName(id)}</th>
              <td>{(100 * p).toFixed(1)} %</td>
              <td class="bar">
                <span style={{ width: `${100 * p}%` }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <label class="split">
        <span>temperature {temperature.toFixed(2)}: low takes the likeliest, high is bold</span>
        <input
          type="range"
          min={0}
          max={1.5}
          step={0.05}
          value={temperature}
          onInput={({ currentTarget }) => setTemperature(currentTarget.valueAsNumber)}
        />
      </label>
      <p class="actions">
        <button type="button" disabled={isWriting || isFull} onClick={() => void write(1)}>
          Write a byte
        </button>
        {isWriting ? (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              stop.current = true;
            }}
          >
            Stop writing
          </button>
        ) : (
          <button type="button" class="quiet" disabled={isFull} onClick={() => void write(MANY)}>
            Write {MANY}
          </button>
        )}
        {isFull && <span class="soft">The text has {most} bytes, the most that the decoder was trained with.</span>}
      </p>
    </div>
  );
}

/** Logits of the byte after the text. */
function rowAfter({ logits, ids, L }: Snapshot): Float32Array {
  return logits.subarray((ids.length - L) * 258);
}
