// matmul.2-subgroup   y[m, n] = Σ_k A[m, k] * B[k, n]   then + bias[n], then + the old y[m, n], where the flags ask for it
// Variant 2 adds one idea: a subgroup loads a tile of A together, one value per lane, and hands the values round by
// subgroupShuffle, so that a multiplication costs a fraction of a load. No workgroup memory, no barrier: what CPU drivers
// like. Twin: matmulReference in src/engine/ops/matmul.ts; same bits as matmul.1-naive, because k still ascends one by one.
//
//   a      [M, K], or [K, M] when TRANSPOSE_A == 1   A[m, k] sits at m*K + k, or at k*M + m
//   b      [K, N], or [N, K] when TRANSPOSE_B == 1   B[k, n] sits at k*N + n, or at n*K + k
//   bias   [N]      read only when BIAS == 1; otherwise any buffer may stand in
//   y      [M, N]   overwritten, or added into when ADD == 1
//   u      [M, N]   GELU == 1: the sum goes to u and gelu of it to y; GELU == 2: y is the sum times gelu'(u), u being read;
//                   GELU == 0: any buffer may stand in
//
// One workgroup is one subgroup and owns ROWS rows × 2*SUBGROUP columns of y: lane l has columns n0 + l and
// n0 + SUBGROUP + l of every row. Past the edge of y, rows and columns repeat the last one and are not written.
// Loops over rows and over the q of a whole tile have const trip counts: the driver unrolls them and keeps the arrays in
// registers. The loop over what is left of K has not: it runs once, and would take as long to compile again.

// const TRANSPOSE_A, TRANSPOSE_B, BIAS, ADD: u32, 0 or 1, and GELU: u32, 0, 1 or 2, stand before this text, and
// const SUBGROUP: u32, the adapter's subgroup size; ROWS: u32, a multiple of SUBGROUP or less

struct Params { M: u32, N: u32, K: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> u: array<f32>;

// Lanes run along the axis of A that is contiguous in memory, and a tile of A takes LOADS registers x[t], lane by lane:
//   plain       SUBGROUP values of k at once   x[t] = A[m0 + t, k + lane]              A[m0 + i, k + q] is x[i] of lane q
//   transposed  one k, SUBGROUP rows a load    x[t] = A[m0 + t*SUBGROUP + lane, k]     A[m0 + i, k] is x[i / SUBGROUP]
//                                                                                      of lane i % SUBGROUP
const DEPTH = select(SUBGROUP, 1u, TRANSPOSE_A == 1u);
const LOADS = select(ROWS, max(ROWS / SUBGROUP, 1u), TRANSPOSE_A == 1u);

// The GELU of what this invocation has stored, on a second walk over it while it is near: its text stands here once, where
// the sums are written out row by row. The clamp: see gelu.forward.
fn activate(at: u32) {
  let x = u[at];
  let t = tanh(clamp(0.7978845608 * (x + 0.044715 * x * x * x), -10.0, 10.0));
  if (GELU == 1u) {
    y[at] = 0.5 * x * (1.0 + t);
  } else {
    let slope = 0.7978845608 * (1.0 + 0.134145 * x * x); // derivative of tanh's argument
    y[at] *= 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope;
  }
}

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let M = params.M;
  let N = params.N;
  let K = params.K;
  let m0 = group.y * ROWS;
  let n = group.x * 2u * SUBGROUP + vec2u(lane, SUBGROUP + lane); // this lane's two columns

  // Walking k moves a's index by aStep and b's by bStep: 1 along a row, a whole row's length down a column.
  let aStep = select(1u, M, TRANSPOSE_A == 1u);
  let bStep = select(N, 1u, TRANSPOSE_B == 1u);
  let column = min(n, vec2u(N - 1u));
  let bAt = select(column, column * K, TRANSPOSE_B == 1u); // B[0, n]
  var aAt: array<u32, LOADS>; // where x[t] is at k = 0, but for the lanes along k
  for (var t = 0u; t < LOADS; t++) {
    if (TRANSPOSE_A == 1u) {
      aAt[t] = min(m0 + t * SUBGROUP + lane, M - 1u);
    } else {
      aAt[t] = min(m0 + t, M - 1u) * K;
    }
  }

  var sum: array<vec2f, ROWS>; // sum[i]: row m0 + i, this lane's two columns
  let whole = K - K % DEPTH;
  for (var k = 0u; k < whole; k += DEPTH) {
    let ahead = select(lane, 0u, TRANSPOSE_A == 1u); // lanes along k
    var x: array<f32, LOADS>;
    for (var t = 0u; t < LOADS; t++) { x[t] = a[aAt[t] + k * aStep + ahead]; }
    for (var q = 0u; q < DEPTH; q++) {
      let at = bAt + (k + q) * bStep;
      let w = vec2f(b[at.x], b[at.y]); // B[k + q, n]
      for (var i = 0u; i < ROWS; i++) {
        if (TRANSPOSE_A == 1u) {
          sum[i] += subgroupShuffle(x[i / SUBGROUP], i % SUBGROUP) * w;
        } else {
          sum[i] += subgroupShuffle(x[i], q) * w;
        }
      }
    }
  }
  if (TRANSPOSE_A == 0u && whole < K) { // what is left of K; transposed, a tile is one k and nothing is
    let depth = K - whole;
    let ahead = min(lane, depth - 1u); // lanes past the end repeat the last value, which no q reaches
    var x: array<f32, ROWS>;
    for (var i = 0u; i < ROWS; i++) { x[i] = a[aAt[i] + whole + ahead]; }
    for (var q = 0u; q < depth; q++) {
      let at = bAt + (whole + q) * bStep;
      let w = vec2f(b[at.x], b[at.y]); // B[whole + q, n]
      for (var i = 0u; i < ROWS; i++) { sum[i] += subgroupShuffle(x[i], q) * w; }
    }
  }

  if (BIAS == 1u) {
    let add = vec2f(bias[column.x], bias[column.y]);
    for (var i = 0u; i < ROWS; i++) { sum[i] += add; }
  }
  for (var i = 0u; i < ROWS && m0 + i < M; i++) {
    for (var j = 0u; j < 2u; j++) {
      if (n[j] < N) {
        let at = (m0 + i) * N + n[j]; // y[m0 + i, n]
        if (GELU == 1u) { u[at] = sum[i][j]; } else if (ADD == 1u) { y[at] += sum[i][j]; } else { y[at] = sum[i][j]; }
      }
    }
  }
  if (GELU != 0u) {
    let rows = min(ROWS, M - m0);
    for (var i = 0u; i < rows; i++) {
      for (var j = 0u; j < 2u; j++) {
        if (n[j] < N) { activate((m0 + i) * N + n[j]); } // y[m0 + i, n]
      }
    }
  }
}
