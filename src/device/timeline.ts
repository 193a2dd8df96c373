import type { Range } from './allocator.js';
import type { Job } from './commands.js';
import type { Executor } from './executor.js';
import type { DeviceMemory } from './memory.js';

/** Jobs in the order of submission, and the callbacks at their end. */
export class Timeline {
  #submitted = 0;
  #finished = 0;
  #scratch: { readonly range: Range; readonly stride: number } | undefined;
  /** in the order of their jobs */
  readonly #waiting: { readonly job: number; readonly callback: () => void }[] = [];

  constructor(
    private readonly memory: DeviceMemory,
    private readonly executor: Executor,
  ) {}

  /** Has all submitted work finished, so that the caller may access the memory itself? */
  get isIdle(): boolean {
    return this.#finished === this.#submitted;
  }

  submit(words: Uint32Array, isParallel: boolean, data?: Uint8Array): void {
    const job: Job = {
      id: ++this.#submitted,
      words,
      scratch: this.#scratch?.range.start ?? 0,
      scratchStride: this.#scratch?.stride ?? 0,
      ...(data && { data }),
    };
    this.executor.run(job, isParallel);
  }

  /** Call back when all work submitted so far has finished; at once if it has. Never on a lost device. */
  afterSubmitted(callback: () => void): void {
    if (this.isIdle) callback();
    else this.#waiting.push({ job: this.#submitted, callback });
  }

  done(job: number): void {
    this.#finished = job;
    while (this.#waiting.length > 0 && this.#waiting[0]!.job <= job) this.#waiting.shift()!.callback();
  }

  /** Free memory when no submitted work can use it. */
  release(range: Range): void {
    this.afterSubmitted(() => this.memory.release(range));
  }

  /**
   * Provide `bytes` of scratch memory for each thread from the next job on. @returns false if memory does not suffice
   */
  reserveScratch(bytes: number): boolean {
    if (bytes <= (this.#scratch?.stride ?? 0)) return true;
    const stride = Math.ceil(bytes / 256) * 256;
    const range = this.memory.allocate(stride * this.executor.threads);
    if (range === undefined) return false;
    if (this.#scratch !== undefined) this.release(this.#scratch.range);
    this.#scratch = { range, stride };
    return true;
  }
}
