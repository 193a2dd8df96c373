import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Device } from '../src/device/device.js';
import { SIZES } from '../src/model/config.js';
import { initialParameters } from '../src/model/parameters.js';
import { embed } from '../src/substrate/embed.js';
import { readCheckpointFile } from './lib/checkpointFile.js';
import { FIRST_TEXT } from './lib/defaultText.js';
import { openBrowserDevice } from './lib/device.js';
import type { Model, Snapshot, Text } from './lib/explorer.js';
import { scrollBehaviour } from './lib/hooks.js';
import { useDrop, useLook, useSnapshot, useStepping } from './lib/state.js';
import { AttentionPanel } from './parts/attentionPanel.js';
import { ByteDetail } from './parts/byteDetail.js';
import { ChannelsPanel } from './parts/channelsPanel.js';
import { KernelStepper } from './parts/kernelStepper.js';
import { OpsPanel } from './parts/opsPanel.js';
import { BitsLegend, ColouredText } from './parts/textPanel.js';
import { TrainPanel } from './parts/trainPanel.js';

/** The longest text that is looked at: a trained window of 128 + 128. */
const MOST_BYTES = 256;
const CONFIG = { door: 'zero', ...SIZES.tiny } as const;

/** A decoder that has learned nothing yet. */
function freshModel(): Model {
  return {
    name: 'a fresh tiny decoder, seed 0, untrained',
    fresh: true,
    config: CONFIG,
    from: { parameters: initialParameters(CONFIG, 0) },
  };
}

/** The whole page. */
export function App() {
  const [device, setDevice] = useState<Device | undefined>(undefined);
  const [missing, setMissing] = useState('');
  const [without, setWithout] = useState('');
  const [model, setModel] = useState(freshModel);
  const [written, setWritten] = useState(FIRST_TEXT);
  const [before, setBefore] = useState(32);
  const [at, setAt] = useState(40);
  const [problem, setProblem] = useState('');

  useEffect(() => {
    openBrowserDevice().then(
      ({ device: opened, withoutWebGpu = '' }) => {
        setDevice(opened);
        setWithout(withoutWebGpu);
        void opened.lost.then((error) => setMissing(`${error.message}; reload the page.`));
      },
      (error: Error) => setMissing(error.message),
    );
  }, []);

  const all = useMemo(() => new TextEncoder().encode(written), [written]);
  const text: Text = useMemo(() => {
    const bytes = all.slice(0, MOST_BYTES);
    return { bytes, L: Math.min(before, Math.max(0, bytes.length - 1)) };
  }, [all, before]);
  const chosen = Math.min(at, text.bytes.length - 1);
  const { snapshot, explorer, error } = useSnapshot(device, model, text);
  const { look, progress, opened, lookAt, choose, open } = useLook(explorer, snapshot, setProblem);

  const { stepping, step, isCapturing, problem: stepProblem, close } = useStepping(explorer, look, snapshot);

  const load = async (file: File) => {
    setProblem('');
    try {
      const { config, parameters, step } = await readCheckpointFile(file);
      setModel({ name: `${file.name}, after ${step} steps`, config, from: { parameters } });
    } catch (reason) {
      setProblem((reason as Error).message);
    }
  };
  const over = useDrop(load);

  return (
    <div class={over ? 'over' : ''}>
      <header>
        <p class="soft">byte to loss</p>
        <h1>Follow a byte to its loss</h1>
        <p class="lead">
          A small decoder reads bytes, nothing else, and says how surprised it is by each. It runs here, in this
          browser, with the same hand-written kernels as on the command line, and every number on the way can be opened.
        </p>
        <p class="facts" id="device" data-device={device?.driver}>
          {device !== undefined ? (
            <>
              <span class="dot" /> running on {device.name}
              {device.driver === 'wasm' && ': the same kernels, compiled to WebAssembly by this page'}
              {device.kind === 'cpu' && device.driver !== 'wasm' && ', a software driver, which is slow'}
            </>
          ) : missing === '' ? (
            'looking for a device…'
          ) : (
            ''
          )}
        </p>
        {without !== '' && (
          <p class="facts" id="without-webgpu">
            {without}
          </p>
        )}
        {missing !== '' && (
          <p role="alert" id="no-device">
            <b>No device to run on.</b> {missing} The channels below need none and are computed without it.
          </p>
        )}
      </header>
      <main>
        <section aria-labelledby="text-title">
          <h2 id="text-title">The text, and what each byte costs</h2>
          <label class="wide">
            <span>Write something</span>
            <textarea
              rows={2}
              value={written}
              spellcheck={false}
              onInput={(event) => setWritten(event.currentTarget.value)}
            />
          </label>
          {all.length > MOST_BYTES && (
            <p role="status">
              Only the first {MOST_BYTES} of {all.length} bytes are looked at.
            </p>
          )}
          {text.bytes.length === 0 ? (
            <p role="status">There is no byte yet: write at least one.</p>
          ) : (
            <>
              <label class="split">
                <span>
                  {text.L} bytes come before, {text.bytes.length - text.L} are predicted
                </span>
                <input
                  type="range"
                  min={0}
                  max={text.bytes.length - 1}
                  value={text.L}
                  onInput={(event) => setBefore(event.currentTarget.valueAsNumber)}
                />
              </label>
              {missing === '' && (
                <p class="facts">
                  <output id="bits-per-byte" data-value={snapshot?.bitsPerByte}>
                    {snapshot === undefined ? '…' : snapshot.bitsPerByte.toFixed(3)}
                  </output>{' '}
                  bits per byte, by {model.name} {model.fresh && <a href="#train-title">(train one below)</a>}
                </p>
              )}
              <div class="two">
                <div>
                  <ColouredText text={text} snapshot={snapshot} at={chosen} onPick={setAt} />
                  {missing === '' && <BitsLegend />}
                  <Made by="crossEntropy" onOpen={snapshot && open} />
                </div>
                {snapshot !== undefined && (
                  <ByteDetail snapshot={snapshot} at={Math.min(chosen, snapshot.bytes.length - 1)} />
                )}
              </div>
              {error !== '' && <p role="alert">{error}</p>}
            </>
          )}
          {missing === '' && (
            <p class="drop">
              <label class="button quiet">
                Load a checkpoint
                <input
                  type="file"
                  accept=".safetensors"
                  onChange={({ currentTarget }) => {
                    const file = currentTarget.files?.[0];
                    if (file) void load(file);
                    currentTarget.value = '';
                  }}
                />
              </label>
              <span class="soft">or drop a .safetensors file of a run anywhere on this page</span>
            </p>
          )}
          {problem !== '' && (
            <p role="alert" id="problem">
              {problem}
            </p>
          )}
        </section>

        {text.bytes.length > 0 && (
          <section aria-labelledby="channels-title">
            <h2 id="channels-title">Signal channels: what enters</h2>
            <p>
              Each byte becomes {snapshot?.channelCount ?? 27} exact numbers, with nothing learned: which bits change,
              how those changes change, the average around its edge, its bits as waves, and its value as an angle.
            </p>
            <Channels text={text} snapshot={snapshot} at={chosen} onPick={setAt} />
            <Made by="hslFeatures.forward" onOpen={snapshot && open} />
          </section>
        )}

        {snapshot !== undefined && (
          <section aria-labelledby="attention-title">
            <h2 id="attention-title">Attention: where positions look</h2>
            <AttentionPanel snapshot={snapshot} at={Math.min(chosen, snapshot.bytes.length - 1)} />
            <Made by="attention.forward" onOpen={open} />
          </section>
        )}

        {explorer !== undefined && (
          <section aria-labelledby="ops-title" id="ops">
            <h2 id="ops-title">Op by op</h2>
            <p>
              Runs the pass one op at a time, keeps every number, and compares each result with plain float64 loops that
              read the same inputs.
            </p>
            <OpsPanel look={look} progress={progress} chosen={opened} onChoose={choose} onLook={lookAt} onStep={step} />
            {isCapturing && <p role="status">Running the ops before it, to have the memory that this kernel reads…</p>}
            {stepProblem !== '' && <p role="alert">{stepProblem}</p>}
            {stepping !== undefined && <KernelStepper {...stepping} onClose={close} />}
          </section>
        )}

        {device !== undefined && (
          <section aria-labelledby="train-title">
            <h2 id="train-title">Train one, here</h2>
            <TrainPanel
              device={device}
              onExplore={(trained) => {
                setModel(trained);
                document.getElementById('text-title')!.scrollIntoView({ behavior: scrollBehaviour() });
              }}
              onGone={() => setModel((now) => ('shared' in now.from ? freshModel() : now))}
            />
          </section>
        )}
      </main>
      <footer class="soft">
        Everything happens in this page: nothing is sent anywhere. Channels after hsl-embedding by Jinhyun Woo.
      </footer>
    </div>
  );
}

/** The channels as the kernel made them; without a device, as plain TypeScript makes them: the same bits. */
function Channels({
  text,
  snapshot,
  at,
  onPick,
}: {
  text: Text;
  snapshot: Snapshot | undefined;
  at: number;
  onPick: (at: number) => void;
}) {
  const plain = useMemo(() => embed(text.bytes), [text.bytes]);
  const current = snapshot !== undefined && snapshot.bytes === text.bytes ? snapshot : undefined;
  return (
    <ChannelsPanel
      bytes={text.bytes}
      channels={current?.channels ?? plain.features}
      channelCount={current?.channelCount ?? plain.channels}
      at={at}
      onPick={onPick}
    />
  );
}

/** The way from a number to the shader that made it. */
function Made({ by, onOpen }: { by: string; onOpen: ((op: string) => void) | undefined }) {
  if (onOpen === undefined) return null;
  return (
    <p class="made">
      <button type="button" class="link" onClick={() => onOpen(by)}>
        made by {by}: see its shader
      </button>
    </p>
  );
}
