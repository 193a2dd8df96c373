import type { Device } from '../device/device.js';
import { Plan } from '../engine/plan.js';
import { Program } from '../engine/program.js';
import type { DecoderConfig } from './config.js';
import { type Batch, type BatchSize, type ForwardPass, recordForward, toFeeds } from './forward.js';
import { checkComplete } from './parameters.js';

/**
 * Forward passes over batches of one size, without gradients: validation and scoring. It shares a trainer's parameters,
 * or has its own.
 */
export class Evaluator {
  private constructor(
    readonly plan: Plan,
    readonly pass: ForwardPass,
  ) {}

  /**
   * Record and compile the pass for batches of one size.
   *
   * @param from a plan that must outlive it and whose parameters it uses; or parameters of its own, by name
   * @throws InputError when the configuration cannot be built, or parameters are missing @throws DeviceError when
   * memory would not do
   */
  static async create(
    device: Device,
    config: DecoderConfig,
    size: BatchSize,
    from: { readonly shared: Plan } | { readonly parameters: ReadonlyMap<string, Float32Array> },
  ): Promise<Evaluator> {
    const program = new Program();
    const pass = recordForward(program, config, size);
    if ('parameters' in from) checkComplete(program, from.parameters);
    const plan = await Plan.compile(program, device, { keep: [pass.nats], ...from });
    return new Evaluator(plan, pass);
  }

  /**
   * Nats of every target, [B·T]; the batch's weights say which of them count.
   *
   * @param targets [B·T], default those of the batch; the stream that is read stays the batch's
   */
  async nats(batch: Batch, targets: Uint32Array = batch.targets): Promise<Float32Array> {
    for (const [tensor, data] of toFeeds(this.pass, batch)) this.plan.write(tensor, data);
    if (targets !== batch.targets) this.plan.write(this.pass.targets, targets);
    const [nats] = await this.plan.replayAndRead([this.pass.nats]);
    return nats!;
  }

  /** Free its GPU memory; a shared plan keeps its own. */
  free(): void {
    this.plan.free();
  }
}

/** Nats to bits. `bitsOf(Math.LN2) // 1` */
export function bitsOf(nats: number): number {
  return nats / Math.LN2;
}
