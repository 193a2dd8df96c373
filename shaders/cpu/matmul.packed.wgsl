// cpu/matmul.packed   y[m, n] = Σ_k a[k, m] * B[k, n]   then + bias[n], then + the old y[m, n], if their flags are set
// matmul of a transposed a, with one more idea than cpu/matmul.register: a piece of a is copied, too, in the order in
// which it is read. The 4 numbers of a row of a that a step needs are next to each other, but those of the next k are
// M numbers away, so that a piece read in place would not stay in the fastest cache.
// Twin: matmulReference in src/engine/ops/matmul.ts. The bits are those of matmul, because k ascends one by one.
//
//   a      [K, M]   A[m, k] sits at k*M + m
//   b      [K, N], or [N, K] when TRANSPOSE_B == 1   B[k, n] sits at k*N + n, or at n*K + k
//   bias   [N]      read only when BIAS == 1; otherwise any buffer is bound
//   y      [M, N]   overwritten, or added into when ADD == 1
//
// One workgroup is one subgroup of 4 lanes and owns ROWS rows × COLUMNS columns of y, in strips of 8 columns: lane l has
// columns n0 + l and n0 + 4 + l of every row. It processes k in pieces of DEPTH; between two pieces `sums` holds the
// sums. Workgroups: [ceil(N / COLUMNS), ceil(M / ROWS)].

// const TRANSPOSE_A: u32, 1, TRANSPOSE_B, BIAS, ADD: u32, 0 or 1, and ROWS, COLUMNS, DEPTH: u32, precede this text

struct Params { M: u32, N: u32, K: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

const R = 4u; // rows of y that an invocation works on at a time
const C = 2u; // columns of each

var<workgroup> packed: array<f32, ROWS * DEPTH>;  // packed[r*DEPTH + k*R + i]: A[m0 + r + i, k0 + k], for r a multiple of R
var<workgroup> strip: array<f32, DEPTH * 8u>;     // strip[k*8 + c]: B[k0 + k, n0 + c]; zero past the last column
var<workgroup> sums: array<f32, ROWS * COLUMNS>;  // sums[s*ROWS*8 + r*8 + c]: so far, for row m0 + r, column c of strip s

@compute @workgroup_size(4)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let m0 = group.y * ROWS;
  let rows = min(ROWS, params.M - m0);

  for (var k0 = 0u; k0 < params.K; k0 += DEPTH) {
    let depth = min(DEPTH, params.K - k0);
    for (var r = 0u; r < rows; r += R) {
      let to = r * DEPTH + lane;
      if (r + R <= rows) {
        for (var k = 0u; k < depth; k++) { packed[to + k * R] = a[(k0 + k) * params.M + m0 + r + lane]; }
      } else { // rows past the end repeat the last one, and their sums are not written
        let m = min(m0 + r + lane, params.M - 1u);
        for (var k = 0u; k < depth; k++) { packed[to + k * R] = a[(k0 + k) * params.M + m]; }
      }
    }

    for (var s = 0u; s < COLUMNS / 8u; s++) {
      let n0 = group.x * COLUMNS + s * 8u;
      if (n0 >= params.N) { break; }
      let whole = n0 + 8u <= params.N; // all 8 columns exist
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
      workgroupBarrier(); // the copies are complete

      for (var r = 0u; r < rows; r += R) {
        let own = (s * ROWS + r) * 8u + lane;
        var sum: array<f32, R * C>;
        for (var i = 0u; i < R * C; i++) { sum[i] = 0.0; }
        if (k0 > 0u) {
          for (var i = 0u; i < R; i++) {
            for (var j = 0u; j < C; j++) { sum[i * C + j] = sums[own + i * 8u + j * 4u]; }
          }
        }
        for (var k = 0u; k < depth; k++) {
          let w0 = strip[k * 8u + lane];
          let w1 = strip[k * 8u + 4u + lane];
          for (var i = 0u; i < R; i++) {
            let x = packed[r * DEPTH + k * R + i]; // A[m, k0 + k]
            sum[i * C] += x * w0;
            sum[i * C + 1u] += x * w1;
          }
        }
        for (var i = 0u; i < R; i++) {
          for (var j = 0u; j < C; j++) { sums[own + i * 8u + j * 4u] = sum[i * C + j]; }
        }
      }
      workgroupBarrier(); // every row has used the copies
    }
  }

  for (var s = 0u; s < COLUMNS / 8u; s++) {
    for (var c = lane; c < 8u; c += 4u) {
      let n = group.x * COLUMNS + s * 8u + c;
      if (n >= params.N) { continue; }
      var add = 0.0;
      if (BIAS == 1u) { add = bias[n]; }
      for (var r = 0u; r < rows; r++) {
        let to = (m0 + r) * params.N + n; // y[m, n]
        var sum = sums[(s * ROWS + r) * 8u + c];
        if (BIAS == 1u) { sum += add; }
        if (ADD == 1u) { sum += y[to]; }
        y[to] = sum;
      }
    }
  }
}
