// contiguous   y = x copied into row-major order, where x is a strided view of up to four axes
// Twin: contiguous in src/engine/ops/view.ts
//
//   x  the storage of the view; element [i0, i1, i2, i3] sits at i0*stride0 + i1*stride1 + i2*stride2 + i3*stride3
//   y  [size0, size1, size2, size3], n elements. Both are copied as raw 32-bit words, so ids keep their bits.
//
// One invocation per element of y. Workgroups: ceil(n / WORKGROUP), folded over y past 65535.

struct Params {
  n: u32, size1: u32, size2: u32, size3: u32,
  stride0: u32, stride1: u32, stride2: u32, stride3: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (i >= params.n) { return; }
  // Row-major: the last axis runs fastest.
  let i3 = i % params.size3;
  let i2 = i / params.size3 % params.size2;
  let i1 = i / params.size3 / params.size2 % params.size1;
  let i0 = i / params.size3 / params.size2 / params.size1;
  y[i] = x[i0 * params.stride0 + i1 * params.stride1 + i2 * params.stride2 + i3 * params.stride3];
}
