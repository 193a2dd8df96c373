// crossEntropy.reduce   loss = Σ_n weights[n] * nats[n] / total, in a fixed order; 0 where total is 0
// Twin: crossEntropyReference in src/engine/ops/crossEntropy.ts
//
//   nats, weights  [N]
//   total          [1]   Σ weights, from crossEntropy.total
//   loss           [1]   nats per weighted row
//
// One workgroup: invocation i sums n ≡ i (mod WORKGROUP), then invocation 0 adds those sums in order of i.

struct Params { N: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> nats: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> total: array<f32>;
@group(0) @binding(4) var<storage, read_write> loss: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>; // partial[i]: sum over n ≡ i (mod WORKGROUP)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var n = lane; n < params.N; n += WORKGROUP) { sum += weights[n] * nats[n]; }
  partial[lane] = sum;
  workgroupBarrier(); // every partial is written before invocation 0 reads them
  if (lane == 0u) {
    var all = 0.0;
    for (var i = 0u; i < WORKGROUP; i++) { all += partial[i]; }
    var mean = 0.0;
    if (total[0] > 0.0) { mean = all / total[0]; }
    loss[0] = mean;
  }
}
