// layerNorm.backwardWeight   Σ_n dY[n, c] * (x[n, c] - mean[n]) * rstd[n] and Σ_n dY[n, c] over one chunk of rows
// For GPUs; adds one idea: the rows are split into chunks, so that there are enough invocations to fill the device.
// gpu/layerNorm.backwardWeight.finish adds the chunks in order, after gpu/sumRows.split if there are many. Twin:
// layerNormBackwardWeightReference in src/engine/ops/layerNorm.ts
//
//   x, dY       [N, C]                   x[n, c] sits at n*C + c
//   mean, rstd  [N]                      saved by layerNorm.forward
//   partials    [ceil(N / ROWS), 2, C]   of chunk i: its share of dWeight, then of dBias
//
// One invocation per column of a chunk of ROWS rows; neighbouring invocations read neighbouring columns.
// Workgroups: ceil(C / WORKGROUP) * ceil(N / ROWS), folded over y past 65535.

struct Params { N: u32, C: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> rstd: array<f32>;
@group(0) @binding(4) var<storage, read> dY: array<f32>;
@group(0) @binding(5) var<storage, read_write> partials: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let across = (params.C + WORKGROUP - 1u) / WORKGROUP; // workgroups per chunk
  let index = group.x + group.y * 65535u;
  let chunk = index / across;
  let c = index % across * WORKGROUP + lane;
  let start = chunk * ROWS;
  if (c >= params.C || start >= params.N) { return; }
  var sumWeight = 0.0;
  var sumBias = 0.0;
  for (var n = start; n < min(start + ROWS, params.N); n++) {
    let at = n * params.C + c; // x[n, c]
    let g = dY[at];
    sumWeight += g * (x[at] - mean[n]) * rstd[n];
    sumBias += g;
  }
  partials[2u * chunk * params.C + c] = sumWeight;
  partials[(2u * chunk + 1u) * params.C + c] = sumBias;
}
