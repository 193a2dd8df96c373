// layerNorm.forward   y = (x - mean) * rstd * weight + bias, row by row,  rstd = 1 / sqrt(variance + eps)
// Ba et al. 2016, arXiv:1607.06450. Twin: layerNormReference in src/engine/ops/layerNorm.ts
//
//   x, y          [N, C]   x[n, c] sits at n*C + c
//   weight, bias  [C]
//   mean, rstd    [N]      saved for layerNorm.backward
//
// For GPUs: one subgroup per row; its SUBGROUP lanes stride over c, so neighbouring lanes read neighbouring addresses,
// and subgroupAdd adds their sums. A workgroup is exactly one subgroup: no shared memory and no barrier.
// Workgroups: N, folded over y past 65535.

struct Params { N: u32, C: u32, eps: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> rstd: array<f32>;

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = group.x + group.y * 65535u;
  if (n >= params.N) { return; } // uniform in the workgroup
  let row = n * params.C; // x[n, 0]
  let width = f32(params.C);

  var total = 0.0;
  for (var c = lane; c < params.C; c += SUBGROUP) { total += x[row + c]; }
  let center = subgroupAdd(total) / width;

  // The variance is summed around the mean: mean(x²) - mean² would cancel when the mean is large.
  var squares = 0.0;
  for (var c = lane; c < params.C; c += SUBGROUP) {
    let distance = x[row + c] - center;
    squares += distance * distance;
  }
  let scale = 1.0 / sqrt(subgroupAdd(squares) / width + params.eps);

  for (var c = lane; c < params.C; c += SUBGROUP) {
    y[row + c] = (x[row + c] - center) * scale * weight[c] + bias[c];
  }
  if (lane == 0u) {
    mean[n] = center;
    rstd[n] = scale;
  }
}
