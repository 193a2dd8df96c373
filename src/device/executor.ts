import type { Job, LoadedKernel } from './commands.js';

/** Runs jobs, one after the other, in order: on threads (pool.ts) or on the calling thread (slices.ts). */
export interface Executor {
  readonly threads: number;
  load(kernel: LoadedKernel): void;
  unload(id: number): void;
  /** @param isParallel whether more than one thread can have something to do */
  run(job: Job, isParallel: boolean): void;
  close(): void;
}

/** Receives the end of each job, or the failure of the executor. */
export interface ExecutorListener {
  /** A job is over, and so are all before it. */
  done(job: number): void;
  /** Nothing will run any more. */
  failed(reason: string): void;
}
