// gelu.forward   y = u/2 * (1 + tanh(√(2/π) * (u + 0.044715 u³)))
// Hendrycks and Gimpel 2016, arXiv:1606.08415, in its tanh form. Twin: geluReference in src/engine/ops/gelu.ts
//
//   u, y  [n]
//
// One invocation per element. Workgroups: ceil(n / WORKGROUP), folded over y past 65535.

struct Params { n: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (i >= params.n) { return; }
  let x = u[i];
  // tanh(10) is 1 in f32. The clamp prevents NaN: a driver may compute tanh through exp and overflow.
  let t = tanh(clamp(0.7978845608 * (x + 0.044715 * x * x * x), -10.0, 10.0));
  y[i] = 0.5 * x * (1.0 + t);
}
