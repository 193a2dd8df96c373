// A data loader of your own: windows over any bytes you have. The recipe is in src/train/README.md.
import { uniform, type Window, type WindowSize, type WindowSource } from 'byte-to-loss';

/** Windows over a string of digits; the last tenth of it is held out. */
export function digitWindows(digits: string, size: WindowSize): WindowSource {
  const bytes = new TextEncoder().encode(digits);
  const length = size.prefix + size.stream;
  const cut = Math.floor(bytes.length * 0.9);
  const trainCount = cut - length + 1;
  const validationCount = Math.floor((bytes.length - cut) / length);
  const window = (at: number): Window => ({
    kind: 'text',
    prefix: Uint32Array.from(bytes.subarray(at, at + size.prefix)),
    stream: Uint32Array.from(bytes.subarray(at + size.prefix, at + length)),
    weights: new Float32Array(size.stream).fill(1),
    info: { source: 'digits', at, parts: { prefix: [], stream: [] } },
  });
  return {
    kind: 'text',
    name: 'digits',
    size,
    trainCount,
    validationCount,
    // A function of seed, step and place in the batch: a resumed run needs nothing but its step.
    sample: (split, seed, step, index) =>
      split === 'train'
        ? window(Math.floor(uniform(seed, `digits ${index}`, step) * trainCount))
        : window(cut + (index % validationCount) * length),
    validation: (index) => window(cut + index * length),
    describe: () => `digits: ${bytes.length} of them, ${bytes.length - cut} held out`,
  };
}
