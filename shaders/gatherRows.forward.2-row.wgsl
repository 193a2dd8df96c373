// gatherRows.forward   y[n, w] = table[ids[n], w]: an embedding look-up, of the first W columns
// Twin: gatherRowsReference in src/engine/ops/gatherRows.ts
//
//   table  [R, C]
//   ids    [N]      u32, below R
//   y      [N, W]   W ≤ C
//
// Variant 2: one workgroup per row n of y; its invocations stride over the columns. The divisions that
// find the row are done once, and an invocation does many elements. WORKGROUP: one subgroup on CPU drivers.
// Workgroups: N, folded over y past 65535.

struct Params { N: u32, R: u32, C: u32, W: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = group.x + group.y * 65535u; // row of y
  if (n >= params.N) { return; } // the same for the whole workgroup
  let row = min(ids[n], params.R - 1u); // clamped so that a bad id cannot read outside the table
  for (var w = lane; w < params.W; w += WORKGROUP) { y[n * params.W + w] = table[row * params.C + w]; }
}
