// sliceRows.backward   dX[b, s] = dY[b, s - P], and 0 for the P rows that sliceRows.forward left out
// Twin: sliceRowsBackward's reference in src/engine/ops/sliceRows.ts
//
//   dY  [B, S - P, C]
//   dX  [B, S, C]
//
// One invocation per element of dX. Workgroups: ceil(B*S*C / WORKGROUP), folded over y past 65535.

struct Params { B: u32, S: u32, P: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dY: array<f32>;
@group(0) @binding(2) var<storage, read_write> dX: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane; // (b*S + s)*C + c
  if (i >= params.B * params.S * params.C) { return; }
  let b = i / (params.S * params.C);
  let s = i / params.C % params.S;
  var value = 0.0;
  if (s >= params.P) { value = dY[i - (b + 1u) * params.P * params.C]; }
  dX[i] = value;
}
