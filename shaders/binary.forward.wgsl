// binary.forward   y = f(a, b), element by element; the constant OP selects f by its index in the table
// Twin: binaryTable in src/engine/ops/binary.ts
//
//   a, b  the storages of the inputs; with STRIDED == 1, element [i0, i1, i2, i3] of y reads
//         a[i0*aStride0 + i1*aStride1 + i2*aStride2 + i3*aStride3] and b likewise. A stride of 0 repeats the input along an
//         axis (broadcasting). With STRIDED == 0 all three have the same order.
//   y     [size0, size1, size2, size3], n elements
//
// One invocation per element of y. Workgroups: ceil(n / WORKGROUP), folded over y past 65535.

// const OP, STRIDED: u32 precede this text

struct Params {
  n: u32, size1: u32, size2: u32, size3: u32,
  aStride0: u32, aStride1: u32, aStride2: u32, aStride3: u32,
  bStride0: u32, bStride1: u32, bStride2: u32, bStride3: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn f(a: f32, b: f32) -> f32 {
  if (OP == 0u) { return a + b; } // add
  if (OP == 1u) { return a - b; } // sub
  if (OP == 2u) { return a * b; } // mul
  if (OP == 3u) { return a / b; } // div
  return a; // no row has another OP
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (i >= params.n) { return; }
  var aAt = i;
  var bAt = i;
  if (STRIDED == 1u) {
    // Row-major: the last axis runs fastest.
    let i3 = i % params.size3;
    let i2 = i / params.size3 % params.size2;
    let i1 = i / params.size3 / params.size2 % params.size1;
    let i0 = i / params.size3 / params.size2 / params.size1;
    aAt = i0 * params.aStride0 + i1 * params.aStride1 + i2 * params.aStride2 + i3 * params.aStride3;
    bAt = i0 * params.bStride0 + i1 * params.bStride1 + i2 * params.bStride2 + i3 * params.bStride3;
  }
  y[i] = f(a[aAt], b[bAt]);
}
