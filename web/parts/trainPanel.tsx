import { useEffect, useRef, useState } from 'preact/hooks';
import type { Device } from '../../src/device/device.js';
import { MOBY_DICK } from '../lib/defaultText.js';
import type { Model } from '../lib/explorer.js';
import { CONFIG, LiveTraining, WINDOW } from '../lib/liveTraining.js';
import { Curve } from './curve.js';

const DEFAULTS = { steps: 300, lr: 2e-3, seed: 0 };
const SAMPLE_BYTES = 96;
/** Numbers within what a browser tab trains in a sitting. */
const FIELDS = [
  { name: 'steps', label: 'steps', min: 1, max: 5000, step: 1 },
  { name: 'lr', label: 'highest learning rate', min: 1e-5, max: 0.05, step: 1e-5 },
  { name: 'seed', label: 'seed', min: 0, max: 9999, step: 1 },
] as const;

interface Props {
  readonly device: Device;
  readonly onExplore: (model: Model) => void;
  /** the run whose parameters are looked at will be freed */
  readonly onGone: () => void;
}

/** Train a tiny zero-door decoder on a pasted text, live. */
export function TrainPanel({ device, onExplore, onGone }: Props) {
  const [text, setText] = useState(MOBY_DICK);
  const [settings, setSettings] = useState(DEFAULTS);
  const [losses, setLosses] = useState<readonly number[]>([]);
  const [state, setState] = useState<'new' | 'starting' | 'running' | 'writing' | 'stopped' | 'done'>('new');
  const [error, setError] = useState('');
  const [sample, setSample] = useState('');
  const training = useRef<LiveTraining | undefined>(undefined);
  const stop = useRef(false);
  useEffect(() => () => training.current?.free(), []);

  const go = async () => {
    stop.current = false;
    setError('');
    try {
      if (training.current === undefined) {
        setState('starting');
        setLosses([]);
        setSample('');
        training.current = await LiveTraining.create(device, text, settings);
      }
      setState('running');
      const run = training.current;
      Object.assign(globalThis, { byteToLossTraining: run }); // for the console
      while (!stop.current && run.trainer.step < settings.steps) {
        await run.step();
        setLosses([...run.losses]);
        // A frame between steps, so that the page answers.
        await new Promise(requestAnimationFrame);
      }
      await write(run);
    } catch (problem) {
      setError((problem as Error).message);
      setState(training.current === undefined ? 'new' : 'stopped');
    }
  };
  const write = async (run: LiveTraining) => {
    setState('writing');
    const made: number[] = [];
    for await (const byte of run.sample(SAMPLE_BYTES)) {
      made.push(byte);
      setSample(new TextDecoder().decode(Uint8Array.from(made)));
    }
    setState(run.trainer.step >= settings.steps ? 'done' : 'stopped');
  };
  const reset = () => {
    onGone();
    training.current?.free();
    training.current = undefined;
    setLosses([]);
    setSample('');
    setState('new');
  };
  const explore = () => {
    const run = training.current!;
    onExplore({
      name: `this page's decoder after ${run.trainer.step} steps`,
      config: CONFIG,
      from: { shared: run.trainer.plan },
    });
  };

  const busy = state === 'starting' || state === 'running' || state === 'writing';
  const run = training.current;
  const last = losses.slice(-20);
  const mean = last.reduce((sum, loss) => sum + loss, 0) / last.length;
  return (
    <div class="train">
      <label class="wide">
        <span>Text to learn</span>
        <textarea
          rows={5}
          value={text}
          disabled={state !== 'new'}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <div class="fields">
        {FIELDS.map(({ name, label, ...limits }) => (
          <label key={name}>
            <span>{label}</span>
            <input
              type="number"
              value={settings[name]}
              {...limits}
              disabled={state !== 'new'}
              onInput={({ currentTarget: { valueAsNumber: value } }) =>
                Number.isFinite(value) &&
                setSettings({ ...settings, [name]: Math.min(limits.max, Math.max(limits.min, value)) })
              }
            />
          </label>
        ))}
      </div>
      <p class="actions">
        {busy ? (
          <button
            type="button"
            onClick={() => {
              stop.current = true;
            }}
            disabled={state !== 'running'}
          >
            Stop
          </button>
        ) : (
          <button type="button" onClick={go} disabled={state === 'done'}>
            {state === 'stopped' ? 'Continue' : 'Train'}
          </button>
        )}
        {!busy && state !== 'new' && (
          <>
            <button type="button" class="quiet" onClick={() => void write(training.current!)}>
              Write again
            </button>
            <button type="button" class="quiet" onClick={explore}>
              Look into it above
            </button>
            <button type="button" class="quiet" onClick={reset}>
              Start over
            </button>
          </>
        )}
        <span class="soft" role="status" id="training-status">
          {state === 'new' &&
            `A tiny decoder: ${CONFIG.layers} layers, dim ${CONFIG.dim}, windows of ${WINDOW.prefix} + ${WINDOW.stream} bytes, nothing to learn at the door.`}
          {state === 'starting' && 'Compiling kernels…'}
          {losses.length > 0 && `step ${losses.length} of ${settings.steps}, ${mean.toFixed(3)} bits per byte`}
        </span>
      </p>
      {error !== '' && <p role="alert">{error}</p>}
      {run !== undefined && losses.length > 0 && (
        <>
          <Curve
            losses={losses}
            entropy={run.entropy}
            label={`Bits per byte by step, now ${mean.toFixed(2)}; byte frequencies alone would reach ${run.entropy.toFixed(2)}`}
          />
          {sample !== '' && (
            <figure class="sample">
              <figcaption class="soft">After “{new TextDecoder().decode(run.prompt)}” it writes</figcaption>
              <pre>{sample}</pre>
            </figure>
          )}
        </>
      )}
    </div>
  );
}
