// gpu/matmul.subgroupMatrix   y[m, n] = Σ_k A[m, k] * B[k, n]   with A and B rounded to f16 and the sums kept in f32, then
// + bias[n], then + the old y[m, n], if their flags are set
// For GPUs with matrix units; adds one idea to gpu/matmul.tiled: a subgroup multiplies small matrices as a whole,
// from the same staged tiles in half precision. Used only if a run requests mixed precision. Twin: matmulReference in
// src/engine/ops/matmul.ts, to the precision of f16.
// Compared with its reference on emulated matrix units (test/support/subgroupMatrix.ts); NOT YET RUN on real ones,
// since no adapter with the feature chromium-experimental-subgroup-matrix has been available.
//
//   a      [M, K], or [K, M] when TRANSPOSE_A == 1   A[m, k] sits at m*K + k, or at k*M + m
//   b      [K, N], or [N, K] when TRANSPOSE_B == 1   B[k, n] sits at k*N + n, or at n*K + k
//   bias   [N]      read only when BIAS == 1; otherwise any buffer is bound
//   y      [M, N]   overwritten, or added into when ADD == 1; [Z, M, N] when the grid is Z > 1 deep, as in gpu/matmul.tiled
//
// f16 ends at 65504 and has full precision down to 6e-5 only. Gradients are below that, so A is multiplied by SCALE, a
// power of two, before rounding, and the sum is divided by it. A number that is too large should become infinite and
// show in the loss.
//
// Workgroup (x, y, z) owns ROWS × COLUMNS of y in layer z. It is 2 × 2 subgroups, each with BLOCKS × BLOCKS sums of
// MATRIX_M × MATRIX_N. Rows and columns past the edge repeat the last one and are not written.

// const TRANSPOSE_A, TRANSPOSE_B, BIAS, ADD: u32, 0 or 1, precede this text, and
// const MATRIX_M, MATRIX_N, MATRIX_K: u32, the sizes that the hardware multiplies at once; SUBGROUP: u32, its lanes;
// const BLOCKS: u32; DEPTH: u32, values of k staged at once, a multiple of MATRIX_K; SCALE: u32

struct Params { M: u32, N: u32, K: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

alias Left = subgroup_matrix_left<f16, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<f16, MATRIX_N, MATRIX_K>;
alias Sum = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

const ROWS = 2 * BLOCKS * MATRIX_M;
const COLUMNS = 2 * BLOCKS * MATRIX_N;
const INVOCATIONS = 4 * SUBGROUP;
const A_PITCH = DEPTH + 8; // 16 bytes of padding spread the rows over the memory's banks and keep them aligned
const B_PITCH = COLUMNS + 8;
const SUM = MATRIX_M * MATRIX_N;

var<workgroup> aTile: array<f16, ROWS * A_PITCH>;  // aTile[i*A_PITCH + q]: A[m0 + i, k + q] * SCALE
var<workgroup> bTile: array<f16, DEPTH * B_PITCH>; // bTile[q*B_PITCH + j]: B[k + q, n0 + j]
var<workgroup> sums: array<f32, 4 * SUM>;          // sums[g*SUM + i*MATRIX_N + j]: one of subgroup g's sums on its way to y

// A[m, k], zero from k = end on.
fn loadA(m: u32, k: u32, end: u32) -> f16 {
  if (k >= end) { return 0.0h; }
  let row = min(m, params.M - 1u);
  return f16(a[select(row * params.K + k, k * params.M + row, TRANSPOSE_A == 1u)] * f32(SCALE));
}

// B[k, n], zero from k = end on.
fn loadB(n: u32, k: u32, end: u32) -> f16 {
  if (k >= end) { return 0.0h; }
  let column = min(n, params.N - 1u);
  return f16(b[select(k * params.N + column, column * params.K + k, TRANSPOSE_B == 1u)]);
}

fn store(layer: u32, m: u32, n: u32, value: f32) {
  if (m >= params.M || n >= params.N) { return; }
  var sum = value / f32(SCALE);
  if (BIAS == 1u) { sum += bias[n]; }
  let at = (layer * params.M + m) * params.N + n; // y[layer, m, n]
  if (ADD == 1u) { y[at] += sum; } else { y[at] = sum; }
}

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) place: u32, // in the subgroup: lanes may not be numbered subgroup by subgroup
) {
  let m0 = group.y * ROWS;
  let n0 = group.x * COLUMNS;
  let top = subgroup / 2u * BLOCKS * MATRIX_M;  // first row of this subgroup in the tile
  let left = subgroup % 2u * BLOCKS * MATRIX_N; // first column
  // This layer's share of k: whole tiles, distributed evenly.
  let share = (params.K + groups.z * DEPTH - 1u) / (groups.z * DEPTH) * DEPTH;
  let begin = group.z * share;
  let end = min(begin + share, params.K);

  var sum: array<Sum, BLOCKS * BLOCKS>; // sum[i*BLOCKS + j]: rows top + i*MATRIX_M .., columns left + j*MATRIX_N ..
  for (var k = begin; k < end; k += DEPTH) {
    // Neighbouring invocations load neighbours in memory.
    for (var s = lane; s < ROWS * DEPTH; s += INVOCATIONS) {
      let at = select(vec2u(s / DEPTH, s % DEPTH), vec2u(s % ROWS, s / ROWS), TRANSPOSE_A == 1u);
      aTile[at.x * A_PITCH + at.y] = loadA(m0 + at.x, k + at.y, end);
    }
    for (var s = lane; s < COLUMNS * DEPTH; s += INVOCATIONS) {
      let at = select(vec2u(s % COLUMNS, s / COLUMNS), vec2u(s / DEPTH, s % DEPTH), TRANSPOSE_B == 1u);
      bTile[at.y * B_PITCH + at.x] = loadB(n0 + at.x, k + at.y, end);
    }
    workgroupBarrier(); // both tiles are staged
    for (var q = 0u; q < DEPTH; q += MATRIX_K) {
      var x: array<Left, BLOCKS>;
      for (var i = 0u; i < BLOCKS; i++) {
        x[i] = subgroupMatrixLoad<Left, row_major>(&aTile, (top + i * MATRIX_M) * A_PITCH + q, A_PITCH);
      }
      for (var j = 0u; j < BLOCKS; j++) {
        let w = subgroupMatrixLoad<Right, row_major>(&bTile, q * B_PITCH + left + j * MATRIX_N, B_PITCH);
        for (var i = 0u; i < BLOCKS; i++) {
          sum[i * BLOCKS + j] = subgroupMatrixMultiplyAccumulate(x[i], w, sum[i * BLOCKS + j]);
        }
      }
    }
    workgroupBarrier(); // all have read the tiles: they may be overwritten
  }

  // Loops have a constant length and no index is computed: an array with a computed index does not stay in registers.
  for (var i = 0u; i < BLOCKS; i++) {
    for (var j = 0u; j < BLOCKS; j++) {
      subgroupMatrixStore<row_major>(&sums, subgroup * SUM, sum[i * BLOCKS + j], MATRIX_N);
      workgroupBarrier(); // every lane can read the sums
      let m = m0 + top + i * MATRIX_M;
      let n = n0 + left + j * MATRIX_N;
      for (var e = 0u; e < (SUM + SUBGROUP - 1u) / SUBGROUP; e++) {
        let at = e * SUBGROUP + place;
        if (at < SUM) { store(group.z, m + at / MATRIX_N, n + at % MATRIX_N, sums[subgroup * SUM + at]); }
      }
      workgroupBarrier(); // all have read the sums: they may be overwritten
    }
  }
}
