// sumRows   dBias[n] += Σ_m dY[m, n], in order of m: the gradient of a bias that was added to every row
// Twin: the dBias part of linearBackwardWeight's reference in src/engine/ops/linear.ts
//
//   dY     [M, N]   dY[m, n] sits at m*N + n
//   dBias  [N]      added into
//
// One invocation per column walks down the rows; neighbouring invocations read neighbouring columns.
// Workgroups: ceil(N / WORKGROUP).

struct Params { M: u32, N: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dY: array<f32>;
@group(0) @binding(2) var<storage, read_write> dBias: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (n >= params.N) { return; }
  var sum = 0.0;
  for (var m = 0u; m < params.M; m++) { sum += dY[m * params.N + n]; }
  dBias[n] += sum;
}
