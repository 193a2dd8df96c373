// concatPad.forward   x = slots above stream, each row padded with zeros on the right: the decoder's input
// Twin: visitJoined in src/engine/ops/concatPad.ts
//
//   slots   [B, P, slotWidth]     slotWidth ≤ C
//   stream  [B, T, streamWidth]   streamWidth ≤ C
//   x       [B, P + T, C]
//
// One invocation per element of x. Workgroups: ceil(B*(P+T)*C / WORKGROUP), folded over y past 65535.

struct Params { B: u32, P: u32, T: u32, slotWidth: u32, streamWidth: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> slots: array<f32>;
@group(0) @binding(2) var<storage, read> stream: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let S = params.P + params.T;
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane; // (b*S + s)*C + c
  if (i >= params.B * S * params.C) { return; }
  let c = i % params.C;
  let s = i / params.C % S;
  let b = i / (params.C * S);
  var value = 0.0;
  if (s < params.P) {
    if (c < params.slotWidth) { value = slots[(b * params.P + s) * params.slotWidth + c]; }
  } else if (c < params.streamWidth) {
    value = stream[(b * params.T + s - params.P) * params.streamWidth + c];
  }
  x[i] = value;
}
