// embedding.backward   dTable[r, w] += Σ_{n: ids[n] = r} dY[n, w], in order of n
// Twin: embeddingBackwardReference in src/engine/ops/embedding.ts
//
//   ids     [N]      u32, below R
//   dY      [N, W]   W ≤ C
//   dTable  [R, C]   added into; columns W .. C-1 are unchanged
//
// One workgroup owns row r of the table, so no two invocations add to the same element: it searches the ids for r, and
// its invocations share the columns of each match (w ≡ lane mod WORKGROUP). Workgroups: R, folded over y past 65535.

struct Params { N: u32, R: u32, C: u32, W: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> dY: array<f32>;
@group(0) @binding(3) var<storage, read_write> dTable: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let r = group.x + group.y * 65535u;
  if (r >= params.R) { return; }
  for (var n = 0u; n < params.N; n++) {
    if (min(ids[n], params.R - 1u) == r) { // clamped as in embedding.forward
      for (var w = lane; w < params.W; w += WORKGROUP) {
        dTable[r * params.C + w] += dY[n * params.W + w];
      }
    }
  }
}
