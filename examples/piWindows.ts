// A data loader of your own: windows over any bytes you have. The recipe is in src/train/README.md.
import { uniform, type Window, type WindowSize, type WindowSource } from 'byte-to-loss';

/** Windows over a string of digits; the last tenth of it is held out. */
export function digitWindows(digits: string, size: WindowSize): WindowSource {
  const ids = Uint32Array.from(new TextEncoder().encode(digits));
  const length = size.prefix + size.stream;
  const cut = Math.floor(ids.length * 0.9);
  const trainCount = cut - length + 1;
  const validationCount = Math.floor((ids.length - cut) / length);
  const window = (at: number): Window => ({
    kind: 'text',
    prefix: ids.slice(at, at + size.prefix),
    stream: ids.slice(at + size.prefix, at + length),
    weights: new Float32Array(size.stream).fill(1),
    info: { source: 'digits', at, parts: { prefix: [], stream: [] } },
  });
  const validation = (index: number) => window(cut + (index % validationCount) * length);
  // A function of seed, step and place in the batch: a resumed run needs nothing but its step.
  const train = (seed: number, step: number, index: number) =>
    window(Math.floor(uniform(seed, `digits ${index}`, step) * trainCount));
  const sample: WindowSource['sample'] = (split, seed, step, index) =>
    split === 'train' ? train(seed, step, index) : validation(index);
  const describe = () => `digits: ${ids.length} of them, ${ids.length - cut} held out`;
  return { kind: 'text', name: 'digits', size, trainCount, validationCount, sample, validation, describe };
}
