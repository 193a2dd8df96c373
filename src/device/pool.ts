import { COMMANDS, type Job } from './commands.js';
import type { Executor, ExecutorListener } from './executor.js';
import type { Host, Thread } from './host.js';
import { makeRunner, type RunnerSetup } from './runner.js';

/** Messages of the main thread to a thread, in order: its setup, kernels, jobs. */
export type ThreadMessage =
  | { readonly setup: Omit<RunnerSetup, 'control'> & { readonly control: Int32Array } }
  | { readonly load: Parameters<Executor['load']>[0] }
  | { readonly unload: number }
  | { readonly job: Job };

/** Messages of a thread. */
export type ThreadAnswer = { readonly done: number } | { readonly failed: string };

/** The `control` words of runner.ts. */
export const CONTROL_WORDS = 96;

/** A thread handles one message after another. Some bundlers wrap functions in a call of `__name`. */
const MAIN = `
const __name = (f) => f;
const makeRunner = ${makeRunner};
let runner;
let isCoordinator;
listen((message) => {
  try {
    if (message.setup) {
      runner = makeRunner(message.setup);
      // A growth between the arrival of the memory and its registration with this thread is not announced; this takes it up.
      message.setup.memory.grow(0);
      isCoordinator = message.setup.thread === 0;
    } else if (message.load) runner.load(message.load);
    else if ('unload' in message) runner.unload(message.unload);
    else if (isCoordinator) {
      const steps = runner.coordinate(message.job);
      let step = steps.next();
      while (!step.done) step = steps.next();
      if (step.value) post({ done: message.job.id });
    } else runner.help(message.job);
  } catch (error) {
    post({ failed: error instanceof Error ? error.message : String(error) });
  }
});
`;

/**
 * Threads over one shared memory. Thread 0 coordinates, so that the caller's event loop stays free; between jobs all of
 * them sleep in their own event loops until the next kernel or job arrives as a message.
 */
export class Pool implements Executor {
  readonly #threads: Thread[];
  #pending = 0;
  #isClosed = false;

  constructor(
    host: Host & Required<Pick<Host, 'spawn'>>,
    memory: WebAssembly.Memory,
    readonly threads: number,
    maximumWorkgroups: number,
    private readonly listener: ExecutorListener,
  ) {
    const control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
    const shared = { memory, control, threads, codes: COMMANDS, slice: Number.POSITIVE_INFINITY, maximumWorkgroups };
    this.#threads = Array.from({ length: threads }, (_, thread) => {
      const started = host.spawn(host.prelude + MAIN, {
        message: (answer) => this.#answer(answer as ThreadAnswer),
        ended: (reason) => this.#fail(`thread ${thread} of the CPU device ended: ${reason}`),
      });
      started.post({ setup: { ...shared, thread } } satisfies ThreadMessage);
      return started;
    });
  }

  load(kernel: Parameters<Executor['load']>[0]): void {
    for (const thread of this.#threads) thread.post({ load: kernel } satisfies ThreadMessage);
  }

  unload(id: number): void {
    for (const thread of this.#threads) thread.post({ unload: id } satisfies ThreadMessage);
  }

  run(job: Job, isParallel: boolean): void {
    if (this.#isClosed) return;
    if (this.#pending++ === 0) this.#threads[0]!.hold();
    const { data, ...rest } = job;
    this.#threads[0]!.post({ job } satisfies ThreadMessage, data === undefined ? [] : [data.buffer as ArrayBuffer]);
    if (!isParallel) return;
    const help = { ...rest, words: NOTHING };
    for (const thread of this.#threads.slice(1)) thread.post({ job: help } satisfies ThreadMessage);
  }

  #answer(answer: ThreadAnswer): void {
    if (this.#isClosed) return;
    if ('failed' in answer) {
      this.#fail(answer.failed);
      return;
    }
    if (--this.#pending === 0) this.#threads[0]!.release();
    this.listener.done(answer.done);
  }

  #fail(reason: string): void {
    if (this.#isClosed) return;
    this.close();
    this.listener.failed(reason);
  }

  close(): void {
    this.#isClosed = true;
    for (const thread of this.#threads.splice(0)) thread.terminate(); // and with them their references to the memory
  }
}

const NOTHING = new Uint32Array(0);
