import type { Job, LoadedKernel } from './commands.js';

/** Runs jobs one after another, in order: on threads (pool.ts) or on the calling thread (slices.ts). */
export interface Executor {
  readonly threads: number;
  load(kernel: LoadedKernel): void;
  unload(id: number): void;
  /** @param isParallel true if more than one thread can have work */
  run(job: Job, isParallel: boolean): void;
  close(): void;
}

/** Receives the end of each job, or the failure of the executor. */
export interface ExecutorListener {
  /** A job and all earlier ones have finished. */
  done(job: number): void;
  /** No job will run any more. */
  failed(reason: string): void;
}
