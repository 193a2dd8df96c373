// slice.backward   dX[o, start + j, i] = dY[o, j, i], and 0 outside the slice
// Twin: sliceBackwardReference in src/engine/ops/slice.ts
//
//   dY  [outer, n, inner]      dY[o, j, i] sits at (o*n + j)*inner + i
//   dX  [outer, size, inner]   count elements
//
// One invocation per element of dX. Workgroups: ceil(count / WORKGROUP), folded over y past 65535.

// const INNER: u32, equal to inner, precedes this text

struct Params { count: u32, n: u32, size: u32, start: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dY: array<f32>;
@group(0) @binding(2) var<storage, read_write> dX: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * 65535u) * WORKGROUP + lane; // dX[o, s, i]
  if (at >= params.count) { return; }
  let i = at % INNER;
  let s = at / INNER % params.size;
  let o = at / INNER / params.size;
  var value = 0.0;
  if (s >= params.start && s < params.start + params.n) {
    value = dY[(o * params.n + s - params.start) * INNER + i];
  }
  dX[at] = value;
}
