// matmul   y[m, n] = Σ_k A[m, k] * B[k, n]   then + bias[n], then + the old y[m, n], if their flags are set
// One invocation per output, k in ascending order.
// Twin: matmulReference in src/engine/ops/matmul.ts
//
//   a      [M, K], or [K, M] when TRANSPOSE_A == 1   A[m, k] sits at m*K + k, or at k*M + m
//   b      [K, N], or [N, K] when TRANSPOSE_B == 1   B[k, n] sits at k*N + n, or at n*K + k
//   bias   [N]      read only when BIAS == 1; otherwise any buffer is bound
//   y      [M, N]   overwritten, or added into when ADD == 1
//
// The three uses in training: nt (TRANSPOSE_B) y = x·weightᵀ + bias; nn dX = dY·weight; tn (TRANSPOSE_A, ADD)
// dWeight += dYᵀ·x. Outputs are numbered row by row, 64 to a workgroup; the grid folds over y past 65535 workgroups.

// const TRANSPOSE_A, TRANSPOSE_B, BIAS, ADD: u32, 0 or 1, precede this text

struct Params { M: u32, N: u32, K: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * 65535u) * 64u + lane; // y[m, n], row by row
  if (at >= params.M * params.N) { return; }
  let m = at / params.N;
  let n = at % params.N;

  // One k moves a's index by aStep and b's by bStep: 1 along a row, the length of a row down a column.
  let aStep = select(1u, params.M, TRANSPOSE_A == 1u);
  let bStep = select(params.N, 1u, TRANSPOSE_B == 1u);
  var aAt = select(m * params.K, m, TRANSPOSE_A == 1u); // A[m, 0]
  var bAt = select(n, n * params.K, TRANSPOSE_B == 1u); // B[0, n]

  var sum = 0.0;
  for (var k = 0u; k < params.K; k++) {
    sum += a[aAt] * b[bAt];
    aAt += aStep;
    bAt += bStep;
  }
  if (BIAS == 1u) { sum += bias[n]; }
  if (ADD == 1u) { sum += y[at]; }
  y[at] = sum;
}
