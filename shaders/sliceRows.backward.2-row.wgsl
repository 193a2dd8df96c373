// sliceRows.backward   dX[b, s] = dY[b, s - P], and 0 for the P rows that sliceRows.forward left out
// Twin: sliceRowsBackward's reference in src/engine/ops/sliceRows.ts
//
//   dY  [B, S - P, C]
//   dX  [B, S, C]
//
// Variant 2: one workgroup per row b*S + s of dX; its invocations stride over the columns. The divisions that
// find the row are done once, and an invocation does many elements. WORKGROUP: one subgroup on CPU drivers.
// Workgroups: B*S, folded over y past 65535.

struct Params { B: u32, S: u32, P: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dY: array<f32>;
@group(0) @binding(2) var<storage, read_write> dX: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = group.x + group.y * 65535u; // row b*S + s
  if (n >= params.B * params.S) { return; } // the same for the whole workgroup
  let s = n % params.S;
  let b = n / params.S;
  let to = n * params.C; // dX[b, s, 0]
  if (s < params.P) {
    for (var c = lane; c < params.C; c += WORKGROUP) { dX[to + c] = 0.0; }
  } else {
    let source = (n - (b + 1u) * params.P) * params.C; // dY[b, s - P, 0]
    for (var c = lane; c < params.C; c += WORKGROUP) { dX[to + c] = dY[source + c]; }
  }
}
