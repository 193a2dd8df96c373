// embedding.forward   y[n, w] = table[ids[n], w]: an embedding look-up, of the first W columns
// Twin: embeddingReference in src/engine/ops/embedding.ts
//
//   table  [R, C]
//   ids    [N]      u32, below R
//   y      [N, W]   W ≤ C
//
// One invocation per element of y. Workgroups: ceil(N*W / WORKGROUP), folded over y past 65535.

struct Params { N: u32, R: u32, C: u32, W: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane; // n*W + w
  if (i >= params.N * params.W) { return; }
  let row = min(ids[i / params.W], params.R - 1u); // clamped so that a bad id cannot read outside the table
  y[i] = table[row * params.C + i % params.W];
}
