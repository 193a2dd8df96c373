/** Losses that a new one is compared with. */
export const SPIKE_WINDOW = 100;
/** No verdict before this many. */
const LEAST = 20;
const DEVIATIONS = 6;

/** Notices losses far above those before them, for each kind of window by itself. */
export class Spikes {
  readonly #recent = new Map<string, number[]>();

  /**
   * Take in a loss.
   *
   * @returns how many standard deviations it lies above the mean of the last hundred, if more than six
   */
  meet(kind: string, loss: number): number | undefined {
    const recent = this.#recent.get(kind) ?? [];
    this.#recent.set(kind, recent);
    const mean = recent.reduce((sum, x) => sum + x, 0) / recent.length;
    const deviation = Math.sqrt(recent.reduce((sum, x) => sum + (x - mean) ** 2, 0) / recent.length);
    const above = recent.length < LEAST ? 0 : (loss - mean) / deviation;
    recent.push(loss);
    if (recent.length > SPIKE_WINDOW) recent.shift();
    return above > DEVIATIONS && Number.isFinite(above) ? above : undefined;
  }
}
