// sgd   one step of gradient descent over every parameter at once, as torch.optim.SGD
// Sutskever et al. 2013, ICML. Twin: sgdReference in src/engine/ops/sgd.ts
//
//   v = momentum * v + gradient
//   p = p - lr * v
//
//   gradients, parameters, v  [n]   a range of the flat buffers; the last two are updated in place
//   lr                        [1]
//
// One invocation per float. Workgroups: ceil(n / WORKGROUP), folded over y past 65535.

struct Params { n: u32, momentum: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradients: array<f32>;
@group(0) @binding(2) var<storage, read> lr: array<f32>;
@group(0) @binding(3) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(4) var<storage, read_write> v: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (i >= params.n) { return; }
  let velocity = params.momentum * v[i] + gradients[i];
  v[i] = velocity;
  parameters[i] -= lr[0] * velocity;
}
