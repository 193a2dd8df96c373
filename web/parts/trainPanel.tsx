import { useEffect, useRef, useState } from 'preact/hooks';

import type { Device } from '../../src/device/device.js';
import { checkpointBytes } from '../lib/checkpointFile.js';

import { MOBY_DICK } from '../lib/defaultText.js';
import { Explorer, type Model, type Snapshot, type Text } from '../lib/explorer.js';
import { CONFIG, LiveTraining, WINDOW } from '../lib/liveTraining.js';
import { HeadMap } from './attentionPanel.js';
import { Curve } from './curve.js';

const DEFAULTS = { steps: 200, lr: 2e-3, seed: 0 };
const SAMPLE_BYTES = 96;
/** While it learns: how often a look at it is taken, and bytes of the sample then. */
const LOOK_EVERY = 20;
const GLANCE_BYTES = 40;
/** Numbers within what a browser tab trains in a sitting. */
const FIELDS = [
  { name: 'steps', label: 'steps', min: 1, max: 5000, step: 1 },
  { name: 'lr', label: 'highest learning rate', min: 1e-5, max: 0.05, step: 1e-5 },
  { name: 'seed', label: 'seed', min: 0, max: 9999, step: 1 },
] as const;

interface Props {
  readonly device: Device;
  /** what the attention is shown for while it learns */
  readonly text: Text;
  readonly onExplore: (model: Model) => void;
  /** the run whose parameters are looked at will be freed */
  readonly onGone: () => void;
}

/** The decoder of a live run as it is now, and as it changes. */
function liveModel(name: string, { trainer }: LiveTraining): Model {
  return { name, config: CONFIG, parameters: () => trainer.parameters(), shared: trainer.plan };
}

/** Train a tiny zero-door decoder on a pasted text, live. */
export function TrainPanel({ device, text: watched, onExplore, onGone }: Props) {
  const [text, setText] = useState(MOBY_DICK);
  const [settings, setSettings] = useState(DEFAULTS);
  const [losses, setLosses] = useState<readonly number[]>([]);
  const [state, setState] = useState<'new' | 'starting' | 'running' | 'writing' | 'stopped' | 'done'>('new');
  const [error, setError] = useState('');
  const [sample, setSample] = useState('');
  const [seen, setSeen] = useState<Snapshot | undefined>(undefined);
  const training = useRef<LiveTraining | undefined>(undefined);
  const eye = useRef<Explorer | undefined>(undefined);
  const stop = useRef(false);
  const free = () => {
    const run = training.current;
    training.current = undefined;
    // The plan whose parameters it shares must outlive it.
    void (eye.current?.free() ?? Promise.resolve()).then(() => run?.free());
    eye.current = undefined;
  };
  useEffect(() => free, []);

  /** @param most steps of this call */
  const go = async (most = Number.POSITIVE_INFINITY) => {
    stop.current = false;
    setError('');
    try {
      if (training.current === undefined) {
        setState('starting');
        setLosses([]);
        setSample('');
        training.current = await LiveTraining.create(device, text, settings);
        eye.current = new Explorer(device, liveModel('the live run', training.current));
      }
      setState('running');
      const run = training.current;
      Object.assign(globalThis, { byteToLossTraining: run }); // for the console
      for (let i = 0; i < most && !stop.current && run.trainer.step < settings.steps; i++) {
        await run.step();
        setLosses([...run.losses]);
        if (run.trainer.step % LOOK_EVERY === 0 || i + 1 === most) await see(run);
        // A frame between steps, so that the page answers.
        await new Promise(requestAnimationFrame);
      }
      await see(run);
      await write(run);
    } catch (problem) {
      setError((problem as Error).message);
      setState(training.current === undefined ? 'new' : 'stopped');
    }
  };
  /** A short sample and the attention of now. */
  const see = async (run: LiveTraining) => {
    if (watched.ids.length > 0) setSeen(await eye.current!.run(watched));
    const made: number[] = [];
    for await (const byte of run.sample(GLANCE_BYTES)) made.push(byte);
    setSample(new TextDecoder().decode(Uint8Array.from(made)));
  };
  const save = async () => {
    const checkpoint = await training.current!.checkpoint();
    const bytes = (await checkpointBytes(checkpoint)) as Uint8Array<ArrayBuffer>;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([bytes]));
    link.download = `step-${String(checkpoint.step).padStart(6, '0')}.safetensors`;
    link.click();
    URL.revokeObjectURL(link.href);
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
    free();
    setSeen(undefined);
    setLosses([]);
    setSample('');
    setState('new');
  };
  const explore = () => {
    const run = training.current!;
    onExplore(liveModel(`this page's decoder after ${run.trainer.step} steps`, run));
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
            Pause
          </button>
        ) : (
          <>
            <button type="button" onClick={() => void go()} disabled={state === 'done'}>
              {state === 'stopped' ? 'Continue' : 'Train'}
            </button>
            <button type="button" class="quiet" onClick={() => void go(1)} disabled={state === 'done'}>
              One step
            </button>
          </>
        )}
        {!busy && state !== 'new' && (
          <>
            <button type="button" class="quiet" onClick={() => void write(training.current!)}>
              Write again
            </button>
            <button type="button" class="quiet" onClick={explore}>
              Look into it above
            </button>
            <button type="button" class="quiet" onClick={() => void save()}>
              Save a checkpoint
            </button>
            <button type="button" class="quiet" onClick={reset}>
              Start over
            </button>
          </>
        )}
        <span class="soft" role="status" id="training-status">
          {state === 'new' &&
            `A tiny decoder: ${CONFIG.layers} blocks, ${CONFIG.dim} numbers wide, trained on windows of ${WINDOW.prefix} + ${WINDOW.stream} bytes.`}
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
          {seen !== undefined && (
            <figure class="live">
              <figcaption class="soft">
                Attention of every head on the text above, now at {seen.bitsPerByte.toFixed(2)} bits per byte
              </figcaption>
              <div class="heads">
                {seen.attention.map((map) => (
                  <HeadMap
                    key={`${map.layer}.${map.head}`}
                    map={map}
                    snapshot={seen}
                    size="clamp(56px, 15vw, 92px)"
                    label={`block ${map.layer}, head ${map.head}`}
                  />
                ))}
              </div>
            </figure>
          )}
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
