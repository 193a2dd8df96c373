import type { Device } from '../device/device.js';
import { planMemory } from '../engine/memory.js';
import { bytesOf } from '../engine/prediction.js';
import type { DecoderConfig } from '../model/config.js';
import { initialParameters } from '../model/parameters.js';
import { VOCABULARY } from '../substrate/channels.js';
import { recordStep } from '../train/recordStep.js';
import { type OpenedData, openData } from '../train/run/data.js';
import { decoderConfigOf } from '../train/run/options.js';
import { Trainer } from '../train/trainer.js';
import { sampleBatch } from '../train/windows/mix.js';
import type { WindowSize } from '../train/windows/window.js';
import type { Cell } from './grid.js';

/** The predicted cost of a cell. */
export interface Estimate {
  /** operations of all its updates */
  readonly flops: number;
  /** bytes of GPU buffers; an op's scratch memory is not counted */
  readonly memory: number;
}

/**
 * Floating-point operations of a window's update: two per multiply-add, and a backward pass of twice the forward.
 * Only matrix products and attention are counted, which are nearly all.
 */
export function flopsPerWindow(config: DecoderConfig, { prefix, stream: T }: WindowSize): number {
  const { dim: C, layers, K, door } = config;
  const P = Math.ceil(prefix / K);
  const S = P + T;
  const linears = layers * 12 * C * C * S + VOCABULARY * C * T + (door === 'projected' ? C * 27 * (K * P + T) : 0);
  // Each position sees all slots, a stream position also sees itself and earlier ones; two products of C per pair.
  const pairs = S * P + (T * (T + 1)) / 2;
  return 3 * 2 * (linears + layers * 2 * C * pairs);
}

/** Counts of one cell, without a device. */
export function estimateCell({ options, steps }: Cell, data: OpenedData): Estimate {
  const config = decoderConfigOf(options);
  const { shares } = data.mix;
  const total = shares.reduce((sum, { share }) => sum + share, 0);
  const perWindow = shares.reduce(
    (sum, { source, share }) => sum + (share / total) * flopsPerWindow(config, source.size),
    0,
  );
  const programs = data.mix.sizes.map((size) => recordStep({ config }, size, options.batch).program);
  // The plans of further sizes borrow parameters and moments from the first.
  const plans = programs.map((program, i) =>
    bytesOf(program, planMemory(program, new Map()), i > 0 ? programs[0] : undefined),
  );
  return {
    flops: steps * options.batch * options.accumulate * perWindow,
    memory: plans.reduce((sum, { fresh }) => sum + fresh, 0),
  };
}

/**
 * Estimates of all cells; cells that differ only in seed, learning rate or initial numbers are estimated once.
 *
 * @param strict stop at the first bad line or file of the data, as the cells would
 * @throws FileError when data cannot be used
 */
export function estimateCells(cells: readonly Cell[], strict: boolean): Estimate[] {
  const data = new Map<string, OpenedData>();
  const known = new Map<string, Estimate>();
  return cells.map((cell) => {
    const { seed: _, lr: _lr, doorDeviation: _d, doorScale, door, channels, bits, K, steps, ...rest } = cell.options;
    const dataKey = JSON.stringify(rest);
    if (!data.has(dataKey)) data.set(dataKey, openData({ ...cell.options, strict: strict || cell.options.strict }));
    const key = JSON.stringify([rest, door, channels, bits, K, steps, doorScale]);
    if (!known.has(key)) known.set(key, estimateCell(cell, data.get(dataKey)!));
    return known.get(key)!;
  });
}

/**
 * Floating-point operations per second of a device on a cell's decoder: the second of two updates with a batch of one
 * window. A larger batch is faster, so estimated times are conservative.
 */
export async function measureRate(device: Device, { options, seed }: Cell): Promise<number> {
  const config = decoderConfigOf(options);
  const { mix } = openData(options);
  const parameters = initialParameters(config, seed);
  const trainer = await Trainer.create(device, { config, batch: 1, sizes: mix.sizes.slice(0, 1), parameters });
  try {
    const source = mix.shares[0]!.source;
    let start = 0;
    for (let step = 0; step < 2; step++) {
      const batch = sampleBatch(source, 'train', seed, step, 1);
      start = performance.now();
      await trainer.update([batch], 1e-4);
    }
    return flopsPerWindow(config, source.size) / ((performance.now() - start) / 1000);
  } finally {
    trainer.free();
  }
}
