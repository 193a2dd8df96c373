// matmul.2-subgroupOf4   y[m, n] = Σ_k A[m, k] * B[k, n]   then + bias[n], then + the old y[m, n], where the flags ask for it
// matmul.2-subgroup written out for subgroups of 4 lanes, for a driver that unrolls no loop (SwiftShader): vectors and
// matrices stand where that file has arrays. Read that one first. Twin: matmulReference in src/engine/ops/matmul.ts;
// same bits as matmul.1-naive, because k still ascends one by one.
//
//   a      [M, K], or [K, M] when TRANSPOSE_A == 1   A[m, k] sits at m*K + k, or at k*M + m
//   b      [K, N], or [N, K] when TRANSPOSE_B == 1   B[k, n] sits at k*N + n, or at n*K + k
//   bias   [N]      read only when BIAS == 1; otherwise any buffer may stand in
//   y      [M, N]   overwritten, or added into when ADD == 1
//   u      [M, N]   GELU == 1: the sum goes to u and gelu of it to y; GELU == 2: y is the sum times gelu'(u), u being read;
//                   GELU == 0: any buffer may stand in
//
// One workgroup is one subgroup and owns 8 rows × 16 columns of y: lane l has columns n0 + l, n0 + 4 + l, n0 + 8 + l and
// n0 + 12 + l of every row. Past the edge of y, rows and columns repeat the last one and are not written.

// const TRANSPOSE_A, TRANSPOSE_B, BIAS, ADD: u32, 0 or 1, and GELU: u32, 0, 1 or 2, stand before this text

struct Params { M: u32, N: u32, K: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> u: array<f32>;

// Turn four registers of A, as the lanes loaded them, into A[4 rows, k + q] as column q, the same for every lane.
// Lanes run along the axis of A that is contiguous in memory: k when plain, m when transposed.
fn spread(v: vec4f) -> mat4x4f {
  if (TRANSPOSE_A == 1u) { // v[q] of lane r is A[r, k + q]
    return mat4x4f(
      subgroupBroadcast(v.x, 0u), subgroupBroadcast(v.x, 1u), subgroupBroadcast(v.x, 2u), subgroupBroadcast(v.x, 3u),
      subgroupBroadcast(v.y, 0u), subgroupBroadcast(v.y, 1u), subgroupBroadcast(v.y, 2u), subgroupBroadcast(v.y, 3u),
      subgroupBroadcast(v.z, 0u), subgroupBroadcast(v.z, 1u), subgroupBroadcast(v.z, 2u), subgroupBroadcast(v.z, 3u),
      subgroupBroadcast(v.w, 0u), subgroupBroadcast(v.w, 1u), subgroupBroadcast(v.w, 2u), subgroupBroadcast(v.w, 3u));
  } // v[r] of lane q is A[r, k + q]
  return mat4x4f(subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u));
}

// x: four rows of A at one k; w: four columns of B at that k. Column r of the result: row r's four products.
fn outer(x: vec4f, w: vec4f) -> mat4x4f {
  return mat4x4f(x.x * w, x.y * w, x.z * w, x.w * w);
}

fn store(m: u32, n: u32, value: f32) {
  if (m < params.M && n < params.N) {
    let at = m * params.N + n; // y[m, n]
    if (GELU == 1u) { u[at] = value; } else if (ADD == 1u) { y[at] += value; } else { y[at] = value; }
  }
}

// Write this lane's four columns of one row.
fn storeRow(m: u32, n: vec4u, row: vec4f) {
  store(m, n.x, row.x);
  store(m, n.y, row.y);
  store(m, n.z, row.z);
  store(m, n.w, row.w);
}

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

@compute @workgroup_size(4)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let M = params.M;
  let N = params.N;
  let K = params.K;
  let m0 = group.y * 8u;
  let n = group.x * 16u + lane + vec4u(0u, 4u, 8u, 12u); // this lane's four columns

  let rowsLow = min(m0 + vec4u(0u, 1u, 2u, 3u), vec4u(M - 1u));
  let rowsHigh = min(m0 + vec4u(4u, 5u, 6u, 7u), vec4u(M - 1u));
  let column = min(n, vec4u(N - 1u));

  // Where this lane's first loads are, and how far one k moves them: 1 along a row, a whole row's length down a column.
  let aStep = select(1u, M, TRANSPOSE_A == 1u);
  let bStep = select(N, 1u, TRANSPOSE_B == 1u);
  var lowAt = rowsLow * K + lane;   // A[m0 + 0..3, lane]
  var highAt = rowsHigh * K + lane; // A[m0 + 4..7, lane]
  if (TRANSPOSE_A == 1u) {
    lowAt = min(m0 + lane, M - 1u) + vec4u(0u, 1u, 2u, 3u) * M;       // A[m0 + lane, 0..3]
    highAt = min(m0 + 4u + lane, M - 1u) + vec4u(0u, 1u, 2u, 3u) * M; // A[m0 + 4 + lane, 0..3]
  }
  let bAt = select(column, column * K, TRANSPOSE_B == 1u); // B[0, n]

  var low = mat4x4f();  // column r: row m0 + r of y, this lane's four columns
  var high = mat4x4f(); // column r: row m0 + 4 + r
  var i = 0u; // k * aStep
  var j = 0u; // k * bStep
  let whole = K - K % 4u;
  for (var k = 0u; k < whole; k += 4u) {
    let x = spread(vec4f(a[lowAt.x + i], a[lowAt.y + i], a[lowAt.z + i], a[lowAt.w + i]));
    let z = spread(vec4f(a[highAt.x + i], a[highAt.y + i], a[highAt.z + i], a[highAt.w + i]));
    i += 4u * aStep;

    let w0 = vec4f(b[bAt.x + j], b[bAt.y + j], b[bAt.z + j], b[bAt.w + j]); // B[k, n]
    low += outer(x[0], w0);
    high += outer(z[0], w0);
    j += bStep;

    let w1 = vec4f(b[bAt.x + j], b[bAt.y + j], b[bAt.z + j], b[bAt.w + j]); // B[k + 1, n]
    low += outer(x[1], w1);
    high += outer(z[1], w1);
    j += bStep;

    let w2 = vec4f(b[bAt.x + j], b[bAt.y + j], b[bAt.z + j], b[bAt.w + j]); // B[k + 2, n]
    low += outer(x[2], w2);
    high += outer(z[2], w2);
    j += bStep;

    let w3 = vec4f(b[bAt.x + j], b[bAt.y + j], b[bAt.z + j], b[bAt.w + j]); // B[k + 3, n]
    low += outer(x[3], w3);
    high += outer(z[3], w3);
    j += bStep;
  }
  // The last K % 4 values of k, one by one: every lane loads the same A[m, k].
  let lowRow = select(rowsLow * K, rowsLow, TRANSPOSE_A == 1u);
  let highRow = select(rowsHigh * K, rowsHigh, TRANSPOSE_A == 1u);
  for (var k = whole; k < K; k++) {
    let w = vec4f(b[bAt.x + j], b[bAt.y + j], b[bAt.z + j], b[bAt.w + j]); // B[k, n]
    low += outer(vec4f(a[lowRow.x + i], a[lowRow.y + i], a[lowRow.z + i], a[lowRow.w + i]), w);
    high += outer(vec4f(a[highRow.x + i], a[highRow.y + i], a[highRow.z + i], a[highRow.w + i]), w);
    i += aStep;
    j += bStep;
  }

  if (BIAS == 1u) {
    let add = vec4f(bias[column.x], bias[column.y], bias[column.z], bias[column.w]);
    low += mat4x4f(add, add, add, add);
    high += mat4x4f(add, add, add, add);
  }
  storeRow(m0, n, low[0]);
  storeRow(m0 + 1u, n, low[1]);
  storeRow(m0 + 2u, n, low[2]);
  storeRow(m0 + 3u, n, low[3]);
  storeRow(m0 + 4u, n, high[0]);
  storeRow(m0 + 5u, n, high[1]);
  storeRow(m0 + 6u, n, high[2]);
  storeRow(m0 + 7u, n, high[3]);
  if (GELU != 0u) {
    for (var m = m0; m < min(m0 + 8u, params.M); m++) {
      for (var j = 0u; j < 4u; j++) {
        if (n[j] < params.N) { activate(m * params.N + n[j]); } // y[m, n]
      }
    }
  }
}
