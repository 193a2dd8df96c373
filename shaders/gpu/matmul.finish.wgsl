// gpu/matmul.finish   y[m, n] = Σ_z partial[z, m, n], in order of z   then + the old y[m, n] when ADD == 1
// The second half of a product whose k gpu/matmul.tiled split into Z layers. Twin: matmulReference in src/engine/ops/matmul.ts
//
//   partial  [Z, M, N]   partial[z, m, n] sits at z*M*N + m*N + n
//   y        [M, N]      overwritten, or added into when ADD == 1
//
// One invocation per output, 64 to a workgroup; the grid folds over y past 65535 workgroups.

// const ADD: u32, 0 or 1, precedes this text

struct Params { M: u32, N: u32, Z: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let size = params.M * params.N;
  let at = (group.x + group.y * 65535u) * 64u + lane; // y[m, n], row by row
  if (at >= size) { return; }
  var sum = 0.0;
  for (var z = 0u; z < params.Z; z++) { sum += partial[z * size + at]; }
  if (ADD == 1u) { y[at] += sum; } else { y[at] = sum; }
}
