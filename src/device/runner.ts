import type { CommandCodes, Job, LoadedKernel } from './commands.js';

/** The setup of a thread. */
export interface RunnerSetup {
  readonly memory: WebAssembly.Memory;
  /** words for synchronisation between the threads; shared if there are several */
  readonly control: Int32Array;
  /** 0 is the coordinator */
  readonly thread: number;
  readonly threads: number;
  readonly codes: CommandCodes;
  /** maximum milliseconds of one uninterrupted piece of work; infinite if no code waits for this thread */
  readonly slice: number;
  /** maximum workgroups along one axis of an indirect dispatch */
  readonly maximumWorkgroups: number;
}

/** The work of one thread: it keeps loaded kernels, and runs jobs or helps with them. */
export interface Runner {
  load(kernel: LoadedKernel): void;
  unload(id: number): void;
  /**
   * Run a job as the coordinator. It can pause between pieces of work.
   *
   * @returns false if a helper's kernel trapped, now or before: the job has not run to its end
   * @throws the trap of a kernel
   */
  coordinate(job: Job): Generator<void, boolean>;
  /** Help with the dispatches of a job until it has finished. @throws the trap of a kernel */
  help(job: Job): void;
}

/**
 * The work of each thread. The coordinator walks the commands of a job; the others help with dispatches.
 *
 * A dispatch is split into blocks of workgroups, and threads claim blocks by incrementing `NEXT`. A short dispatch runs
 * on the coordinator alone. Results do not depend on the thread that runs a workgroup.
 *
 * The coordinator opens a dispatch by making `GENERATION` odd and closes it by making it even. A helper enters with
 * `ACTIVE + 1` and checks again that the dispatch is still open. So after closing, once `ACTIVE` is 0, no thread reads
 * the arguments of that dispatch any more.
 *
 * Workers run the text of this function, so it must not use anything outside itself.
 */
export function makeRunner(setup: RunnerSetup): Runner {
  const { memory, control, thread, threads, codes, slice, maximumWorkgroups } = setup;
  const isSliced = slice !== Number.POSITIVE_INFINITY;
  // Words of `control`, 64 bytes apart, so that spinning on one does not slow down counting on another.
  const GENERATION = 0;
  const ACTIVE = 16;
  const NEXT = 32;
  const FINISHED = 48; // the last finished job
  const FAILED = 64; // a helper's kernel trapped
  const KERNEL = 80;
  const WORKGROUPS = 81;
  const BLOCK = 82; // workgroups per block
  const BLOCKS = 83;

  const ARGUMENTS = 0; // address of the argument block
  const SPINS = 4000; // some 20 µs: less than the time to wake a sleeping thread
  const SHORT = 0.02; // milliseconds of work too short for another thread

  type Run = (args: number, scratch: number, first: number, count: number) => void;
  interface Kernel {
    readonly label: string;
    readonly run: Run;
    /** milliseconds per workgroup; undefined before it ran */
    cost: number | undefined;
  }
  const kernels = new Map<number, Kernel>();
  let bytes = new Uint8Array(memory.buffer);
  let words = new Uint32Array(memory.buffer);

  /** Make the views reach `end`, even if the memory has grown since they were created. */
  function reach(end: number): void {
    if (bytes.byteLength >= end) return;
    bytes = new Uint8Array(memory.buffer);
    words = new Uint32Array(memory.buffer);
    if (bytes.byteLength < end) throw new Error(`the memory has ${bytes.byteLength} bytes, not ${end}`);
  }

  /** A message that names the kernel. */
  function trapped(kernel: Kernel, error: unknown): Error {
    return new Error(`${kernel.label}: ${error instanceof Error ? error.message : String(error)}`);
  }

  /** Run blocks until none is left, and record the time per workgroup. */
  function runBlocks(kernel: Kernel, scratch: number): void {
    const [workgroups, block, blocks] = [control[WORKGROUPS]!, control[BLOCK]!, control[BLOCKS]!];
    const start = performance.now();
    let ran = 0;
    for (let i = Atomics.add(control, NEXT, 1); i < blocks; i = Atomics.add(control, NEXT, 1)) {
      const count = Math.min(block, workgroups - i * block);
      kernel.run(ARGUMENTS, scratch, i * block, count);
      ran += count;
    }
    if (ran > 0) kernel.cost = (performance.now() - start) / ran;
  }

  /** Choose blocks long enough for the cost of a claim, and short enough that the threads end together. */
  function blocksOf(workgroups: number, cost: number | undefined): number {
    const most = isSliced ? workgroups : threads * 32;
    if (cost === undefined) return Math.min(workgroups, most);
    const piece = isSliced ? slice / 4 : SHORT;
    return Math.max(1, Math.min(workgroups, most, Math.floor((workgroups * cost) / piece)));
  }

  function* dispatch(kernel: Kernel, workgroups: number, scratch: number): Generator<void, void> {
    const blocks = blocksOf(workgroups, kernel.cost);
    const block = Math.ceil(workgroups / blocks);
    try {
      if (blocks > 1 && threads > 1) {
        runWithHelpers(kernel, workgroups, block, scratch);
        return;
      }
      for (let first = 0; first < workgroups; first += block) {
        const start = performance.now();
        const count = Math.min(block, workgroups - first);
        kernel.run(ARGUMENTS, scratch, first, count);
        kernel.cost = (performance.now() - start) / count;
        if (isSliced) yield;
      }
    } catch (error) {
      throw trapped(kernel, error);
    }
  }

  let current = 0; // number of the running kernel

  function runWithHelpers(kernel: Kernel, workgroups: number, block: number, scratch: number): void {
    control[KERNEL] = current;
    control[WORKGROUPS] = workgroups;
    control[BLOCK] = block;
    control[BLOCKS] = Math.ceil(workgroups / block);
    Atomics.store(control, NEXT, 0);
    Atomics.add(control, GENERATION, 1); // open
    Atomics.notify(control, GENERATION);
    try {
      runBlocks(kernel, scratch);
    } finally {
      Atomics.add(control, GENERATION, 1); // closed
      let spins = 0;
      for (let active = Atomics.load(control, ACTIVE); active !== 0; active = Atomics.load(control, ACTIVE)) {
        if (++spins > SPINS) Atomics.wait(control, ACTIVE, active);
      }
    }
  }

  function* coordinate(job: Job): Generator<void, boolean> {
    const list = job.words;
    let at = 0;
    try {
      while (at < list.length) {
        if (Atomics.load(control, FAILED) !== 0) return false; // the helper reports the reason
        const code = list[at]!;
        if (code === codes.dispatch || code === codes.dispatchIndirect) {
          current = list[at + 1]!;
          let grid: ArrayLike<number> = list.subarray(at + 2, at + 5);
          let bindings = at + 5;
          if (code === codes.dispatchIndirect) {
            const address = list[at + 2]!;
            reach(address + 12);
            grid = words.slice(address / 4, address / 4 + 3);
            bindings = at + 3;
          }
          const count = list[bindings]!;
          at = bindings + 1 + 2 * count;
          const workgroups = grid[0]! * grid[1]! * grid[2]!;
          const tooMany = Math.max(grid[0]!, grid[1]!, grid[2]!) > maximumWorkgroups || workgroups >= 2 ** 31;
          if (workgroups === 0 || tooMany) continue; // an indirect dispatch beyond the limit runs nothing
          const kernel = kernels.get(current);
          if (kernel === undefined) throw new Error(`kernel ${current} was not loaded`);
          reach(65536);
          words.set(list.subarray(bindings + 1, at), ARGUMENTS / 4 + 3);
          words.set([grid[0]!, grid[1]!, grid[2]!], ARGUMENTS / 4);
          yield* dispatch(kernel, workgroups, job.scratch);
        } else if (code === codes.copy) {
          const [to, from, length] = [list[at + 1]!, list[at + 2]!, list[at + 3]!];
          reach(Math.max(to, from) + length);
          bytes.copyWithin(to, from, from + length);
          at += 4;
        } else if (code === codes.clear) {
          const [to, length] = [list[at + 1]!, list[at + 2]!];
          reach(to + length);
          words.fill(0, to / 4, (to + length) / 4); // four times as fast as bytes
          at += 3;
        } else if (code === codes.time) {
          const to = list[at + 1]!;
          reach(to + 8);
          new BigUint64Array(memory.buffer, to, 1)[0] = BigInt(Math.round(performance.now() * 1e6));
          at += 2;
        } else {
          const to = list[at + 1]!;
          reach(to + job.data!.length);
          bytes.set(job.data!, to);
          at += 2;
        }
        yield;
      }
      return Atomics.load(control, FAILED) === 0;
    } finally {
      Atomics.store(control, FINISHED, job.id);
      Atomics.add(control, GENERATION, 2);
      Atomics.notify(control, GENERATION);
    }
  }

  function help(job: Job): void {
    const scratch = job.scratch + thread * job.scratchStride;
    let spins = 0;
    let last = 0; // the last generation that this thread helped with
    for (;;) {
      const generation = Atomics.load(control, GENERATION);
      if (Atomics.load(control, FINISHED) >= job.id) return;
      if (generation % 2 === 0 || generation === last) {
        if (++spins > SPINS) {
          Atomics.wait(control, GENERATION, generation);
          spins = 0;
        }
        continue;
      }
      spins = 0;
      last = generation;
      Atomics.add(control, ACTIVE, 1);
      let kernel: Kernel | undefined;
      try {
        if (Atomics.load(control, GENERATION) === generation) {
          kernel = kernels.get(control[KERNEL]!);
          if (kernel !== undefined) runBlocks(kernel, scratch);
        }
      } catch (error) {
        Atomics.store(control, FAILED, 1);
        throw trapped(kernel!, error);
      } finally {
        if (Atomics.sub(control, ACTIVE, 1) === 1) Atomics.notify(control, ACTIVE);
      }
    }
  }

  return {
    load({ id, module, label }) {
      const { exports } = new WebAssembly.Instance(module, { env: { memory } });
      kernels.set(id, { label, run: exports.run as Run, cost: undefined });
    },
    unload(id) {
      kernels.delete(id);
    },
    coordinate,
    help,
  };
}
