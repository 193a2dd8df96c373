// concat   y[o, start + j, i] = x[o, j, i]: copies one of the tensors that y concatenates
// Twin: concatReference in src/engine/ops/concat.ts
//
//   x  [outer, n, inner]      count elements; x[o, j, i] sits at (o*n + j)*inner + i
//   y  [outer, size, inner]   the dispatches of the other tensors write the other elements
//
// One invocation per element of x. Workgroups: ceil(count / WORKGROUP), folded over y past 65535.

struct Params { count: u32, n: u32, inner: u32, size: u32, start: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * 65535u) * WORKGROUP + lane; // x[o, j, i]
  if (at >= params.count) { return; }
  let i = at % params.inner;
  let j = at / params.inner % params.n;
  let o = at / params.inner / params.n;
  y[(o * params.size + params.start + j) * params.inner + i] = x[at];
}
