// addInto   y += x: adds a second gradient to the total. Twin: addInto's reference in src/engine/ops/addInto.ts
//
//   x, y  [n]
//
// One invocation per element. Workgroups: ceil(n / WORKGROUP), folded over y past 65535.

struct Params { n: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (i >= params.n) { return; }
  y[i] += x[i];
}
