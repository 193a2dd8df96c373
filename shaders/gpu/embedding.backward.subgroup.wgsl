// embedding.backward   dTable[r, w] += Σ_{n: ids[n] = r} dY[n, w], in order of n
// Twin: embeddingBackwardReference in src/engine/ops/embedding.ts
//
//   ids     [N]      u32, below R
//   dY      [N, W]   W ≤ C
//   dTable  [R, C]   added into; columns W .. C-1 are unchanged
//
// For GPUs: one subgroup owns row r of the table. Its lanes compare SUBGROUP ids at once. If one of them is r, it goes
// through them in order, and the lanes share the columns (w ≡ lane mod SUBGROUP). Workgroups: R, folded over y past
// 65535.

struct Params { N: u32, R: u32, C: u32, W: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> dY: array<f32>;
@group(0) @binding(3) var<storage, read_write> dTable: array<f32>;

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let r = group.x + group.y * 65535u;
  if (r >= params.R) { return; } // uniform in the workgroup
  for (var n0 = 0u; n0 < params.N; n0 += SUBGROUP) {
    let end = min(n0 + SUBGROUP, params.N);
    let id = min(ids[min(n0 + lane, end - 1u)], params.R - 1u); // clamped as in embedding.forward
    if (subgroupAny(id == r)) {
      for (var n = n0; n < end; n++) {
        if (min(ids[n], params.R - 1u) == r) {
          for (var w = lane; w < params.W; w += SUBGROUP) { dTable[r * params.C + w] += dY[n * params.W + w]; }
        }
      }
    }
  }
}
