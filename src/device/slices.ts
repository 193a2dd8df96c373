import { COMMANDS, type Job, type LoadedKernel } from './commands.js';
import type { Executor, ExecutorListener } from './executor.js';
import type { Host } from './host.js';
import { CONTROL_WORDS } from './pool.js';
import { makeRunner, type Runner } from './runner.js';

/** Milliseconds of work before a turn of the event loop. */
const SLICE = 10;

/**
 * Runs jobs on the calling thread if threads cannot share memory: slices of work alternate with turns of the event
 * loop.
 */
export class Slices implements Executor {
  readonly threads = 1;
  #runner: Runner | undefined; // until closed
  /** jobs, and kernels to release after the jobs before them */
  readonly #queue: (Job | { readonly unload: number })[] = [];
  #current: { readonly job: Job; readonly steps: Generator<void, boolean> } | undefined;
  #isScheduled = false;

  constructor(
    private readonly host: Host,
    memory: WebAssembly.Memory,
    maximumWorkgroups: number,
    private readonly listener: ExecutorListener,
  ) {
    const control = new Int32Array(CONTROL_WORDS);
    const setup = { memory, control, thread: 0, threads: 1, codes: COMMANDS, slice: SLICE, maximumWorkgroups };
    this.#runner = makeRunner(setup);
  }

  load(kernel: LoadedKernel): void {
    this.#runner?.load(kernel);
  }

  unload(id: number): void {
    // An earlier job may still run it.
    this.#queue.push({ unload: id });
    this.#schedule();
  }

  run(job: Job): void {
    this.#queue.push(job);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.host.soon(() => {
      this.#isScheduled = false;
      if (this.#runner === undefined) return;
      try {
        this.#work(this.#runner);
      } catch (error) {
        this.close();
        this.listener.failed(error instanceof Error ? error.message : String(error));
      }
    });
  }

  #work(runner: Runner): void {
    const end = performance.now() + SLICE;
    while (performance.now() < end) {
      if (this.#current === undefined) {
        const next = this.#queue.shift();
        if (next === undefined) return;
        if ('unload' in next) {
          runner.unload(next.unload);
          continue;
        }
        this.#current = { job: next, steps: runner.coordinate(next) };
      }
      if (this.#current.steps.next().done) {
        const { id } = this.#current.job;
        this.#current = undefined;
        this.listener.done(id);
      }
    }
    this.#schedule();
  }

  close(): void {
    this.#runner = undefined;
    this.#current = undefined;
    this.#queue.length = 0;
  }
}
