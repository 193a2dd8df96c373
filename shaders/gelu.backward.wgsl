// gelu.backward   dU = dY * (½(1 + t) + u/2 * (1 - t²) * √(2/π) * (1 + 3 * 0.044715 u²)),  t = tanh(…) of gelu.forward
// Hendrycks and Gimpel 2016, arXiv:1606.08415, in its tanh form. Twin: geluBackwardReference in src/engine/ops/gelu.ts
//
//   u, dY, dU  [n]
//
// One invocation per element. Workgroups: ceil(n / WORKGROUP), folded over y past 65535.

struct Params { n: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read> dY: array<f32>;
@group(0) @binding(3) var<storage, read_write> dU: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (i >= params.n) { return; }
  let x = u[i];
  let t = tanh(clamp(0.7978845608 * (x + 0.044715 * x * x * x), -10.0, 10.0)); // the clamp: see gelu.forward
  let slope = 0.7978845608 * (1.0 + 0.134145 * x * x); // derivative of tanh's argument; 0.134145 = 3 * 0.044715
  dU[i] = dY[i] * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope);
}
