// sum   y[o, i] = Σ_j x[o, j, i] / divisor, in a fixed order; divisor is 1 for a sum and n for a mean
// Twin: sumReference in src/engine/ops/sum.ts
//
//   x  [outer, n, inner]   x[o, j, i] sits at (o*n + j)*inner + i
//   y  [outer, inner]      count elements
//
// One workgroup per element of y: invocation k sums j ≡ k (mod WORKGROUP), then invocation 0 adds those sums in order of k.
// The grid folds over y past 65535 workgroups.

struct Params { count: u32, n: u32, inner: u32, divisor: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>; // partial[k]: sum over j ≡ k (mod WORKGROUP)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = group.x + group.y * 65535u; // y[o, i]
  if (at >= params.count) { return; } // uniform in the workgroup, so that all of it reaches the barrier
  let first = at / params.inner * params.n * params.inner + at % params.inner; // x[o, 0, i]

  var sum = 0.0;
  for (var j = lane; j < params.n; j += WORKGROUP) { sum += x[first + j * params.inner]; }
  partial[lane] = sum;
  workgroupBarrier(); // every partial is written before invocation 0 reads them

  if (lane == 0u) {
    var all = 0.0;
    for (var k = 0u; k < WORKGROUP; k++) { all += partial[k]; }
    y[at] = all / params.divisor;
  }
}
