/** Number of recent losses to compare a new one with. */
export const SPIKE_WINDOW = 100;
/** Minimum number of losses for a result. */
const LEAST = 20;
const DEVIATIONS = 6;

/** Detects losses far above the recent ones, for each kind of window separately. */
export class Spikes {
  readonly #recent = new Map<string, number[]>();

  /** Record a loss.
   *
   * @returns the number of standard deviations above the mean of the last hundred, if more than six
   */
  add(kind: string, loss: number): number | undefined {
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
