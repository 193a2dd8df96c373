// sliceRows.forward   y[b, t] = x[b, P + t]: the stream rows, which alone are predicted from
// Twin: sliceRowsReference in src/engine/ops/sliceRows.ts
//
//   x  [B, S, C]
//   y  [B, S - P, C]
//
// Variant 2: one workgroup per row b*(S-P) + t of y; its invocations stride over the columns. The divisions that
// find the row are done once, and an invocation does many elements. WORKGROUP: one subgroup on CPU drivers.
// Workgroups: B*(S-P), folded over y past 65535.

struct Params { B: u32, S: u32, P: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = group.x + group.y * 65535u; // row b*(S-P) + t
  if (n >= params.B * (params.S - params.P)) { return; } // the same for the whole workgroup
  let b = n / (params.S - params.P);
  let source = (n + (b + 1u) * params.P) * params.C; // x[b, P + t, 0]: P rows were left out for this b and each before it
  for (var c = lane; c < params.C; c += WORKGROUP) { y[n * params.C + c] = x[source + c]; }
}
