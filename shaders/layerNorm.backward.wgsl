// layerNorm.backward   dX = rstd * (g - mean(g) - xhat * mean(g * xhat)),  g = dY * weight,  xhat = (x - mean) * rstd
// Ba et al. 2016, arXiv:1607.06450. Twin: layerNormBackwardReference in src/engine/ops/layerNorm.ts
//
//   x, dY, dX     [N, C]   x[n, c] sits at n*C + c
//   weight        [C]
//   mean, rstd    [N]      saved by layerNorm.forward
//
// One invocation per row, two passes over c: the two means, then the write.
// Workgroups: ceil(N / WORKGROUP), folded over y past 65535.

struct Params { N: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> rstd: array<f32>;
@group(0) @binding(5) var<storage, read> dY: array<f32>;
@group(0) @binding(6) var<storage, read_write> dX: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (n >= params.N) { return; }
  let row = n * params.C; // x[n, 0]
  let center = mean[n];
  let scale = rstd[n];

  var sumG = 0.0;     // Σ g
  var sumGXhat = 0.0; // Σ g * xhat
  for (var c = 0u; c < params.C; c++) {
    let g = dY[row + c] * weight[c];
    sumG += g;
    sumGXhat += g * (x[row + c] - center) * scale;
  }
  let meanG = sumG / f32(params.C);
  let meanGXhat = sumGXhat / f32(params.C);

  for (var c = 0u; c < params.C; c++) {
    let g = dY[row + c] * weight[c];
    let xhat = (x[row + c] - center) * scale;
    dX[row + c] = scale * (g - meanG - xhat * meanGXhat);
  }
}
