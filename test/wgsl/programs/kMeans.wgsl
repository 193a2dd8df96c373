// The nearest centre of each point, and for each workgroup how many points each centre got and their sum.
const K = 5u;
const DIM = 6;
struct Sum { count: u32, sum: array<f32, DIM> }
@group(0) @binding(0) var<storage, read> points: array<array<f32, DIM>>;
@group(0) @binding(1) var<storage, read> centres: array<array<f32, DIM>, K>;
@group(0) @binding(2) var<storage, read_write> nearest: array<u32>;
@group(0) @binding(3) var<storage, read_write> partial: array<array<Sum, K>>;
var<workgroup> chosen: array<u32, 64>;

fn distance2(a: ptr<storage, array<f32, DIM>, read>, b: ptr<storage, array<f32, DIM>, read>) -> f32 {
  var sum = 0.0;
  for (var i = 0; i < DIM; i++) {
    let d = a[i] - b[i];
    sum += d * d;
  }
  return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) t: u32, @builtin(workgroup_id) group: vec3u) {
  chosen[t] = K;
  if (id.x < arrayLength(&points)) {
    var best = 0x1.fffffep+127f;
    for (var k = 0u; k < K; k++) {
      let d = distance2(&points[id.x], &centres[k]);
      if (d < best) {
        best = d;
        chosen[t] = k;
      }
    }
    nearest[id.x] = chosen[t];
  }
  workgroupBarrier();
  if (t < K) {
    var sum: Sum;
    for (var i = 0u; i < 64u; i++) {
      if (chosen[i] != t) { continue; }
      sum.count++;
      for (var d = 0; d < DIM; d++) { sum.sum[d] += points[group.x * 64u + i][d]; }
    }
    partial[group.x][t] = sum;
  }
}
