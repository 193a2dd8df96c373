// crossEntropy.total   total = Σ_n weights[n], in a fixed order
// Twin: crossEntropyReference in src/engine/ops/crossEntropy.ts
//
//   weights  [N]
//   total    [1]   read by crossEntropy.forward and crossEntropy.reduce
//
// One workgroup: invocation i sums n ≡ i (mod WORKGROUP), then invocation 0 adds those sums in order of i.

struct Params { N: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> total: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>; // partial[i]: sum over n ≡ i (mod WORKGROUP)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var n = lane; n < params.N; n += WORKGROUP) { sum += weights[n]; }
  partial[lane] = sum;
  workgroupBarrier(); // every partial is written before invocation 0 reads them
  if (lane == 0u) {
    var all = 0.0;
    for (var i = 0u; i < WORKGROUP; i++) { all += partial[i]; }
    total[0] = all;
  }
}
