// addInto   y += x: how a second gradient reaches its total. Twin: addInto's reference in src/engine/ops/addInto.ts
//
//   x, y  [n]
//
// Variant 2: a workgroup covers WORKGROUP*ITEMS consecutive elements; invocation i takes those ≡ i (mod WORKGROUP).
// On CPU drivers starting an invocation costs more than the arithmetic: WORKGROUP = one subgroup and ITEMS 64 or more.
// Workgroups: ceil(n / (WORKGROUP*ITEMS)), folded over y past 65535.

struct Params { n: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = (group.x + group.y * 65535u) * WORKGROUP * ITEMS;
  let end = min(first + WORKGROUP * ITEMS, params.n); // not above first where the fold's last row is too long
  for (var i = first + lane; i < end; i += WORKGROUP) {
    y[i] += x[i];
  }
}
