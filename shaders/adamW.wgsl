// adamW   one optimiser step over every parameter at once, as torch.optim.AdamW: decay first, then Adam's step
// Loshchilov and Hutter 2017, arXiv:1711.05101. Twin: adamWReference in src/engine/ops/adamW.ts
//
//   g = gradient * clip scale
//   m = beta1 * m + (1 - beta1) * g,   v = beta2 * v + (1 - beta2) * g²
//   p = p * (1 - lr * decay * decays) - lr * (m / (1 - beta1^t)) / (√(v / (1 - beta2^t)) + eps)
//
//   gradients, parameters, m, v  [n]           a range of the flat buffers; the last three are updated in place
//   decays                       [ceil(n/64)]  1 where the block of 64 floats decays, 0 where not; parameters start
//                                              at multiples of 64, so a block has one owner
//   clip                         [2]           norm, scale: from gradientNorm.finish; scale is 0 where this step or one
//                                              before it had a norm or a loss that is not finite: nothing changes then
//   scalars                      [4]           lr, 1 - beta1^t, 1 - beta2^t, 1 / micro-batches (in clip already)
//
// One invocation per float. Workgroups: ceil(n / WORKGROUP), folded over y past 65535.

struct Params { n: u32, beta1: f32, beta2: f32, eps: f32, decay: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradients: array<f32>;
@group(0) @binding(2) var<storage, read> decays: array<f32>;
@group(0) @binding(3) var<storage, read> clip: array<f32>;
@group(0) @binding(4) var<storage, read> scalars: array<f32>;
@group(0) @binding(5) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(6) var<storage, read_write> m: array<f32>;
@group(0) @binding(7) var<storage, read_write> v: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (i >= params.n) { return; }
  if (bitcast<u32>(clip[1]) - 1u >= 0x7f7fffffu) { return; } // unless the scale is finite and above 0; the same for all
  let lr = scalars[0];
  let g = gradients[i] * clip[1];
  let first = params.beta1 * m[i] + (1.0 - params.beta1) * g;
  let second = params.beta2 * v[i] + (1.0 - params.beta2) * g * g;
  m[i] = first;
  v[i] = second;
  let shrunk = parameters[i] * (1.0 - lr * params.decay * decays[i / 64u]);
  parameters[i] = shrunk - lr * (first / scalars[1]) / (sqrt(second / scalars[2]) + params.eps);
}
