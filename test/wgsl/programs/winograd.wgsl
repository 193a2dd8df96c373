// Convolution 3 × 3 as F(2 × 2, 3 × 3): Y = Aᵀ [(G g Gᵀ) ∘ (Bᵀ d B)] A, with WGSL's own matrices. Lavin & Gray 2015, arXiv:1509.09308.
struct Size { width: u32, height: u32, channels: u32 }
@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> image: array<f32>;
@group(0) @binding(2) var<storage, read> filters: array<mat3x3f>; // columns of four floats
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

const BT = transpose(mat4x4f(1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 1, 0, -1));
const G = transpose(mat4x3f(1, 0, 0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0, 0, 1));
const AT = transpose(mat2x4f(1, 1, 1, 0, 0, 1, -1, -1));

fn patchAt(c: u32, corner: vec2i) -> mat4x4f {
  var d: mat4x4f;
  for (var column = 0; column < 4; column++) {
    for (var row = 0; row < 4; row++) {
      let p = corner + vec2(column, row);
      if (any(p < vec2()) || p.x >= i32(size.width) || p.y >= i32(size.height)) { continue; }
      d[column][row] = image[(c * size.height + u32(p.y)) * size.width + u32(p.x)];
    }
  }
  return d;
}

fn times(a: mat4x4f, b: mat4x4f) -> mat4x4f {
  return mat4x4f(a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3]);
}

@compute @workgroup_size(4, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let corner = vec2i(id.xy) * 2;
  if (corner.x >= i32(size.width) || corner.y >= i32(size.height)) { return; }
  var sum = mat4x4f();
  for (var c = 0u; c < size.channels; c++) {
    let u = G * filters[c] * transpose(G);
    let v = BT * patchAt(c, corner - 1) * transpose(BT);
    sum += times(u, v);
  }
  let y: mat2x2f = AT * sum * transpose(AT);
  for (var i = 0; i < 4; i++) {
    let p = vec2u(corner + vec2i(i & 1, i >> 1));
    if (p.x < size.width && p.y < size.height) { out[p.y * size.width + p.x] = y[i & 1][i >> 1]; }
  }
}
