// markNonFinite   failed[0] = 1 where x is infinite or not a number; else it stays as it is
// Twin: markNonFinite's reference in src/engine/ops/markNonFinite.ts
//
//   x       [1]   the loss
//   failed  [1]   updated in place, read by gradientNorm.finish; only TypeScript sets it back to 0
//
// One invocation.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> failed: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main() {
  // An exponent of all ones is an infinity or a NaN. The test is on bits, since WGSL allows a compiler to assume that
  // every float is finite.
  if ((bitcast<u32>(x[0]) & 0x7f800000u) == 0x7f800000u) { failed[0] = 1.0; }
}
