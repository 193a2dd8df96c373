// layerNorm.backwardWeight   dWeight[c] += Σ_i partials[i, 0, c],  dBias[c] += Σ_i partials[i, 1, c], in order of i
// Twin: layerNormBackwardWeightReference in src/engine/ops/layerNorm.ts
//
//   partials        [chunks, 2, C]   from gpu/layerNorm.backwardWeight.split; many of them through gpu/sumRows.split
//   dWeight, dBias  [C]              added into
//
// One invocation per column. Workgroups: ceil(C / WORKGROUP).

struct Params { chunks: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> dWeight: array<f32>;
@group(0) @binding(3) var<storage, read_write> dBias: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c >= params.C) { return; }
  var sumWeight = 0.0;
  var sumBias = 0.0;
  for (var i = 0u; i < params.chunks; i++) {
    sumWeight += partials[2u * i * params.C + c];
    sumBias += partials[(2u * i + 1u) * params.C + c];
  }
  dWeight[c] += sumWeight;
  dBias[c] += sumBias;
}
