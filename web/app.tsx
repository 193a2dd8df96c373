import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { FIRST_TEXT } from '../src/cli/inspect/opened.js';
import type { Device } from '../src/device/device.js';
import { EOS } from '../src/substrate/channels.js';

import { embedIds } from '../src/substrate/embed.js';
import { readCheckpointBytes } from './lib/checkpointFile.js';
import { openBrowserDevice } from './lib/device.js';
import type { Model, Snapshot, Text } from './lib/explorer.js';
import { scrollBehaviour } from './lib/hooks.js';
import { freshModel, modelOf, OPENED, openedModel } from './lib/models.js';
import { type StepRequest, useDrop, useLook, useSnapshot, useStepping } from './lib/state.js';
import { tourNamed } from './lib/tours.js';
import { AttentionPanel } from './parts/attentionPanel.js';
import { Baselines } from './parts/baselines.js';
import { ByteDetail } from './parts/byteDetail.js';
import { ChannelsPanel } from './parts/channelsPanel.js';
import { GradientsPanel } from './parts/gradientsPanel.js';
import { Header } from './parts/header.js';
import { KernelStepper } from './parts/kernelStepper.js';
import { ModelChoice } from './parts/modelChoice.js';
import { OpsPanel, scrollToOp } from './parts/opsPanel.js';
import { PuzzlePanel } from './parts/puzzlePanel.js';
import { BitsLegend, ColouredText } from './parts/textPanel.js';
import { TrainPanel } from './parts/trainPanel.js';
import { WritePanel } from './parts/writePanel.js';

/** The longest text without a window of the decoder's training: 128 + 128. */
const MOST_BYTES = 256;
/**
 * The parameters in the address: `?text=…&before=32&step=attention.forward`, `?tour=tiled+product`, and
 * `device`.
 */
const ASKED = new URLSearchParams(location.search);

/** Bytes that come before a caption, in a page of a recording. */
const RECORDING = OPENED?.recording;

function askedStep(): StepRequest | undefined {
  const tour = tourNamed(ASKED.get('tour'));
  const op = ASKED.get('step');
  return tour ?? (op === null ? undefined : { op });
}

/** The whole page. */
export function App() {
  const [device, setDevice] = useState<Device | undefined>(undefined);
  const [missing, setMissing] = useState('');
  const [without, setWithout] = useState('');
  const [trained, setTrained] = useState<Model | undefined>(undefined);
  const [fresh, setFresh] = useState<Model>(() => freshModel());
  const [models, setModels] = useState<readonly Model[]>([]);
  const [all, setBytes] = useState<Uint8Array>(() =>
    new TextEncoder().encode(ASKED.get('text') ?? OPENED?.text ?? FIRST_TEXT),
  );
  const [before, setBefore] = useState(Number(ASKED.get('before') ?? OPENED?.before ?? 64) || 0);
  const [at, setAt] = useState(before + 8);
  const [problem, setProblem] = useState('');

  useEffect(() => {
    const wanted = ASKED.get('device');
    openBrowserDevice(wanted === 'webgpu' || wanted === 'cpu' ? wanted : undefined).then(
      ({ device: opened, withoutWebGpu = '' }) => {
        setDevice(opened);
        setWithout(withoutWebGpu);
        void opened.lost.then((error) => setMissing(`${error.message}; reload the page.`));
      },
      (error: Error) => setMissing(error.message),
    );
    const begin = async () => {
      if (OPENED === undefined) return setModels([fresh]);
      const model = await openedModel(OPENED);
      if (model.trained) setTrained(model);
      setFresh(model.trained ? freshModel(model.config) : model);
      setModels([model]);
    };
    begin().catch((error: Error) => {
      setProblem(error.message);
      setModels([fresh]);
    });
  }, []);

  const most = (models[0]?.most ?? MOST_BYTES) - (RECORDING === undefined ? 0 : RECORDING.length + 1);
  const text: Text = useMemo(() => {
    const bytes = all.subarray(0, most);
    if (RECORDING !== undefined) return { ids: Uint32Array.of(...RECORDING, ...bytes, EOS), L: RECORDING.length };
    return { ids: Uint32Array.from(bytes), L: Math.min(before, Math.max(0, bytes.length - 1)) };
  }, [all, before, most]);
  const chosen = Math.min(at, text.ids.length - 1);
  const [model, other] = models;
  const { snapshot, explorer, error } = useSnapshot(device, model, text);
  const { snapshot: second } = useSnapshot(device, other, text, false);
  const { look, progress, opened, lookAt, choose, open } = useLook(explorer, snapshot, setProblem);

  const { stepping, step, isCapturing, problem: stepProblem, close } = useStepping(explorer, look, snapshot);

  const asked = useRef(askedStep());
  useEffect(() => {
    if (asked.current === undefined || snapshot === undefined) return;
    void step(asked.current);
    asked.current = undefined; // once
  }, [snapshot, step]);

  const load = async (file: File) => {
    setProblem('');
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const checkpoint = await readCheckpointBytes(bytes, file.name);
      setModels([modelOf(`${file.name}, after ${checkpoint.step} steps`, checkpoint)]);
    } catch (reason) {
      setProblem((reason as Error).message);
    }
  };
  const over = useDrop(load);

  return (
    <div class={over ? 'over' : ''}>
      <Header device={device} missing={missing} without={without} />
      <main>
        <section aria-labelledby="text-title">
          <h2 id="text-title">What each byte costs</h2>
          {missing === '' && (
            <ModelChoice models={models} trained={trained} fresh={fresh} onChoose={setModels} onFile={load} />
          )}
          <label class="wide">
            <span>{RECORDING === undefined ? 'Write something' : 'The caption of the recording'}</span>
            <textarea
              rows={2}
              value={new TextDecoder().decode(all)}
              spellcheck={false}
              onInput={(event) => setBytes(new TextEncoder().encode(event.currentTarget.value))}
            />
          </label>
          {all.length > most && (
            <p role="status">
              Only the first {most} of {all.length} bytes are looked at.
            </p>
          )}
          {text.ids.length === 0 ? (
            <p role="status">There is no byte yet: write at least one.</p>
          ) : (
            <>
              {RECORDING === undefined ? (
                <label class="split">
                  <span>
                    {text.L} bytes come before, {text.ids.length - text.L} are predicted
                  </span>
                  <input
                    type="range"
                    min={0}
                    max={text.ids.length - 1}
                    value={text.L}
                    onInput={(event) => setBefore(event.currentTarget.valueAsNumber)}
                  />
                </label>
              ) : (
                <p>A recording of {text.L} bytes comes before. The caption and EOS, its end, are predicted.</p>
              )}
              {missing === '' && (
                <p class="facts">
                  <output id="bits-per-byte" data-value={snapshot?.bitsPerByte}>
                    {snapshot === undefined ? '…' : snapshot.bitsPerByte.toFixed(3)}
                  </output>{' '}
                  bits per byte, by {model?.name ?? 'the trained decoder, which is being read'}{' '}
                  {model?.fresh && <a href="#train-title">(train one below)</a>}
                </p>
              )}
              <div class="two">
                <div>
                  <ColouredText text={text} snapshot={snapshot} at={chosen} onPick={setAt} />
                  {other !== undefined && second !== undefined && (
                    <>
                      <p class="facts" id="second">
                        <output>{second.bitsPerByte.toFixed(3)}</output> by {other.name}
                      </p>
                      <ColouredText
                        text={text}
                        snapshot={second}
                        at={chosen}
                        onPick={setAt}
                        label="Chosen byte, fresh"
                      />
                    </>
                  )}
                  {missing === '' && <BitsLegend />}
                  <Made by="crossEntropy" onOpen={snapshot && open} />
                </div>
                {snapshot !== undefined && (
                  <ByteDetail snapshot={snapshot} at={Math.min(chosen, snapshot.ids.length - 1)} />
                )}
              </div>
              {snapshot !== undefined && explorer !== undefined && (
                <div class="two even">
                  {RECORDING === undefined && (
                    <WritePanel snapshot={snapshot} explorer={explorer} most={most} onText={setBytes} />
                  )}
                  <Baselines
                    snapshots={other !== undefined && second !== undefined ? [snapshot, second] : [snapshot]}
                  />
                </div>
              )}
              {error !== '' && <p role="alert">{error}</p>}
            </>
          )}
          {problem !== '' && (
            <p role="alert" id="problem">
              {problem}
            </p>
          )}
        </section>

        {text.ids.length > 0 && (
          <section aria-labelledby="channels-title">
            <h2 id="channels-title">Signal channels: what enters</h2>
            <p>
              Each byte becomes {snapshot?.channelCount ?? 27} exact numbers, with nothing learned: which bits change
              (dxor), how that differs from the byte before (d2xor), a mean around its boundary, its bits as waves
              (Fourier), and its value as an angle (phase).
            </p>
            <Channels text={text} snapshot={snapshot} at={chosen} onPick={setAt} />
            {snapshot?.readsChannels === false ? (
              <p>The {snapshot.model.config.door} door of this decoder does not read them.</p>
            ) : (
              <Made by="hslFeatures.forward" onOpen={snapshot && open} />
            )}
          </section>
        )}

        {snapshot !== undefined && (
          <section aria-labelledby="attention-title">
            <h2 id="attention-title">Attention: where positions look</h2>
            <AttentionPanel snapshot={snapshot} at={Math.min(chosen, snapshot.ids.length - 1)} />
            <Made by="attention.forward" onOpen={open} />
          </section>
        )}

        {explorer !== undefined && (
          <section aria-labelledby="ops-title" id="ops">
            <h2 id="ops-title">Op by op</h2>
            <p>
              Runs the training step of this text one op at a time, its update aside: forward, then backward. Keeps
              every number, and compares each result with plain float64 loops that read the same inputs.
            </p>
            <OpsPanel look={look} progress={progress} chosen={opened} onChoose={choose} onLook={lookAt} onStep={step} />
            {isCapturing && <p role="status">Running the ops before it, to have the memory that this kernel reads…</p>}
            {stepProblem !== '' && <p role="alert">{stepProblem}</p>}
            {stepping !== undefined && <KernelStepper {...stepping} onClose={close} />}
          </section>
        )}

        {explorer !== undefined && (
          <section aria-labelledby="gradients-title">
            <h2 id="gradients-title">Residual stream and gradients</h2>
            {look === undefined ? (
              <p class="actions">
                <button type="button" onClick={() => void lookAt()} disabled={progress !== undefined}>
                  Run the training step
                </button>
              </p>
            ) : (
              <GradientsPanel
                look={look}
                at={chosen}
                onPick={setAt}
                onOpen={(entry) => {
                  choose(entry);
                  requestAnimationFrame(scrollToOp);
                }}
              />
            )}
          </section>
        )}

        {device !== undefined && (
          <section aria-labelledby="train-title">
            <h2 id="train-title">Train one, here</h2>
            <TrainPanel
              device={device}
              text={text}
              onExplore={(live) => {
                setModels([live]);
                document.getElementById('text-title')!.scrollIntoView({ behavior: scrollBehaviour() });
              }}
              onGone={() =>
                setModels((now) => (now.some(({ shared }) => shared !== undefined) ? [trained ?? fresh] : now))
              }
            />
          </section>
        )}
        <section aria-labelledby="puzzles-title">
          <h2 id="puzzles-title">Puzzles</h2>
          <p>
            Kernels of this page with a hole, from easy to hard. The interpreter runs yours, and the checker looks for
            races, reads of unwritten memory and indices out of bounds.
          </p>
          <PuzzlePanel />
        </section>
      </main>
      <footer class="soft">
        Everything happens in this page: nothing is sent anywhere. Channels after hsl-embedding by Jinhyun Woo.
      </footer>
    </div>
  );
}

/** The channels from the kernel; without a device, from plain TypeScript: the same bits. */
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
  const plain = useMemo(() => embedIds(text.ids), [text.ids]);
  const current = snapshot !== undefined && snapshot.ids === text.ids ? snapshot : undefined;
  return (
    <ChannelsPanel
      ids={text.ids}
      channels={current?.channels ?? plain.features}
      channelCount={current?.channelCount ?? plain.channels}
      at={at}
      onPick={onPick}
    />
  );
}

/** Links from a number to the shader that computed it. */
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
