import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Inspection } from '../../src/cli/inspect/inspection.js';
import type { Device } from '../../src/device/device.js';
import type { KernelKind } from '../../src/engine/kernel.js';
import type { CapturedDispatch } from '../../src/inspect/capture.js';
import type { SubgroupSize } from '../../src/wgsl/index.js';
import { Explorer, type Model, type Snapshot, type Text } from './explorer.js';
import { scrollBehaviour } from './hooks.js';

/**
 * The text through the model, again whenever either changes; the last result stays until the next one is ready.
 *
 * @param onConsole true makes this pass `byteToLoss` in the console
 */
export function useSnapshot(device: Device | undefined, model: Model | undefined, text: Text, onConsole = true) {
  const [snapshot, setSnapshot] = useState<Snapshot | undefined>(undefined);
  const [error, setError] = useState('');
  const [explorer, setExplorer] = useState<Explorer | undefined>(undefined);
  const latestPass = useRef(Promise.resolve());
  useEffect(() => {
    if (device === undefined || model === undefined) {
      setExplorer(undefined);
      setSnapshot(undefined);
      return undefined;
    }
    const made = new Explorer(device, model);
    setExplorer(made);
    return () => void made.free();
  }, [device, model]);
  useEffect(() => {
    if (explorer === undefined || text.ids.length === 0) return undefined;
    let current = true;
    // One pass at a time: of what is typed during a pass, only the last text has a pass of its own.
    latestPass.current = latestPass.current.then(async () => {
      if (!current) return;
      try {
        const found = await explorer.run(text);
        if (!current) return;
        setSnapshot(found);
        setError('');
        if (onConsole) Object.assign(globalThis, { byteToLoss: found });
      } catch (problem) {
        if (current) setError((problem as Error).message);
      }
    });
    return () => {
      current = false;
    };
  }, [explorer, text, onConsole]);
  return { snapshot, explorer, error };
}

/** The op-by-op view: created on demand, removed when the text or the model changes. */
export function useLook(
  explorer: Explorer | undefined,
  snapshot: Snapshot | undefined,
  onProblem: (problem: string) => void,
) {
  const [look, setLook] = useState<Inspection | undefined>(undefined);
  const [progress, setProgress] = useState<readonly [number, number] | undefined>(undefined);
  const [opened, choose] = useState(0);
  const latest = useRef(snapshot);
  latest.current = snapshot;
  useEffect(() => setLook(undefined), [snapshot]);
  const lookAt = useCallback(async (): Promise<Inspection | undefined> => {
    if (explorer === undefined || latest.current === undefined) return undefined;
    const of = latest.current;
    setProgress([0, 0]);
    try {
      const found = await explorer.look(of, (done, all) => setProgress([done, all]));
      if (latest.current === of) {
        setLook(found);
        Object.assign(globalThis, { byteToLossStep: found }); // for the console
      }
      return found;
    } catch (error) {
      onProblem((error as Error).message);
      return undefined;
    } finally {
      setProgress(undefined);
    }
  }, [explorer, onProblem]);
  const open = useCallback(
    async (op: string) => {
      const found = look ?? (await lookAt());
      const entry = found?.trace.entries.find(({ op: { name } }) => name === op);
      if (entry === undefined) return;
      choose(entry.index);
      requestAnimationFrame(() => {
        const detail = document.getElementById('op-detail');
        detail?.scrollIntoView({ behavior: scrollBehaviour(), block: 'start' });
        detail?.focus({ preventScroll: true }); // the next key press is for it
      });
    },
    [look, lookAt],
  );
  return { look, progress, opened, lookAt, choose, open };
}

/** A kernel in the stepper. */
export interface Stepping {
  readonly dispatch: CapturedDispatch;
  readonly subgroupSize: SubgroupSize;
  /** its tour begins at once */
  readonly isTour: boolean;
}

/** The kernel to step through. */
export interface StepRequest {
  /** the op's number in the look, or its name */
  readonly op: number | string;
  /** the number of its dispatch, from 0 */
  readonly dispatch?: number;
  /** default those of the device */
  readonly kernels?: KernelKind | undefined;
  readonly isTour?: boolean;
}

/** The kernel in the stepper: captured on demand, removed together with its view. */
export function useStepping(
  explorer: Explorer | undefined,
  look: Inspection | undefined,
  snapshot: Snapshot | undefined,
) {
  const [stepping, setStepping] = useState<Stepping | undefined>(undefined);
  const [isCapturing, setCapturing] = useState(false);
  const [problem, setProblem] = useState('');
  useEffect(() => setStepping(undefined), [look]);
  const step = useCallback(
    async ({ op, dispatch = 0, kernels, isTour = false }: StepRequest) => {
      if (explorer === undefined || snapshot === undefined) return;
      setCapturing(true);
      setProblem('');
      try {
        const captured = await explorer.capture(snapshot, op, kernels);
        const chosen = captured[Math.min(dispatch, captured.length - 1)]!;
        setStepping({ dispatch: chosen, subgroupSize: explorer.subgroupSize, isTour });
        requestAnimationFrame(() =>
          document.getElementById('stepper')?.scrollIntoView({ behavior: scrollBehaviour(), block: 'start' }),
        );
      } catch (error) {
        setProblem((error as Error).message);
      } finally {
        setCapturing(false);
      }
    },
    [explorer, snapshot],
  );
  return { stepping, step, isCapturing, problem, close: () => setStepping(undefined) };
}

/** Files dropped anywhere on the page; true while one is held over it. */
export function useDrop(onFile: (file: File) => void): boolean {
  const [over, setOver] = useState(false);
  const latest = useRef(onFile);
  latest.current = onFile;
  useEffect(() => {
    const hold = (event: DragEvent) => {
      event.preventDefault(); // otherwise the browser opens the file in place of the page
      setOver(event.type === 'dragover');
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      const file = event.dataTransfer?.files[0];
      if (file) latest.current(file);
    };
    addEventListener('dragover', hold);
    addEventListener('dragleave', hold);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', hold);
      removeEventListener('dragleave', hold);
      removeEventListener('drop', drop);
    };
  }, []);
  return over;
}
