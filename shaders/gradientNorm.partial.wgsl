// gradientNorm.partial   sums of squares of a flat gradient, one per invocation; gradientNorm.finish adds them
// Twin: gradientNormOp's reference in src/engine/ops/gradientNorm.ts
//
//   g         [n]                  a range of the flat gradients
//   partials  [count]              this range's sums go to partials[first + group*WORKGROUP + lane]
//
// A workgroup covers WORKGROUP*ITEMS consecutive floats; its invocation `lane` sums those ≡ lane (mod WORKGROUP), so that
// neighbours read neighbours. No atomics and no shared memory: the order of every sum is fixed.
// Workgroups: ceil(n / (WORKGROUP*ITEMS)), folded over y past 65535.

struct Params { n: u32, first: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let block = group.x + group.y * 65535u;
  let start = block * WORKGROUP * ITEMS; // start of this workgroup's block
  if (start >= params.n) { return; }     // the same for the whole workgroup: the fold's last row may be too long
  let end = min(start + WORKGROUP * ITEMS, params.n);
  var sum = 0.0;
  for (var i = start + lane; i < end; i += WORKGROUP) { sum += g[i] * g[i]; }
  partials[params.first + block * WORKGROUP + lane] = sum;
}
