import type { Device } from '../device/device.js';
import type { Plan } from '../engine/plan.js';
import type { DecoderConfig } from '../model/config.js';
import { bitsOf, Evaluator } from '../model/evaluator.js';
import { distractors, foreignOrder } from './foreign.js';
import { captionIds } from './windows/caption.js';
import { assemble } from './windows/mix.js';
import { EOS, type Window, type WindowKind, type WindowSource } from './windows/window.js';

/**
 * The measures of a validation, by name, over the fixed held-out windows of each kind. `nats` are summed over predicted
 * ids, including the EOS of a caption or a document.
 *
 * - `text_bpb`, `video_bpb`, `caption_bpb`: bits per predicted byte, `Σ w·nats / Σ w / ln 2`, of text windows, of video
 *   windows, and of the captions of audio windows
 * - `binding_gap`: caption bits per byte with the recording of another window with another caption, minus with its own.
 *   0 for a decoder that ignores the audio. The assignment of recordings is drawn once for all runs, see
 *   `foreignOrder`; at the end of a run the gap is the mean over `ROUNDS` draws. Absent if a caption has more than half
 *   of the windows
 *
 * and with `all`, as at the end of a run:
 *
 * - `retrieval`: the share of audio windows whose own caption costs fewer bits than each of nine others, drawn for each
 *   window once for all runs. Chance is 0.1
 * - `text_end`, `caption_end`: mean P(EOS) at the end of a document or caption; absent if no held-out window contains
 *   an end
 * - `text_middle`, `caption_middle`: mean P(EOS) at every other predicted position. A decoder that predicts ends well
 *   has the first near 1 and the second near 0
 */
export type Measures = { readonly [name: string]: number };

/**
 * A measure, window by window: `Σ sums / Σ weights`. In bits per byte a sum is a window's bits and a weight its
 * predicted bytes; in retrieval a sum is 1 if the caption was found, and each weight is 1.
 */
export interface WindowScores {
  readonly sums: readonly number[];
  readonly weights: readonly number[];
}

/** A validation: the measures, and their values per window. */
export interface Validation {
  readonly measures: Measures;
  readonly scores: { readonly [name: string]: WindowScores };
}

/** `ratioOf({ sums: [1, 2], weights: [1, 1] }) // 1.5` */
export function ratioOf({ sums, weights }: WindowScores): number {
  return sum(sums) / sum(weights);
}

/** Number of captions to match with each recording. */
const CANDIDATES = 10;

/** Number of foreign recordings for each caption at the end of a run. */
const ROUNDS = 5;

/** The name of a kind in the names of measures: only the caption of an audio window is predicted. */
export const PREDICTED: Readonly<Record<WindowKind, string>> = { text: 'text', audio: 'caption', video: 'video' };

interface Kind {
  readonly name: string;
  readonly evaluator: Evaluator;
  readonly windows: readonly Window[];
}

/** Ends a measurement from inside; never leaves `measure`. */
class Stopped extends Error {}

/** Measures a decoder on held-out windows. It shares the parameters of the plan that trains it. */
export class Validator {
  private constructor(
    private readonly B: number,
    private readonly kinds: readonly Kind[],
    private readonly stop: () => boolean,
  ) {}

  /** @param B windows scored at once   @param stop called before each batch: when it returns true, `measure` ends */
  static async create(
    device: Device,
    config: DecoderConfig,
    B: number,
    sources: readonly WindowSource[],
    shared: Plan,
    stop: () => boolean = () => false,
  ): Promise<Validator> {
    const kinds = [];
    for (const source of sources) {
      const size = { B, L: source.size.prefix, T: source.size.stream };
      const evaluator = await Evaluator.create(device, config, size, { shared });
      const windows = Array.from({ length: source.validationCount }, (_, i) => source.validation(i));
      kinds.push({ name: PREDICTED[source.kind], evaluator, windows });
    }
    return new Validator(B, kinds, stop);
  }

  /**
   * @param all include the measures that take several passes: retrieval, closure, and the binding gap over several
   * draws
   * @returns undefined when it was stopped
   */
  async measure(all = false): Promise<Validation | undefined> {
    try {
      const scores = await this.#scores(all);
      const measures = Object.fromEntries(Object.entries(scores).map(([name, each]) => [name, ratioOf(each)]));
      return { measures, scores };
    } catch (error) {
      if (error instanceof Stopped) return undefined;
      throw error;
    }
  }

  async #scores(all: boolean): Promise<Record<string, WindowScores>> {
    const scores: Record<string, WindowScores> = {};
    for (const kind of this.kinds) {
      const own = await this.#nats(kind, kind.windows);
      scores[`${kind.name}_bpb`] = bitsOfWindows(kind.windows, own);
      if (kind.name === 'caption') {
        const gap = await this.#bindingGap(kind, scores.caption_bpb!, all ? ROUNDS : 1);
        if (gap) scores.binding_gap = gap;
        if (all) Object.assign(scores, await this.#retrieval(kind, own));
      }
      if (all && kind.name !== 'video') Object.assign(scores, await this.#closure(kind));
    }
    return scores;
  }

  /** The nats of every id of every window, for the stream `targets` if given, else the window's own. */
  async #nats(kind: Kind, windows: readonly Window[], targets?: Uint32Array): Promise<Float32Array[]> {
    const nats: Float32Array[] = [];
    for (let first = 0; first < windows.length; first += this.B) {
      if (this.stop()) throw new Stopped();
      const batch = windows.slice(first, first + this.B);
      const used = batch.length;
      // the last batch is padded with windows whose results are ignored
      while (batch.length < this.B) batch.push(batch[0]!);
      const each = await kind.evaluator.nats(assemble(batch), targets);
      const T = each.length / this.B;
      for (let b = 0; b < used; b++) nats.push(each.slice(b * T, (b + 1) * T));
    }
    return nats;
  }

  /** Additional bits of each caption with a foreign recording, the mean over draws. */
  async #bindingGap(kind: Kind, own: WindowScores, rounds: number): Promise<WindowScores | undefined> {
    const sums = own.sums.map((bits) => -bits);
    for (let round = 0; round < rounds; round++) {
      const swapped = swapAudio(kind.windows, round);
      if (swapped === undefined) return undefined;
      const foreign = bitsOfWindows(swapped, await this.#nats(kind, swapped));
      for (const [i, bits] of foreign.sums.entries()) sums[i]! += bits / rounds;
    }
    return { sums, weights: own.weights };
  }

  async #retrieval(kind: Kind, own: readonly Float32Array[]): Promise<Record<string, WindowScores>> {
    const { windows } = kind;
    const captions = [...new Set(windows.map(({ info }) => info.caption!))];
    const others: Window[] = [];
    for (const [i, window] of windows.entries()) {
      const drawn = distractors(i, window.info.caption!, captions, CANDIDATES - 1);
      if (drawn === undefined) return {}; // chance would differ with fewer captions
      others.push(...drawn.map((caption) => withCaption(window, caption)));
    }
    const nats = await this.#nats(kind, others);
    const found = windows.map((window, i) => {
      const mine = Array.from({ length: CANDIDATES - 1 }, (_, c) => i * (CANDIDATES - 1) + c);
      return mine.every((other) => total(window, own[i]!) < total(others[other]!, nats[other]!)) ? 1 : 0;
    });
    return { retrieval: { sums: found, weights: windows.map(() => 1) } };
  }

  async #closure(kind: Kind): Promise<Record<string, WindowScores>> {
    const { windows, name } = kind;
    const T = windows[0]!.stream.length;
    const nats = await this.#nats(kind, windows, new Uint32Array(this.B * T).fill(EOS));
    const at = (ends: boolean): WindowScores => {
      const chances = windows.map(({ stream, weights }, i) =>
        [...stream.keys()]
          .filter((t) => weights[t]! > 0 && (stream[t] === EOS) === ends)
          .map((t) => Math.exp(-nats[i]![t]!)),
      );
      return { sums: chances.map(sum), weights: chances.map(({ length }) => length) };
    };
    const scores = { [`${name}_end`]: at(true), [`${name}_middle`]: at(false) };
    return Object.fromEntries(Object.entries(scores).filter(([, { weights }]) => sum(weights) > 0));
  }

  free(): void {
    for (const { evaluator } of this.kinds) evaluator.free();
  }
}

/** Each window with the recording of another with another caption, as drawn in a round. Undefined if there is no such draw. */
export function swapAudio(windows: readonly Window[], round: number): Window[] | undefined {
  const order = foreignOrder(
    windows.map(({ info }) => info.caption!),
    round,
  );
  return order?.map((from, i) => ({ ...windows[i]!, prefix: windows[from]!.prefix }));
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

function bitsOfWindows(windows: readonly Window[], nats: readonly Float32Array[]): WindowScores {
  return {
    sums: windows.map((window, i) => bitsOf(total(window, nats[i]!))),
    weights: windows.map(({ weights }) => sum([...weights])),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
