// softmax.forward   y[n, c] = exp(x[n, c]) / Σ_c exp(x[n, c])
// Twin: softmaxReference in src/engine/ops/softmax.ts
//
//   x, y  [N, C]   x[n, c] sits at n*C + c
//
// One invocation per row, three passes over c: maximum, sum, write.
// Workgroups: ceil(N / WORKGROUP), folded over y past 65535.

struct Params { N: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (n >= params.N) { return; }
  let row = n * params.C; // x[n, 0]

  var largest = x[row];
  for (var c = 1u; c < params.C; c++) { largest = max(largest, x[row + c]); }

  // The maximum is subtracted so that exp stays at most 1.
  var total = 0.0;
  for (var c = 0u; c < params.C; c++) { total += exp(x[row + c] - largest); }

  for (var c = 0u; c < params.C; c++) { y[row + c] = exp(x[row + c] - largest) / total; }
}
