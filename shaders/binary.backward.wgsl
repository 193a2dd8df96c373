// binary.backward dX = dY * the derivative of f(a, b) with respect to a (SIDE == 0) or b (SIDE == 1), element by
// element Twin: binaryTable in src/engine/ops/binary.ts
//
//   a, b    the storages of the inputs, read as in binary.forward
//   dY, dX  [size0, size1, size2, size3], n elements: if a or b is repeated, `sum` then adds the repetitions of dX
//
// One invocation per element of dX. Workgroups: ceil(n / WORKGROUP), folded over y past 65535.

// const OP, SIDE, STRIDED: u32 precede this text

struct Params {
  n: u32, size1: u32, size2: u32, size3: u32,
  aStride0: u32, aStride1: u32, aStride2: u32, aStride3: u32,
  bStride0: u32, bStride1: u32, bStride2: u32, bStride3: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> dY: array<f32>;
@group(0) @binding(4) var<storage, read_write> dX: array<f32>;

// add needs no derivative: its gradient is dY, as is sub's with respect to a
fn derivative(a: f32, b: f32) -> f32 {
  if (OP == 1u && SIDE == 1u) { return -1.0; } // sub
  if (OP == 2u && SIDE == 0u) { return b; } // mul
  if (OP == 2u && SIDE == 1u) { return a; } // mul
  if (OP == 3u && SIDE == 0u) { return 1.0 / b; } // div
  if (OP == 3u && SIDE == 1u) { return -a / (b * b); } // div
  return 0.0; // no row has another OP
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
  dX[i] = dY[i] * derivative(a[aAt], b[bAt]);
}
