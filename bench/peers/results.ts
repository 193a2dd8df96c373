/** The measurements of bench/peers/run.ts: results.json in this folder, the source of the README's speed table. */

/** One library's part in a measurement. */
export interface PeerRow {
  /** its name for `--only`: `ours`, `jax-js`, … */
  readonly name: string;
  /** its backend: a Vulkan driver, `wasm`, or PyTorch's version and threads */
  readonly adapter: string;
  /** milliseconds of one step, from the batch to the loss; `first` is the step that compiles */
  readonly milliseconds: {
    readonly median: number;
    readonly least: number;
    readonly most: number;
    readonly first: number;
  };
  /** median over steps of this library's time over ours, in the same turn; undefined if ours did not run */
  readonly ratio?: number | undefined;
  /** peak memory of the process, in bytes */
  readonly peakMemory: number;
  /** loss of the last step, in nats */
  readonly loss: number;
  /** largest difference of a loss from ours, in nats */
  readonly difference?: number | undefined;
}

/** One run of run.ts. */
export interface PeerResult {
  /** `2026-11-24` */
  readonly date: string;
  /** the commit checked out; with `+` if the code differs from it */
  readonly commit: string;
  readonly workload: {
    readonly name: string;
    readonly B: number;
    readonly T: number;
    readonly dim: number;
    readonly heads: number;
    readonly layers: number;
  };
  /** its name for `--device` */
  readonly device: string;
  /** toggles of Dawn, the same for every library on it */
  readonly toggles: readonly string[];
  readonly rounds: number;
  /** in each round */
  readonly steps: number;
  /** load of the machine, one-minute mean at the end */
  readonly load: number;
  readonly rows: readonly PeerRow[];
  /** libraries whose process ended early */
  readonly lost: readonly string[];
}

/** By workload and device: `small system`. */
export type PeerResults = Readonly<Record<string, PeerResult>>;

/** The results with a new one, which replaces an earlier one of the same workload and device or is appended. */
export function merged(results: PeerResults, result: PeerResult): PeerResults {
  return { ...results, [`${result.workload.name} ${result.device}`]: result };
}
