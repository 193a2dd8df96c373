import type { Device } from '../device/device.js';
import type { Plan } from '../engine/plan.js';
import type { DecoderConfig } from '../model/config.js';
import { bitsOf, Evaluator } from '../model/evaluator.js';
import { captionIds } from './windows/caption.js';
import { assemble } from './windows/mix.js';
import { EOS, type Window, type WindowKind, type WindowSource } from './windows/window.js';

/**
 * What a validation found, by name, over the fixed held-out windows of each kind. `nats` are summed over predicted ids, of
 * which a caption's or a document's EOS is one.
 *
 * - `text_bpb`, `video_bpb`, `caption_bpb`: bits per predicted byte, `Σ w·nats / Σ w / ln 2`, of text windows, of video
 *   windows, and of the captions of audio windows
 * - `binding_gap`: caption bits per byte when each caption is given the audio of another window, the next one whose caption
 *   differs, minus with its own. 0 for a decoder that does not listen
 *
 * and where all is asked for, as at the end of a run:
 *
 * - `retrieval`: the share of audio windows whose own caption costs fewer bits than each of nine others, the next nine
 *   different ones. 0.1 is chance
 * - `text_end`, `caption_end`: mean P(EOS) where the document or caption does end; absent where no held-out window ends
 * - `text_middle`, `caption_middle`: mean P(EOS) at every other predicted place. A decoder that knows where things end has
 *   the first near 1 and the second near 0
 */
export type Measures = { readonly [name: string]: number };

/** Captions that each recording is to be matched with. */
const CANDIDATES = 10;

/** How a kind is called in the names of measures: of an audio window only the caption is predicted. */
export const PREDICTED: Readonly<Record<WindowKind, string>> = { text: 'text', audio: 'caption', video: 'video' };

interface Kind {
  readonly name: string;
  readonly evaluator: Evaluator;
  readonly windows: readonly Window[];
}

/** Ends a measurement from inside: nobody outside `measure` meets it. */
class Stopped extends Error {}

/** Judges a decoder on held-out windows. It shares the parameters of the plan that trains it. */
export class Judge {
  private constructor(
    private readonly B: number,
    private readonly kinds: readonly Kind[],
    private readonly stop: () => boolean,
  ) {}

  /** @param B windows that are scored at once   @param stop asked before each batch of them: when it says so, `measure` ends */
  static async create(
    device: Device,
    config: DecoderConfig,
    B: number,
    sources: readonly WindowSource[],
    shared: Plan,
    stop: () => boolean = () => false,
  ): Promise<Judge> {
    const kinds = [];
    for (const source of sources) {
      const size = { B, L: source.size.prefix, T: source.size.stream };
      const evaluator = await Evaluator.create(device, config, size, { shared });
      const windows = Array.from({ length: source.validationCount }, (_, i) => source.validation(i));
      kinds.push({ name: PREDICTED[source.kind], evaluator, windows });
    }
    return new Judge(B, kinds, stop);
  }

  /**
   * @param all also what takes several passes: retrieval and closure
   * @returns undefined when it was stopped on the way
   */
  async measure(all = false): Promise<Measures | undefined> {
    try {
      return await this.#measure(all);
    } catch (error) {
      if (error instanceof Stopped) return undefined;
      throw error;
    }
  }

  async #measure(all: boolean): Promise<Measures> {
    const measures: Record<string, number> = {};
    for (const kind of this.kinds) {
      const own = await this.#nats(kind, kind.windows);
      measures[`${kind.name}_bpb`] = bitsPerByte(kind.windows, own);
      if (kind.name === 'caption') {
        const swapped = swapAudio(kind.windows);
        if (swapped)
          measures.binding_gap = bitsPerByte(swapped, await this.#nats(kind, swapped)) - measures.caption_bpb!;
        if (all) Object.assign(measures, await this.#retrieval(kind, own));
      }
      if (all && kind.name !== 'video') Object.assign(measures, await this.#closure(kind));
    }
    return measures;
  }

  /** The nats of every id of every window; of another stream than the windows' own where `targets` are given. */
  async #nats(kind: Kind, windows: readonly Window[], targets?: Uint32Array): Promise<Float32Array[]> {
    const nats: Float32Array[] = [];
    for (let first = 0; first < windows.length; first += this.B) {
      if (this.stop()) throw new Stopped();
      const batch = windows.slice(first, first + this.B);
      const used = batch.length;
      while (batch.length < this.B) batch.push(batch[0]!); // a last batch is filled up with what is not looked at
      const each = await kind.evaluator.nats(assemble(batch), targets);
      const T = each.length / this.B;
      for (let b = 0; b < used; b++) nats.push(each.slice(b * T, (b + 1) * T));
    }
    return nats;
  }

  async #retrieval(kind: Kind, own: readonly Float32Array[]): Promise<Measures> {
    const { windows } = kind;
    const captions = [...new Set(windows.map(({ info }) => info.caption!))];
    if (captions.length < CANDIDATES) return {}; // fewer captions would have another chance
    const others = windows.flatMap((window) => {
      const at = captions.indexOf(window.info.caption!);
      return Array.from({ length: CANDIDATES - 1 }, (_, i) =>
        withCaption(window, captions[(at + i + 1) % captions.length]!),
      );
    });
    const nats = await this.#nats(kind, others);
    const right = windows.filter((window, i) =>
      Array.from({ length: CANDIDATES - 1 }, (_, c) => i * (CANDIDATES - 1) + c).every(
        (other) => total(window, own[i]!) < total(others[other]!, nats[other]!),
      ),
    );
    return { retrieval: right.length / windows.length };
  }

  async #closure(kind: Kind): Promise<Measures> {
    const { windows, name } = kind;
    const T = windows[0]!.stream.length;
    const nats = await this.#nats(kind, windows, new Uint32Array(this.B * T).fill(EOS));
    const ends: number[] = [];
    const middles: number[] = [];
    for (const [i, { stream, weights }] of windows.entries()) {
      for (const [t, id] of stream.entries()) {
        if (weights[t]! > 0) (id === EOS ? ends : middles).push(Math.exp(-nats[i]![t]!));
      }
    }
    return {
      ...(ends.length > 0 && { [`${name}_end`]: mean(ends) }),
      ...(middles.length > 0 && { [`${name}_middle`]: mean(middles) }),
    };
  }

  free(): void {
    for (const { evaluator } of this.kinds) evaluator.free();
  }
}

/** Each window with the audio of the next one, going round, whose caption is another. Undefined when all captions are one. */
export function swapAudio(windows: readonly Window[]): Window[] | undefined {
  const swapped = windows.map((window, i) => {
    const order = [...windows.slice(i + 1), ...windows.slice(0, i)];
    const other = order.find(({ info }) => info.caption !== window.info.caption);
    return other && { ...window, prefix: other.prefix };
  });
  return swapped.every((window) => window !== undefined) ? swapped : undefined;
}

/** The window with another caption in its stream. */
function withCaption(window: Window, caption: string): Window {
  const { ids, used } = captionIds(caption, window.stream.length)!; // it fits: it is another window's own
  return { ...window, stream: ids, weights: new Float32Array(ids.length).fill(1, 0, used) };
}

/** Σ w·nats of one window. */
function total({ weights }: Window, nats: Float32Array): number {
  return nats.reduce((sum, each, t) => sum + weights[t]! * each, 0);
}

function bitsPerByte(windows: readonly Window[], nats: readonly Float32Array[]): number {
  const all = windows.reduce((sum, window, i) => sum + total(window, nats[i]!), 0);
  const weight = windows.reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b, 0), 0);
  return bitsOf(all / weight);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
