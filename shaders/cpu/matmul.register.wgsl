// cpu/matmul.register   y[m, n] = Σ_k a[m, k] * B[k, n]   then + bias[n], then + the old y[m, n], if their flags are set
// matmul with two more ideas, for a CPU: an invocation keeps 4×2 sums in registers, so that each loaded value is used 2 or 4
// times; and a strip of B is copied to workgroup memory once for many rows, in the order in which it is read.
// Twin: matmulReference in src/engine/ops/matmul.ts. The bits are those of matmul, because k ascends one by one.
//
//   a      [M, K]   a[m, k] sits at m*K + k; for a transposed a see cpu/matmul.packed
//   b      [K, N], or [N, K] when TRANSPOSE_B == 1   B[k, n] sits at k*N + n, or at n*K + k
//   bias   [N]      read only when BIAS == 1; otherwise any buffer is bound
//   y      [M, N]   overwritten, or added into when ADD == 1
//
// One workgroup is one subgroup of 4 lanes and owns ROWS rows × 8 columns of y: lane l has columns n0 + l and n0 + 4 + l of
// every row. It processes k in pieces of DEPTH, so that the strip stays in the fastest cache; between two pieces `sums`
// holds the sums. Workgroups: [ceil(N / 8), ceil(M / ROWS)].
// Today a lane reads only those words of `strip` and `sums` that it wrote, so no barrier is needed. The two stay because
// their removal has not been measured, and because the kernel is still right if another lane stages a column.

// const TRANSPOSE_A: u32, 0, TRANSPOSE_B, BIAS, ADD: u32, 0 or 1, and ROWS, DEPTH: u32, precede this text

struct Params { M: u32, N: u32, K: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

const R = 4u; // rows of y that an invocation works on at a time
const C = 2u; // columns of each

var<workgroup> strip: array<f32, DEPTH * 8u>; // strip[k*8 + c]: B[k0 + k, n0 + c]; zero past the last column
var<workgroup> sums: array<f32, ROWS * 8u>;   // sums[r*8 + c]: Σ over the pieces of k so far for row m0 + r, column n0 + c

@compute @workgroup_size(4)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n0 = group.x * 8u;
  let m0 = group.y * ROWS;
  let rows = min(ROWS, params.M - m0);
  let whole = n0 + 8u <= params.N; // all 8 columns exist

  for (var k0 = 0u; k0 < params.K; k0 += DEPTH) {
    let depth = min(DEPTH, params.K - k0);
    for (var c = lane; c < 8u; c += 4u) {
      let n = n0 + c;
      if (whole) {
        for (var k = 0u; k < depth; k++) {
          strip[k * 8u + c] = b[select((k0 + k) * params.N + n, n * params.K + k0 + k, TRANSPOSE_B == 1u)];
        }
      } else {
        for (var k = 0u; k < depth; k++) {
          var value = 0.0;
          if (n < params.N) { value = b[select((k0 + k) * params.N + n, n * params.K + k0 + k, TRANSPOSE_B == 1u)]; }
          strip[k * 8u + c] = value;
        }
      }
    }
    workgroupBarrier(); // the strip is complete

    for (var r = 0u; r < rows; r += R) {
      // Index of a[m, k0] for the current rows; rows past the end repeat the last one, and their sums are not written.
      var at: array<u32, R>;
      var sum: array<f32, R * C>;
      for (var i = 0u; i < R; i++) {
        at[i] = (m0 + min(r + i, rows - 1u)) * params.K + k0;
        for (var j = 0u; j < C; j++) { sum[i * C + j] = 0.0; }
      }
      if (k0 > 0u) {
        for (var i = 0u; i < R; i++) {
          for (var j = 0u; j < C; j++) { sum[i * C + j] = sums[(r + i) * 8u + j * 4u + lane]; }
        }
      }
      for (var k = 0u; k < depth; k++) {
        let w0 = strip[k * 8u + lane];
        let w1 = strip[k * 8u + 4u + lane];
        for (var i = 0u; i < R; i++) {
          let x = a[at[i] + k]; // a[m, k0 + k]
          sum[i * C] += x * w0;
          sum[i * C + 1u] += x * w1;
        }
      }
      for (var i = 0u; i < R; i++) {
        for (var j = 0u; j < C; j++) { sums[(r + i) * 8u + j * 4u + lane] = sum[i * C + j]; }
      }
    }
    workgroupBarrier(); // every row has used the strip
  }

  for (var c = lane; c < 8u; c += 4u) {
    let n = n0 + c;
    if (n >= params.N) { continue; }
    var add = 0.0;
    if (BIAS == 1u) { add = bias[n]; }
    for (var r = 0u; r < rows; r++) {
      let to = (m0 + r) * params.N + n; // y[m, n]
      var sum = sums[r * 8u + c];
      if (BIAS == 1u) { sum += add; }
      if (ADD == 1u) { sum += y[to]; }
      y[to] = sum;
    }
  }
}
