// matmul.2-register   y[m, n] = Σ_k A[m, k] * B[k, n]   then + bias[n], then + the old y[m, n], where the flags ask for it
// matmul.2-subgroup for adapters without subgroups: an invocation keeps 8×4 sums in registers, so that every value it loads
// is used 4 or 8 times. Twin: matmulReference in src/engine/ops/matmul.ts; same bits as matmul.1-naive, because k still
// ascends one by one.
//
//   a      [M, K], or [K, M] when TRANSPOSE_A == 1   A[m, k] sits at m*K + k, or at k*M + m
//   b      [K, N], or [N, K] when TRANSPOSE_B == 1   B[k, n] sits at k*N + n, or at n*K + k
//   bias   [N]      read only when BIAS == 1; otherwise any buffer may stand in
//   y      [M, N]   overwritten, or added into when ADD == 1
//   u      [M, N]   GELU == 1: the sum goes to u and gelu of it to y; GELU == 2: y is the sum times gelu'(u), u being read;
//                   GELU == 0: any buffer may stand in
//
// One workgroup owns 8 rows × 32 columns of y: invocation l has columns n0 + l, n0 + 8 + l, n0 + 16 + l and n0 + 24 + l
// of every row. Past the edge of y, rows and columns repeat the last one and are not written.

// const TRANSPOSE_A, TRANSPOSE_B, BIAS, ADD: u32, 0 or 1, and GELU: u32, 0, 1 or 2, stand before this text

struct Params { M: u32, N: u32, K: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> u: array<f32>;

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

// Write this invocation's four columns of one row.
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

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let m0 = group.y * 8u;
  let n = group.x * 32u + lane + vec4u(0u, 8u, 16u, 24u); // this invocation's four columns

  let rowsLow = min(m0 + vec4u(0u, 1u, 2u, 3u), vec4u(params.M - 1u));
  let rowsHigh = min(m0 + vec4u(4u, 5u, 6u, 7u), vec4u(params.M - 1u));
  let column = min(n, vec4u(params.N - 1u));

  // Where A[.., 0] and B[0, ..] are, and how far one k moves them: 1 along a row, a whole row's length down a column.
  let lowAt = select(rowsLow * params.K, rowsLow, TRANSPOSE_A == 1u);
  let highAt = select(rowsHigh * params.K, rowsHigh, TRANSPOSE_A == 1u);
  let bAt = select(column, column * params.K, TRANSPOSE_B == 1u);
  let aStep = select(1u, params.M, TRANSPOSE_A == 1u);
  let bStep = select(params.N, 1u, TRANSPOSE_B == 1u);

  var low = mat4x4f();  // column r: row m0 + r of y, this invocation's four columns
  var high = mat4x4f(); // column r: row m0 + 4 + r
  for (var k = 0u; k < params.K; k++) {
    let i = k * aStep;
    let j = k * bStep;
    let w = vec4f(b[bAt.x + j], b[bAt.y + j], b[bAt.z + j], b[bAt.w + j]); // B[k, n]
    low += outer(vec4f(a[lowAt.x + i], a[lowAt.y + i], a[lowAt.z + i], a[lowAt.w + i]), w);
    high += outer(vec4f(a[highAt.x + i], a[highAt.y + i], a[highAt.z + i], a[highAt.w + i]), w);
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
