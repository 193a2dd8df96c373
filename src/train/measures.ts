import type { Device } from '../engine/device.js';
import type { Plan } from '../engine/plan.js';
import type { DecoderConfig } from '../model/config.js';
import { bitsOf, Evaluator } from './trainer.js';
import { assemble, type Batch } from './windows/mix.js';
import type { Window, WindowSource } from './windows/window.js';

/**
 * What a validation found, by name, over fixed held-out windows.
 *
 * - `text_bpb`, `video_bpb`, `audio_bpb`: bits per predicted byte, `Σ w·nats / Σ w / ln 2`, of windows of each kind
 */
export type Measures = { readonly [name: string]: number };

/** Windows of the fixed validation list that are scored, of each kind. */
const VALIDATION_WINDOWS = 32;

/** Judges a decoder on held-out windows. It shares the parameters of the plan that trains it. */
export class Judge {
  private constructor(
    private readonly kinds: readonly {
      readonly name: string;
      readonly evaluator: Evaluator;
      readonly batches: Batch[];
    }[],
  ) {}

  static async create(
    device: Device,
    config: DecoderConfig,
    B: number,
    sources: readonly WindowSource[],
    shared: Plan,
  ): Promise<Judge> {
    const kinds = [];
    for (const source of sources) {
      const size = { B, L: source.size.prefix, T: source.size.stream };
      const evaluator = await Evaluator.create(device, config, size, { shared });
      kinds.push({ name: `${source.kind}_bpb`, evaluator, batches: validationBatches(source, B) });
    }
    return new Judge(kinds);
  }

  async measure(): Promise<Measures> {
    const measures: Record<string, number> = {};
    for (const { name, evaluator, batches } of this.kinds) {
      const { nats, weight } = await evaluator.total(batches);
      measures[name] = bitsOf(nats / weight);
    }
    return measures;
  }

  free(): void {
    for (const { evaluator } of this.kinds) evaluator.free();
  }
}

/** The fixed held-out windows in batches of B; the last one is filled up with windows of weight 0. */
function validationBatches(source: WindowSource, B: number): Batch[] {
  const count = Math.min(VALIDATION_WINDOWS, source.validationCount);
  // Spread over the whole list, which goes through the held-out data in order.
  const windows = Array.from({ length: count }, (_, i) =>
    source.validation(Math.floor((i * source.validationCount) / count)),
  );
  const batches: Batch[] = [];
  for (let first = 0; first < count; first += B) {
    const batch: Window[] = windows.slice(first, first + B);
    while (batch.length < B) batch.push({ ...batch[0]!, weights: batch[0]!.weights.map(() => 0) });
    batches.push(assemble(batch));
  }
  return batches;
}
