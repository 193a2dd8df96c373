// hslFeatures.backward   dTable[v, i] += sum over n with ids[n] = v of dY[n, column of i], in order of n
// The `learned` control's gradient: only value columns come from the table. Twin: hslFeaturesBackwardReference in
// src/engine/ops/hslFeatures.ts
//
//   ids     [N]              u32
//   dY      [N, CHANNELS]
//   dTable  [256, 18]        added into; entry i is column i for dxor (0-7), column i + 9 for Fourier and phase (8-17)
//
// One workgroup owns row v of the table, so no two invocations add to the same element: each of its first 18 invocations owns
// one entry and looks through the ids for v. Workgroups: 256.
// const INCLUDE_BITS, MOMENTUM_PHASE: u32, 0 or 1, precede this text

struct Params { N: u32, L: u32, columns0: u32, columns1: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> dY: array<f32>;
@group(0) @binding(3) var<storage, read_write> dTable: array<f32>;

const BITS = 8u * INCLUDE_BITS;
const CHANNELS = 27u + BITS;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) i: u32) {
  if (i >= 18u) { return; }
  let v = group.x;
  let c = BITS + select(i, i + 9u, i >= 8u);
  let kept = select((params.columns0 >> c) & 1u, (params.columns1 >> (c - 32u)) & 1u, c >= 32u);
  if (kept == 0u) { return; }
  var sum = 0.0;
  for (var n = 0u; n < params.N; n++) {
    if (ids[n] != v) { continue; }
    var scale = 1.0;
    if (MOMENTUM_PHASE == 1u && i >= 16u) {
      var previous = 0u; // the anchor, as in the forward pass
      if (n % params.L > 0u) { if (ids[n - 1u] < 256u) { previous = ids[n - 1u]; } }
      scale = 0.5 + f32(abs(i32(v) - i32(previous))) / 512.0;
    }
    sum += dY[n * CHANNELS + c] * scale;
  }
  dTable[v * 18u + i] += sum;
}
