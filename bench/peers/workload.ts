/**
 * The one training step that every library here builds: a causal byte decoder with learned byte and position embeddings,
 * pre-norm blocks with GELU, an untied head without a bias, and Adam. Weights and batches come from a seed, so losses must agree.
 */
export interface Workload {
  /** windows, and bytes of each */
  readonly B: number;
  readonly T: number;
  readonly dim: number;
  readonly heads: number;
  readonly layers: number;
}

/** By name, for `--workload`. */
export const WORKLOADS: Readonly<Record<string, Workload>> = {
  small: { B: 8, T: 128, dim: 128, heads: 4, layers: 2 },
  '25M': { B: 1, T: 128, dim: 512, heads: 8, layers: 8 },
  /** as many positions as a step of `--size lean` with 16 windows of 512 + 256 bytes: for a card */
  lean: { B: 16, T: 320, dim: 512, heads: 8, layers: 8 },
};

/** Number of ids: bytes, and two more as in our own decoder. */
export const VOCABULARY = 258;

/** The optimiser of every library: no clipping, no decay. */
export const ADAM = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8 } as const;

/** A parameter's numbers, row-major; matrices are `[in, out]`, as `x · W` reads them. */
export interface Weights {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Uniform numbers in [0, 1): Mulberry32. */
function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Initial parameters: matrices normal with deviation 0.02, norms 1, biases 0. The order determines the numbers. */
export function weightsOf({ T, dim, layers }: Workload): Map<string, Weights> {
  const draw = uniforms(1234);
  const normal = () => {
    const u = 1 - draw();
    return 0.02 * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * draw());
  };
  const weights = new Map<string, Weights>();
  const matrix = (name: string, rows: number, columns: number) =>
    weights.set(name, { shape: [rows, columns], data: Float32Array.from({ length: rows * columns }, normal) });
  const vector = (name: string, length: number, value: number) =>
    weights.set(name, { shape: [length], data: new Float32Array(length).fill(value) });
  const linear = (name: string, from: number, to: number) => {
    matrix(`${name}.weight`, from, to);
    vector(`${name}.bias`, to, 0);
  };
  const norm = (name: string) => {
    vector(`${name}.weight`, dim, 1);
    vector(`${name}.bias`, dim, 0);
  };
  matrix('bytes', VOCABULARY, dim);
  matrix('positions', T, dim);
  for (let i = 0; i < layers; i++) {
    norm(`blocks.${i}.norm1`);
    linear(`blocks.${i}.attention.qkv`, dim, 3 * dim);
    linear(`blocks.${i}.attention.out`, dim, dim);
    norm(`blocks.${i}.norm2`);
    linear(`blocks.${i}.mlp.up`, dim, 4 * dim);
    linear(`blocks.${i}.mlp.down`, 4 * dim, dim);
  }
  norm('norm');
  matrix('head', dim, VOCABULARY);
  return weights;
}

const WORDS = 'the a cat dog sat ran on under mat tree and then it was red blue fast slow near far'.split(' ');

/** The batch of a step: `B` windows of random words, and the byte after each byte. Both `[B, T]`. */
export function batchOf({ B, T }: Workload, step: number): { x: Int32Array; y: Int32Array } {
  const draw = uniforms(99 + step);
  const x = new Int32Array(B * T);
  const y = new Int32Array(B * T);
  for (let b = 0; b < B; b++) {
    let text = '';
    while (text.length < T + 1) text += `${WORDS[Math.floor(draw() * WORDS.length)]} `;
    for (let t = 0; t < T; t++) {
      x[b * T + t] = text.charCodeAt(t);
      y[b * T + t] = text.charCodeAt(t + 1);
    }
  }
  return { x, y };
}
