// Vertices moved by four bones each; weights and normals are packed.
struct Bone { @align(64) matrix: mat4x4f, @size(32) scale: vec3f }
struct Vertex { position: vec3f, normal: u32, bones: u32, weights: u32, uv: u32, @size(4) flags: u32 }
struct Skinned { position: vec4f, normal: vec3f, packed: u32, @align(16) uv: vec2f }
struct Mesh { count: u32, @align(32) vertices: array<Vertex> }
@group(0) @binding(0) var<storage> bones: array<Bone, 4>;
@group(0) @binding(1) var<storage> mesh: Mesh;
@group(0) @binding(2) var<storage, read_write> skinned: array<Skinned>;

fn normalMatrix(m: mat4x4f) -> mat3x3f { return mat3x3f(m[0].xyz, m[1].xyz, m[2].xyz); }

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= min(mesh.count, arrayLength(&mesh.vertices))) { return; }
  let vertex = &mesh.vertices[id.x];
  var weights = unpack4x8unorm(vertex.weights);
  weights /= dot(weights, vec4f(1));
  let which = unpack4xU8((*vertex).bones);
  var m = mat4x4f();
  var scale = vec3f();
  for (var i = 0; i < 4; i++) {
    m += bones[which[i] & 3].matrix * weights[i];
    scale += weights[i] * bones[which[i] & 3].scale;
  }
  let n = unpack4x8snorm(vertex.normal).xyz;
  let normal = normalize(normalMatrix(m) * n);
  var result = Skinned();
  result.position = m * vec4f(vertex.position * scale, 1);
  result.normal = normal;
  result.packed = pack4xI8(vec4i(round(vec4f(normal, 0) * 4)));
  result.uv = unpack2x16unorm(vertex.uv);
  if ((vertex.flags & 1u) != 0u) { result.uv = result.uv.yx; }
  let d = determinant(normalMatrix(m));
  result.position.w = select(-1.0, d, abs(d) > 1e-6);
  skinned[id.x] = result;
}
