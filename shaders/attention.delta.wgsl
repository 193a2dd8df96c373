// attention.delta   delta[b, h, s] = Σ_d dY[b, s, h*D + d] * y[b, s, h*D + d]: the softmax gradient's inner sum,
// Σ_j p_j * dP_j, which both backward passes subtract. Dao et al. 2022, arXiv:2205.14135, section 3.1 and appendix B.
// Twin: attentionDeltaOp's reference in src/engine/ops/attention.ts
//
//   y, dY   [B, S, H*D]
//   delta   [B, H, S]
//
// One invocation per (b, s, h), h fastest, so that neighbours read neighbouring heads.
// Workgroups: ceil(B*S*H / WORKGROUP), folded over y past 65535.

struct Params { B: u32, H: u32, S: u32, D: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dY: array<f32>;
@group(0) @binding(3) var<storage, read_write> delta: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = (group.x + group.y * 65535u) * WORKGROUP + lane; // (b*S + s)*H + h
  if (index >= params.B * params.S * params.H) { return; }
  let h = index % params.H;
  let s = index / params.H % params.S;
  let b = index / (params.H * params.S);
  let source = index * params.D; // y[b, s, h*D]
  var sum = 0.0;
  for (var d = 0u; d < params.D; d++) { sum += dY[source + d] * y[source + d]; }
  delta[(b * params.H + h) * params.S + s] = sum;
}
