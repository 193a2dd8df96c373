// unary.backward   dX = dY * f'(x), element by element; the constant OP selects f by its index in the table
// Twin: unaryTable in src/engine/ops/unary.ts
//
//   x, y, dY, dX  [n]   y = f(x): some derivatives are shorter in terms of y
//
// One invocation per element. Workgroups: ceil(n / WORKGROUP), folded over y past 65535.

// const OP: u32 precedes this text

struct Params { n: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> dY: array<f32>;
@group(0) @binding(4) var<storage, read_write> dX: array<f32>;

fn derivative(x: f32, y: f32) -> f32 {
  if (OP == 0u) { return y; } // exp
  if (OP == 1u) { return 1.0 / x; } // log
  if (OP == 2u) { return select(0.0, 1.0, x > 0.0); } // relu
  if (OP == 3u) { return 1.0 - y * y; } // tanh
  if (OP == 4u) { return y * (1.0 - y); } // sigmoid
  return y; // no row has another OP
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (i >= params.n) { return; }
  dX[i] = dY[i] * derivative(x[i], y[i]);
}
