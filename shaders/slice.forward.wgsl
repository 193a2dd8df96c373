// slice.forward   y[o, j, i] = x[o, start + j, i]
// Twin: sliceReference in src/engine/ops/slice.ts
//
//   x  [outer, size, inner]   x[o, s, i] sits at (o*size + s)*inner + i
//   y  [outer, n, inner]      count elements
//
// One invocation per element of y. Workgroups: ceil(count / WORKGROUP), folded over y past 65535.

// const INNER: u32, equal to inner, precedes this text

struct Params { count: u32, n: u32, size: u32, start: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * 65535u) * WORKGROUP + lane; // y[o, j, i]
  if (at >= params.count) { return; }
  let i = at % INNER;
  let j = at / INNER % params.n;
  let o = at / INNER / params.n;
  y[at] = x[(o * params.size + params.start + j) * INNER + i];
}
