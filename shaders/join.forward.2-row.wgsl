// join.forward   x = slots above stream, each row padded with zeros on the right: the decoder's input
// Twin: visitJoined in src/engine/ops/join.ts
//
//   slots   [B, P, slotWidth]     slotWidth ≤ C
//   stream  [B, T, streamWidth]   streamWidth ≤ C
//   x       [B, P + T, C]
//
// Variant 2: one workgroup per row b*S + s of x; its invocations stride over the columns. The divisions that
// find the row are done once, and an invocation does many elements. WORKGROUP: one subgroup on CPU drivers.
// Workgroups: B*(P+T), folded over y past 65535.

struct Params { B: u32, P: u32, T: u32, slotWidth: u32, streamWidth: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> slots: array<f32>;
@group(0) @binding(2) var<storage, read> stream: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = group.x + group.y * 65535u; // row b*S + s, S = P + T
  if (n >= params.B * (params.P + params.T)) { return; } // the same for the whole workgroup
  let S = params.P + params.T;
  let s = n % S;
  let b = n / S;
  let to = n * params.C; // x[b, s, 0]
  if (s < params.P) {
    let source = (b * params.P + s) * params.slotWidth; // slots[b, s, 0]
    for (var c = lane; c < params.slotWidth; c += WORKGROUP) { x[to + c] = slots[source + c]; }
    for (var c = params.slotWidth + lane; c < params.C; c += WORKGROUP) { x[to + c] = 0.0; }
  } else {
    let source = (b * params.T + s - params.P) * params.streamWidth; // stream[b, s - P, 0]
    for (var c = lane; c < params.streamWidth; c += WORKGROUP) { x[to + c] = stream[source + c]; }
    for (var c = params.streamWidth + lane; c < params.C; c += WORKGROUP) { x[to + c] = 0.0; }
  }
}
