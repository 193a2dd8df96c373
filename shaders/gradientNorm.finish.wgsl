// gradientNorm.finish   norm = a * √(Σ partials),  scale = a * min(1, maxNorm / (norm + 1e-6)), a = scalars[3]
// As torch's clip_grad_norm_; a turns summed micro-batch gradients into their mean. Twin: gradientNormOp's reference in
// src/engine/ops/gradientNorm.ts
//
//   partials  [count]   from gradientNorm.partial, or on GPUs from gpu/sumRows.split after it
//   scalars   [4]       scalars[3] = 1 / micro-batches
//   failed    [1]       set to 1 where the norm is not finite; markNonFinite has set it where the loss is not
//   clip      [2]       norm, scale: read by adamW, so clipping needs no readback. Scale is 0 where failed is not 0:
//                       adamW then changes nothing
//
// One workgroup: invocation i sums partials ≡ i (mod WORKGROUP), then invocation 0 adds those sums in order of i.

struct Params { count: u32, maxNorm: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read> scalars: array<f32>;
@group(0) @binding(3) var<storage, read_write> failed: array<f32>;
@group(0) @binding(4) var<storage, read_write> clip: array<f32>;

var<workgroup> squares: array<f32, WORKGROUP>; // squares[i]: sum over partials ≡ i (mod WORKGROUP)

// An exponent of all ones is an infinity or a NaN. The test is on bits, since WGSL allows a compiler to assume that
// every float is finite.
fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < params.count; i += WORKGROUP) { sum += partials[i]; }
  squares[lane] = sum;
  workgroupBarrier(); // every slot is written before invocation 0 reads them
  if (lane == 0u) {
    var all = 0.0;
    for (var i = 0u; i < WORKGROUP; i++) { all += squares[i]; }
    let norm = scalars[3] * sqrt(all);
    clip[0] = norm;
    let scale = scalars[3] * min(1.0, params.maxNorm / (norm + 1e-6));
    if (!isFinite(norm)) { failed[0] = 1.0; }
    clip[1] = select(0.0, scale, failed[0] == 0.0);
  }
}
