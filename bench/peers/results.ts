/** The measurements of bench/peers/run.ts: results.json in this folder, the source of the README's speed table. */

/** One library's part in a measurement. */
export interface PeerRow {
  /** as `--only` calls it: `ours`, `jax-js`, … */
  readonly name: string;
  /** what it ran on: a Vulkan driver, `wasm`, or PyTorch's version and threads */
  readonly adapter: string;
  /** of one step, from the batch to the loss; `first` is the step that compiles */
  readonly milliseconds: {
    readonly median: number;
    readonly least: number;
    readonly most: number;
    readonly first: number;
  };
  /** median over steps of this library's time over ours, in the same turn; undefined where ours did not run */
  readonly ratio?: number | undefined;
  /** of the process, in bytes */
  readonly peakMemory: number;
  /** of the last step, in nats */
  readonly loss: number;
  /** largest difference of a loss from ours, in nats */
  readonly difference?: number | undefined;
}

/** One run of run.ts. */
export interface PeerResult {
  /** `2026-11-24` */
  readonly date: string;
  /** the commit checked out; with `+` where the code that ran differs from it */
  readonly commit: string;
  readonly workload: {
    readonly name: string;
    readonly B: number;
    readonly T: number;
    readonly dim: number;
    readonly heads: number;
    readonly layers: number;
  };
  /** as `--device` calls it */
  readonly device: string;
  /** Dawn's, the same for every library on it */
  readonly toggles: readonly string[];
  readonly rounds: number;
  /** in each round */
  readonly steps: number;
  /** of the machine, one-minute mean at the end */
  readonly load: number;
  readonly rows: readonly PeerRow[];
  /** libraries whose process ended early */
  readonly lost: readonly string[];
}

/** By workload and device: `small system`. */
export type PeerResults = Readonly<Record<string, PeerResult>>;

/** The results with a new one in the place of an earlier one of the same workload and device, or after the others. */
export function merged(results: PeerResults, result: PeerResult): PeerResults {
  return { ...results, [`${result.workload.name} ${result.device}`]: result };
}
