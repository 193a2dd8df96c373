// unary.forward   y = f(x), element by element; the constant OP selects f by its index in the table
// Twin: unaryTable in src/engine/ops/unary.ts
//
//   x, y  [n]
//
// One invocation per element. Workgroups: ceil(n / WORKGROUP), folded over y past 65535.

// const OP: u32 precedes this text

struct Params { n: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn f(x: f32) -> f32 {
  if (OP == 0u) { return exp(x); } // exp
  if (OP == 1u) { return log(x); } // log
  if (OP == 2u) { return select(x, 0.0, x < 0.0); } // relu
  // Beyond the limits the f32 results do not change: tanh(10) is 1, and 1 / (1 + exp(80)) is less than rounding of 1.
  if (OP == 3u) { return tanh(clamp(x, -10.0, 10.0)); } // tanh
  if (OP == 4u) { return 1.0 / (1.0 + exp(min(-x, 80.0))); } // sigmoid
  return x; // no row has another OP
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (i >= params.n) { return; }
  y[i] = f(x[i]);
}
