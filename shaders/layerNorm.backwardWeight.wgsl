// layerNorm.backwardWeight   dWeight[c] += Σ_n dY[n, c] * (x[n, c] - mean[n]) * rstd[n],  dBias[c] += Σ_n dY[n, c]
// Ba et al. 2016, arXiv:1607.06450. Twin: layerNormBackwardWeightReference in src/engine/ops/layerNorm.ts
//
//   x, dY           [N, C]   x[n, c] sits at n*C + c
//   mean, rstd      [N]      saved by layerNorm.forward
//   dWeight, dBias  [C]      added into
//
// One invocation per column walks down the rows; neighbouring invocations read neighbouring columns.
// Workgroups: ceil(C / WORKGROUP).

struct Params { N: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> rstd: array<f32>;
@group(0) @binding(4) var<storage, read> dY: array<f32>;
@group(0) @binding(5) var<storage, read_write> dWeight: array<f32>;
@group(0) @binding(6) var<storage, read_write> dBias: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c >= params.C) { return; }
  var sumWeight = 0.0;
  var sumBias = 0.0;
  for (var n = 0u; n < params.N; n++) {
    let at = n * params.C + c; // x[n, c]
    let g = dY[at];
    sumWeight += g * (x[at] - mean[n]) * rstd[n];
    sumBias += g;
  }
  dWeight[c] += sumWeight;
  dBias[c] += sumBias;
}
