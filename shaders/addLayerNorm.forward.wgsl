// addLayerNorm.forward   sum = x + delta,  y = layerNorm(sum): a residual connection and the norm after it in one pass
// Twin: addLayerNormForward's reference in src/engine/ops/addLayerNorm.ts
//
//   x, delta, sum, y  [N, C]   x[n, c] sits at n*C + c
//   weight, bias      [C]
//   mean, rstd        [N]      saved for addLayerNorm.backward
//
// One invocation per row, three passes over c: add and mean, variance, write.
// Workgroups: ceil(N / WORKGROUP), folded over y past 65535.

struct Params { N: u32, C: u32, eps: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> delta: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> sum: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;
@group(0) @binding(7) var<storage, read_write> mean: array<f32>;
@group(0) @binding(8) var<storage, read_write> rstd: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (n >= params.N) { return; }
  let row = n * params.C; // x[n, 0]
  let width = f32(params.C);

  var total = 0.0;
  for (var c = 0u; c < params.C; c++) {
    let s = x[row + c] + delta[row + c];
    sum[row + c] = s;
    total += s;
  }
  let center = total / width;

  var squares = 0.0;
  for (var c = 0u; c < params.C; c++) {
    let distance = sum[row + c] - center;
    squares += distance * distance;
  }
  let scale = 1.0 / sqrt(squares / width + params.eps);

  for (var c = 0u; c < params.C; c++) {
    y[row + c] = (sum[row + c] - center) * scale * weight[c] + bias[c];
  }
  mean[n] = center;
  rstd[n] = scale;
}
