/*
 * Matrix units in software: a kernel written with chromium_experimental_subgroup_matrix and f16, as a text that any adapter with
 * subgroups runs. Each lane holds the whole matrix and does the whole product, and f16 is float32 rounded to f16's values. Slow,
 * and enough to hold the kernel's indices, edges, scaling and epilogue to their reference where there is no such GPU.
 */

/** The types and built-ins of the extension, as plain WGSL over the kernel's own workgroup arrays. */
const EMULATION = `
alias Left = array<f32, MATRIX_M * MATRIX_K>;  // [i, q] at i*MATRIX_K + q
alias Right = array<f32, MATRIX_K * MATRIX_N>; // [q, j] at q*MATRIX_N + j
alias Sum = array<f32, MATRIX_M * MATRIX_N>;   // [i, j] at i*MATRIX_N + j

// x rounded to f16, ties to even. quantizeToF16 will not do: a driver may cut where a conversion rounds.
fn half(x: f32) -> f32 {
  if (abs(x) >= 65520.0) { return x * 1e38; }
  if (abs(x) < 0.00006103515625) { return round(x * 16777216.0) / 16777216.0; } // below 2^-14 a step is 2^-24
  let bits = bitcast<u32>(x); // else 13 of its 23 bits go
  return bitcast<f32>((bits + 0xfffu + ((bits >> 13u) & 1u)) & ~0x1fffu);
}

fn loadLeft(offset: u32, pitch: u32) -> Left {
  var x: Left;
  for (var i = 0u; i < MATRIX_M; i++) {
    for (var q = 0u; q < MATRIX_K; q++) { x[i * MATRIX_K + q] = aTile[offset + i * pitch + q]; }
  }
  return x;
}

fn loadRight(offset: u32, pitch: u32) -> Right {
  var x: Right;
  for (var q = 0u; q < MATRIX_K; q++) {
    for (var j = 0u; j < MATRIX_N; j++) { x[q * MATRIX_N + j] = bTile[offset + q * pitch + j]; }
  }
  return x;
}

fn multiplyAccumulate(x: Left, w: Right, before: Sum) -> Sum {
  var left = x; // a parameter cannot be indexed by a variable
  var right = w;
  var sum = before;
  for (var i = 0u; i < MATRIX_M; i++) {
    for (var j = 0u; j < MATRIX_N; j++) {
      for (var q = 0u; q < MATRIX_K; q++) { sum[i * MATRIX_N + j] += left[i * MATRIX_K + q] * right[q * MATRIX_N + j]; }
    }
  }
  return sum;
}

fn storeSum(offset: u32, x: Sum, pitch: u32) {
  var sum = x;
  for (var i = 0u; i < MATRIX_M; i++) {
    for (var j = 0u; j < MATRIX_N; j++) { sums[offset + i * pitch + j] = sum[i * MATRIX_N + j]; }
  }
}
`;

const REPLACED: readonly (readonly [RegExp, string])[] = [
  [/^enable (f16|chromium_experimental_subgroup_matrix);\n/gm, ''],
  [/^alias (Left|Right|Sum) = .*\n/gm, ''],
  [/subgroupMatrixLoad<Left, row_major>\(&aTile, /g, 'loadLeft('],
  [/subgroupMatrixLoad<Right, row_major>\(&bTile, /g, 'loadRight('],
  [/subgroupMatrixMultiplyAccumulate\(/g, 'multiplyAccumulate('],
  [/subgroupMatrixStore<row_major>\(&sums, /g, 'storeSum('],
  [/\bf16\(/g, 'half('],
  [/\bf16\b/g, 'f32'],
  [/\b0\.0h\b/g, '0.0'],
];

/** A kernel's whole text, constants included, with matrix units emulated; any other text as it is. */
export function withoutMatrixUnits(text: string): string {
  if (!text.includes('enable chromium_experimental_subgroup_matrix;')) return text;
  const code = text.replace(/\/\/.*$/gm, '');
  const plain = REPLACED.reduce((changed, [pattern, by]) => changed.replace(pattern, by), code);
  return plain + EMULATION;
}

/** The nearest number that f16 has, ties to even. roundToHalf(1 / 3) // 0.333251953125, roundToHalf(70000) // Infinity */
export function roundToHalf(x: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(x)))); // below 2^-14 steps stay as they are there
  const step = 2 ** (exponent - 10);
  const steps = Math.abs(x) / step;
  const down = Math.floor(steps);
  const even = down % 2 === 0 ? down : down + 1;
  const rounded = steps - down === 0.5 ? even : Math.round(steps);
  return rounded * step >= 65520 ? Math.sign(x) * Number.POSITIVE_INFINITY : Math.sign(x) * rounded * step;
}
