// add   y = a + b. Twin: addReference in src/engine/ops/add.ts
//
//   a, b, y  [n]
//
// One invocation per element. Workgroups: ceil(n / WORKGROUP), folded over y past 65535.

struct Params { n: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (i >= params.n) { return; }
  y[i] = a[i] + b[i];
}
