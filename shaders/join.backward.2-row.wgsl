// join.backward   dSlots and dStream are the parts of dX that join.forward filled from them
// Twin: visitJoined in src/engine/ops/join.ts
//
//   dX       [B, P + T, C]
//   dSlots   [B, P, slotWidth]     slotWidth ≤ C
//   dStream  [B, T, streamWidth]   streamWidth ≤ C
//
// Variant 2: one workgroup per row b*S + s of dX; its invocations stride over the columns. The divisions that
// find the row are done once, and an invocation does many elements. WORKGROUP: one subgroup on CPU drivers.
// Workgroups: B*(P+T), folded over y past 65535.

struct Params { B: u32, P: u32, T: u32, slotWidth: u32, streamWidth: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dX: array<f32>;
@group(0) @binding(2) var<storage, read_write> dSlots: array<f32>;
@group(0) @binding(3) var<storage, read_write> dStream: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = group.x + group.y * 65535u; // row b*S + s, S = P + T
  if (n >= params.B * (params.P + params.T)) { return; } // the same for the whole workgroup
  let S = params.P + params.T;
  let s = n % S;
  let b = n / S;
  let source = n * params.C; // dX[b, s, 0]
  if (s < params.P) {
    let to = (b * params.P + s) * params.slotWidth; // dSlots[b, s, 0]
    for (var c = lane; c < params.slotWidth; c += WORKGROUP) { dSlots[to + c] = dX[source + c]; }
  } else {
    let to = (b * params.T + s - params.P) * params.streamWidth; // dStream[b, s - P, 0]
    for (var c = lane; c < params.streamWidth; c += WORKGROUP) { dStream[to + c] = dX[source + c]; }
  }
}
