// softmax.backward   dX[n, c] = y[n, c] * (dY[n, c] - Σ_c dY[n, c] * y[n, c])
// Twin: softmaxBackwardReference in src/engine/ops/softmax.ts
//
//   y, dY, dX  [N, C]   y[n, c] sits at n*C + c
//
// One invocation per row, two passes over c: sum, write. Workgroups: ceil(N / WORKGROUP), folded over y past 65535.

struct Params { N: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dY: array<f32>;
@group(0) @binding(3) var<storage, read_write> dX: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (n >= params.N) { return; }
  let row = n * params.C; // y[n, 0]

  var dot = 0.0;
  for (var c = 0u; c < params.C; c++) { dot += dY[row + c] * y[row + c]; }

  for (var c = 0u; c < params.C; c++) { dX[row + c] = y[row + c] * (dY[row + c] - dot); }
}
