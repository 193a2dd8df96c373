// sliceRows.forward   y[b, t] = x[b, P + t]: the stream rows, which alone are predicted from
// Twin: sliceRowsReference in src/engine/ops/sliceRows.ts
//
//   x  [B, S, C]
//   y  [B, S - P, C]
//
// One invocation per element of y. Workgroups: ceil(B*(S-P)*C / WORKGROUP), folded over y past 65535.

struct Params { B: u32, S: u32, P: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let size = (params.S - params.P) * params.C; // elements of y per b
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane; // (b*(S-P) + t)*C + c
  if (i >= params.B * size) { return; }
  let skipped = (i / size + 1u) * params.P * params.C; // P rows were left out for this b and for each one before it
  y[i] = x[i + skipped];
}
