// bmm   y[z0, z1, m, n] = Σ_k a[z0, z1, m, k] * b[z0, z1, k, n], a matrix product for each z0 and z1
// Twin: bmmReference in src/engine/ops/bmm.ts
//
//   a, b  the storages of the inputs: a[z0, z1, m, k] sits at z0*aStride0 + z1*aStride1 + m*aStride2 + k*aStride3,
//         and b[z0, z1, k, n] likewise. Strides are swapped for a transposed matrix, and 0 for a repeated one.
//   y     [size0, size1, size2, size3] = [Z0, Z1, M, N], count elements
//
// One invocation per element of y, k in ascending order. Workgroups: ceil(count / WORKGROUP), folded over y past 65535.

struct Params {
  count: u32, K: u32, size1: u32, size2: u32, size3: u32,
  aStride0: u32, aStride1: u32, aStride2: u32, aStride3: u32,
  bStride0: u32, bStride1: u32, bStride2: u32, bStride3: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * 65535u) * WORKGROUP + lane; // y[z0, z1, m, n]
  if (at >= params.count) { return; }
  let n = at % params.size3;
  let m = at / params.size3 % params.size2;
  let z1 = at / params.size3 / params.size2 % params.size1;
  let z0 = at / params.size3 / params.size2 / params.size1;

  let aAt = z0 * params.aStride0 + z1 * params.aStride1 + m * params.aStride2; // a[z0, z1, m, 0]
  let bAt = z0 * params.bStride0 + z1 * params.bStride1 + n * params.bStride3; // b[z0, z1, 0, n]
  var sum = 0.0;
  for (var k = 0u; k < params.K; k++) { sum += a[aAt + k * params.aStride3] * b[bAt + k * params.bStride2]; }
  y[at] = sum;
}
