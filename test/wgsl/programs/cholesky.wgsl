// A = L Lᵀ in place in workgroup memory, then L y = b and Lᵀ x = y.
override N: u32 = 16;
@group(0) @binding(0) var<storage, read> matrices: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> factors: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
var<workgroup> a: array<f32, N * N>;
var<workgroup> v: array<f32, N>;

@compute @workgroup_size(N, 4)
fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let m = group.x;
  for (var row = id.y; row < N; row += 4u) { a[row * N + id.x] = matrices[(m * N + row) * N + id.x]; }
  if (id.y == 0u) { v[id.x] = b[m * N + id.x]; }
  workgroupBarrier();
  for (var k = 0u; k < N; k++) {
    if (id.x == k && id.y == 0u) { a[k * N + k] = sqrt(a[k * N + k]); }
    workgroupBarrier();
    if (id.y == 1u && id.x > k) { a[id.x * N + k] /= a[k * N + k]; }
    workgroupBarrier();
    for (var row = id.y; row < N; row += 4u) {
      if (row <= k || id.x <= k || id.x > row) { continue; }
      a[row * N + id.x] -= a[row * N + k] * a[id.x * N + k];
    }
    workgroupBarrier();
  }
  for (var k = 0u; k < N; k++) {
    if (all(id.xy == vec2(0u))) { v[k] /= a[k * N + k]; }
    workgroupBarrier();
    if (id.y == 0u && id.x > k) { v[id.x] -= a[id.x * N + k] * v[k]; }
    workgroupBarrier();
  }
  for (var k = i32(N) - 1; k >= 0; k--) {
    let at = u32(k);
    if (id.x == at && id.y == 3u) { v[at] /= a[at * N + at]; }
    workgroupBarrier();
    if (id.y == 0u && id.x < at) { v[id.x] -= a[at * N + id.x] * v[at]; }
    workgroupBarrier();
  }
  for (var row = id.y; row < N; row += 4u) {
    factors[(m * N + row) * N + id.x] = select(a[row * N + id.x], 0.0, id.x > row);
  }
  if (id.y == 0u) { x[m * N + id.x] = v[id.x]; }
}
