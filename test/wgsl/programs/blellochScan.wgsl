// Exclusive prefix sums of 256 numbers per workgroup: up-sweep and down-sweep over workgroup memory, with padding per 32 words.
@group(0) @binding(0) var<storage, read> x: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;
const N = 256u;
var<workgroup> temp: array<u32, N + N / 32u>;
fn at(i: u32) -> u32 { return i + (i >> 5u); }
@compute @workgroup_size(N / 2)
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
  let t = local.x;
  let base = group.x * N;
  for (var half = 0u; half < 2u; half++) {
    let i = t * 2u + half;
    temp[at(i)] = x[(base + i) / 4u][(base + i) % 4u];
  }
  var offset = 1u;
  for (var d = N >> 1u; d > 0u; d = d >> 1u) {
    workgroupBarrier();
    if (t < d) {
      let a = offset * (2u * t + 1u) - 1u;
      temp[at(a + offset)] += temp[at(a)];
    }
    offset = offset * 2u;
  }
  workgroupBarrier();
  if (t == 0u) {
    sums[group.x] = temp[at(N - 1u)];
    temp[at(N - 1u)] = 0u;
  }
  for (var d = 1u; d < N; d *= 2u) {
    offset >>= 1u;
    workgroupBarrier();
    if (t < d) {
      let a = at(offset * (2u * t + 1u) - 1u);
      let b = at(offset * (2u * t + 2u) - 1u);
      let left = temp[a];
      temp[a] = temp[b];
      temp[b] += left;
    }
  }
  workgroupBarrier();
  y[base + 2u * t] = temp[at(2u * t)];
  y[base + 2u * t + 1u] = temp[at(2u * t + 1u)];
}
