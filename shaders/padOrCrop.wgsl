// padOrCrop   y = the rows of x, cut at W columns or completed with zeros
// Twin: padOrCropReference in src/engine/ops/padOrCrop.ts
//
//   x  [N, C]
//   y  [N, W]   copied as raw 32-bit words, so that ids and the sign of a zero are unchanged
//
// One invocation per element of y. Workgroups: ceil(N*W / WORKGROUP), folded over y past 65535.

struct Params { N: u32, C: u32, W: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane; // n*W + w
  if (i >= params.N * params.W) { return; }
  let n = i / params.W;
  let w = i % params.W;
  var word = 0u; // the bits of 0.0 as well
  if (w < params.C) { word = x[n * params.C + w]; }
  y[i] = word;
}
