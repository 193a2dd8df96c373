// sumRows   partial[z, n] = Σ_m x[m, n] over the z-th chunk of rows, in order of m
// For GPUs; adds one idea: the rows are split into chunks, so that there are enough invocations to fill the device.
// While there are many chunks, another dispatch of this kernel sums the partial sums; gpu/matmul.finish adds the last
// ones in order. Twin: the dBias part of linearBackwardWeight's reference in src/engine/ops/linear.ts
//
//   x        [M, N]                x[m, n] sits at m*N + n
//   partial  [ceil(M / ROWS), N]
//
// One invocation per column of a chunk of ROWS rows; neighbouring invocations read neighbouring columns.
// Workgroups: ceil(N / WORKGROUP) * ceil(M / ROWS), folded over y past 65535.

// const WORKGROUP, ROWS: u32 precede this text

struct Params { M: u32, N: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let across = (params.N + WORKGROUP - 1u) / WORKGROUP; // workgroups per chunk
  let index = group.x + group.y * 65535u;
  let chunk = index / across;
  let n = index % across * WORKGROUP + lane;
  let start = chunk * ROWS;
  if (n >= params.N || start >= params.M) { return; }
  var sum = 0.0;
  for (var m = start; m < min(start + ROWS, params.M); m++) { sum += x[m * params.N + n]; }
  partial[chunk * params.N + n] = sum;
}
