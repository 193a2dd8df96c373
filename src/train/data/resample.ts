/** Zero crossings of the sinc on each side; more make a steeper edge. */
const lobes = 16;
/** The pass band ends here, as a share of the lower Nyquist frequency, so that the slope ends before it. */
const passBand = 0.92;

/**
 * Change the sampling rate: a windowed-sinc low-pass below the lower of the two Nyquist frequencies, evaluated at the new sample
 * times. Beyond its ends the signal is zero. What has a constant level keeps it.
 *
 * y[n] = Σ_i x[i] · w(t - i),  t = n · from / to,  w(d) = sinc(cutoff · d) · cos²(π d / 2 reach), scaled so that Σ w = 1
 *
 * @param samples [n] at `from` samples per second
 * @param most compute no more than the first so many
 * @returns [min(most, ceil(n · to / from))] at `to` samples per second
 * @see Smith, "Digital audio resampling", https://ccrma.stanford.edu/~jos/resample/
 */
export function resample(samples: Float32Array, from: number, to: number, most = Infinity): Float32Array {
  if (from === to) return samples.subarray(0, most);
  const cutoff = passBand * Math.min(1, to / from); // as a share of the old Nyquist frequency
  const reach = lobes / cutoff; // in old samples
  const taps = 2 * Math.ceil(reach);
  const y = new Float32Array(Math.min(most, Math.ceil((samples.length * to) / from)));
  const kernels = new Map<number, Float64Array>(); // by the fraction of t, of which there are to / gcd(from, to)
  for (let n = 0; n < y.length; n++) {
    const whole = Math.floor((n * from) / to); // t = whole + part / to
    const part = n * from - whole * to;
    let kernel = kernels.get(part);
    if (!kernel) {
      kernel = kernelAt(part / to, cutoff, reach, taps);
      if (kernels.size * taps < 1 << 20) kernels.set(part, kernel);
    }
    const first = whole - taps / 2 + 1; // kernel[j] belongs to x[first + j]
    let sum = 0;
    for (let j = Math.max(0, -first); j < Math.min(taps, samples.length - first); j++)
      sum += kernel[j]! * samples[first + j]!;
    y[n] = sum;
  }
  return y;
}

/** The weights of the taps around a point that lies `fraction` of a sample after the middle tap on its left. */
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
