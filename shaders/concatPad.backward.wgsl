// concatPad.backward   dSlots and dStream are the parts of dX that concatPad.forward filled from slots and stream
// Twin: visitJoined in src/engine/ops/concatPad.ts
//
//   dX       [B, P + T, C]
//   dSlots   [B, P, slotWidth]     slotWidth ≤ C
//   dStream  [B, T, streamWidth]   streamWidth ≤ C
//
// One invocation per element of dX. Workgroups: ceil(B*(P+T)*C / WORKGROUP), folded over y past 65535.

struct Params { B: u32, P: u32, T: u32, slotWidth: u32, streamWidth: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dX: array<f32>;
@group(0) @binding(2) var<storage, read_write> dSlots: array<f32>;
@group(0) @binding(3) var<storage, read_write> dStream: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let S = params.P + params.T;
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane; // (b*S + s)*C + c
  if (i >= params.B * S * params.C) { return; }
  let c = i % params.C;
  let s = i / params.C % S;
  let b = i / (params.C * S);
  if (s < params.P) {
    if (c < params.slotWidth) { dSlots[(b * params.P + s) * params.slotWidth + c] = dX[i]; }
  } else if (c < params.streamWidth) {
    dStream[(b * params.T + s - params.P) * params.streamWidth + c] = dX[i];
  }
}
