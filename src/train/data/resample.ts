import type { Sound } from './wav.js';

/** Zero crossings of the sinc on each side; more make a steeper edge. */
const lobes = 16;
/** The pass band ends here, as a share of the lower Nyquist frequency, so that the slope ends before it. */
const passBand = 0.92;

/**
 * Change the sampling rate: a windowed-sinc low-pass below the lower of the two Nyquist frequencies, evaluated at the new sample
 * times. Beyond its ends the signal is zero. A constant signal stays constant. Only the requested part is computed and
 * read from `sound`.
 *
 * y[n] = Σ_i x[i] · w(t - i),  t = n · from / to,  w(d) = sinc(cutoff · d) · cos²(π d / 2 reach), scaled so that Σ w = 1
 *
 * @param sound x, [n] at `from` samples per second
 * @returns y, [ceil(n · to / from)] at `to` samples per second
 * @see Smith, "Digital audio resampling", https://ccrma.stanford.edu/~jos/resample/
 */
export function resample(sound: Sound, to: number): Sound {
  const from = sound.rate;
  if (from === to) return sound;
  const cutoff = passBand * Math.min(1, to / from); // as a share of the old Nyquist frequency
  const reach = lobes / cutoff; // in old samples
  const taps = 2 * Math.ceil(reach);
  const length = Math.ceil((sound.length * to) / from);
  const kernels = new Map<number, Float64Array>(); // by the fraction of t, of which there are to / gcd(from, to)
  const whole = (n: number) => Math.floor((n * from) / to); // t = whole + part / to
  const left = (n: number) => whole(n) - taps / 2 + 1; // kernel[j] belongs to x[left + j]
  return {
    rate: to,
    length,
    read(first, count) {
      const y = new Float32Array(Math.max(0, Math.min(count, length - first)));
      if (y.length === 0) return y;
      const start = Math.max(0, left(first));
      const x = sound.read(start, left(first + y.length - 1) + taps - start);
      for (let i = 0; i < y.length; i++) {
        const n = first + i;
        const part = n * from - whole(n) * to;
        let kernel = kernels.get(part);
        if (!kernel) {
          kernel = kernelAt(part / to, cutoff, reach, taps);
          if (kernels.size * taps < 1 << 20) kernels.set(part, kernel);
        }
        const at = left(n) - start;
        let sum = 0;
        for (let j = Math.max(0, -at); j < Math.min(taps, x.length - at); j++) sum += kernel[j]! * x[at + j]!;
        y[i] = sum;
      }
      return y;
    },
  };
}

/** The weights of the taps around a point `fraction` of a sample after the middle tap on its left. */
function kernelAt(fraction: number, cutoff: number, reach: number, taps: number): Float64Array {
  const kernel = new Float64Array(taps);
  let sum = 0;
  for (let j = 0; j < taps; j++) {
    const d = fraction - (j - taps / 2 + 1);
    const window = Math.abs(d) < reach ? Math.cos((Math.PI * d) / (2 * reach)) ** 2 : 0;
    const x = Math.PI * cutoff * d;
    kernel[j] = window * (x === 0 ? 1 : Math.sin(x) / x);
    sum += kernel[j]!;
  }
  return kernel.map((weight) => weight / sum);
}
