import type { Range } from './allocator.js';
import type { Job } from './commands.js';
import type { Executor } from './executor.js';
import type { DeviceMemory } from './memory.js';

/** Jobs in the order in which they were handed over, and what happens when they are over. */
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

  /** Whether everything that was submitted is over, so that the caller may touch memory itself. */
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

  /** Call back when everything submitted so far is over: now, where it is. Never on a lost device. */
  afterSubmitted(callback: () => void): void {
    if (this.isIdle) callback();
    else this.#waiting.push({ job: this.#submitted, callback });
  }

  done(job: number): void {
    this.#finished = job;
    while (this.#waiting.length > 0 && this.#waiting[0]!.job <= job) this.#waiting.shift()!.callback();
  }

  /** Give memory back when nothing that was submitted can use it. */
  release(range: Range): void {
    this.afterSubmitted(() => this.memory.release(range));
  }

  /** Have `bytes` of scratch memory for each thread from the next job on. @returns whether there is enough memory */
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
