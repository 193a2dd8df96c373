import { InputError } from '../common/errors.js';
import type { Device } from '../device/device.js';
import { type Fill, Numbers, toData } from './numbers.js';
import { outputKind } from './op.js';
import { Plan } from './plan.js';
import type { Entry, Program } from './program.js';
import { type Storage, Tensor } from './tensor.js';
import { rowMajor } from './values.js';

/** Numbers for the inputs of a program, by their labels. */
export type Feed = Readonly<Record<string, Fill>>;

/**
 * Runs a program without an explicit plan: the plan is compiled when first needed, and again after the program has
 * grown, with its parameters and states kept.
 */
export class Runner {
  #plan: Plan | undefined;
  /** number of entries in the plan */
  #compiled = -1;
  readonly #kept = new Set<Tensor>();
  /** the previous call: calls run one at a time, in order */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly program: Program,
    private readonly device: Device,
  ) {}

  /**
   * Evaluate a tensor: run the entries that it depends on, as step 0, and no update.
   *
   * @throws InputError when `feed` lacks an input that it depends on, or names an unknown one
   */
  value(y: Tensor, feed: Feed): Promise<Numbers> {
    return this.#inTurn(async () => {
      const only = entriesBehind(this.program, y, false);
      const plan = await this.#ready();
      this.#write(plan, feed, only, y);
      if (this.program.hasStep) plan.write(this.program.step, Uint32Array.of(0));
      await plan.replay({ only });
      const [memory] = await plan.readback([y.storage]);
      return new Numbers(y.shape, rowMajor(y, memory!));
    });
  }

  /**
   * Run the loss, the update of the parameters, and their dependencies, as training step `t`, and read the loss.
   *
   * @param state numbers for tensors of the optimiser: its learning rate
   * @throws InputError as `value` does
   */
  step(t: number, loss: Tensor, feed: Feed, state: ReadonlyMap<Tensor, Float32Array>): Promise<number> {
    return this.#inTurn(async () => {
      const plan = await this.#ready();
      const only = entriesBehind(this.program, loss, true);
      this.#write(plan, feed, only, loss, [...state.keys()]);
      for (const [tensor, data] of state) plan.write(tensor, data);
      if (this.program.hasStep) plan.write(this.program.step, Uint32Array.of(t));
      const [numbers] = await plan.replayAndRead([loss], { only });
      return numbers![0]!;
    });
  }

  /** Keep a tensor's numbers until the end of a step. */
  keep(y: Tensor): void {
    if (this.#kept.has(y)) return;
    this.#kept.add(y);
    this.#compiled = -1;
  }

  /** Free all GPU memory; parameters start from their initial numbers when the program runs again. */
  free(): void {
    this.#plan?.free();
    this.#plan = undefined;
    this.#compiled = -1;
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(run);
    this.#last = mine.catch(() => {});
    return mine;
  }

  async #ready(): Promise<Plan> {
    const { entries, storages } = this.program;
    if (this.#plan !== undefined && this.#compiled === storages.length + entries.length) return this.#plan;
    const old = this.#plan;
    const plan = await Plan.compile(this.program, this.device, { keep: [...this.#kept] });
    if (old !== undefined) {
      const lasting = storages.filter((storage) => old.knows(storage) && ['parameter', 'state'].includes(storage.role));
      const numbers = await old.readback(lasting);
      for (const [i, storage] of lasting.entries()) plan.write(whole(this.program, storage), numbers[i]!);
      old.free();
    }
    this.#plan = plan;
    this.#compiled = storages.length + entries.length;
    return plan;
  }

  #write(plan: Plan, feed: Feed, only: ReadonlySet<Entry>, y: Tensor, others: readonly Tensor[] = []): void {
    const inputs = this.program.inputs.filter((input) => !others.includes(input));
    for (const [label, fill] of Object.entries(feed)) {
      const input = inputs.find((tensor) => tensor.label === label);
      if (input === undefined) {
        const known = inputs.map((tensor) => tensor.label).join(', ') || 'none';
        throw new InputError(`${label}: the program has no input of that name; it has ${known}`);
      }
      plan.write(input, toData(label, input.shape, input.dtype, fill));
    }
    const read = new Set([...only].flatMap((entry) => entry.inputs.map(({ storage }) => storage)).concat(y.storage));
    const missing = inputs.find((input) => read.has(input.storage) && !(input.label in feed));
    if (missing !== undefined) {
      throw new InputError(`${y} depends on the input ${missing}; pass its numbers: { ${missing.label}: … }`);
    }
  }
}

/**
 * The entries on which a tensor's numbers depend.
 *
 * @param update true also updates the parameters, with all dependencies of the update
 */
export function entriesBehind(program: Program, y: Tensor, update: boolean): ReadonlySet<Entry> {
  const needed = new Set<Storage>([y.storage]);
  const behind = new Set<Entry>();
  for (const entry of [...program.entries].reverse()) {
    const updates = entry.phase === 'update' && entry.op.outputs.some((_, i) => outputKind(entry.op, i) === 'inPlace');
    if (updates ? !update : !entry.outputs.some(({ storage }) => needed.has(storage))) continue;
    behind.add(entry);
    for (const { storage } of entry.inputs) {
      needed.add(storage);
      // The flat gradients consist of every parameter's.
      if (storage.role !== 'gradient') continue;
      for (const other of program.storages) if (other.role === 'gradient') needed.add(other);
    }
  }
  return behind;
}

function whole(program: Program, storage: Storage): Tensor {
  return new Tensor(program, storage, [storage.length], [1], storage.label, false);
}
