// Eigenvalues of symmetric matrices by Jacobi's rotations: a matrix per invocation, columns and entries indexed at run time.
struct Pair { values: vec3f, sweeps: u32, vectors: mat3x3f }
@group(0) @binding(0) var<storage, read> matrices: array<mat3x3f>;
@group(0) @binding(1) var<storage, read_write> pairs: array<Pair>;

fn largest(m: ptr<function, mat3x3f>) -> vec2u {
  var at = vec2u(0, 1);
  for (var p = 0u; p < 2u; p++) {
    for (var q = p + 1u; q < 3u; q++) {
      if (abs((*m)[p][q]) > abs((*m)[at.x][at.y])) { at = vec2(p, q); }
    }
  }
  return at;
}

fn rotate(m: ptr<function, mat3x3f>, v: ptr<function, mat3x3f>, p: u32, q: u32) {
  let theta = ((*m)[q][q] - (*m)[p][p]) / (2.0 * (*m)[p][q]);
  let t = select(-1.0, 1.0, theta >= 0.0) / (abs(theta) + sqrt(theta * theta + 1.0));
  let c = inverseSqrt(t * t + 1.0);
  let s = t * c;
  var j = mat3x3f(1, 0, 0, 0, 1, 0, 0, 0, 1);
  j[p][p] = c;
  j[q][q] = c;
  j[p][q] = -s;
  j[q][p] = s;
  *m = transpose(j) * *m * j;
  *v *= j;
}

@compute @workgroup_size(4, 1, 2)
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u) {
  let at = (group.y * 2u + local.z) * 4u + local.x;
  var m = matrices[at];
  var v = mat3x3f(1, 0, 0, 0, 1, 0, 0, 0, 1);
  var sweeps = 0u;
  for (; sweeps < 20u; sweeps++) {
    let pivot = largest(&m);
    if (abs(m[pivot.x][pivot.y]) < 1e-6) { break; }
    rotate(&m, &v, pivot.x, pivot.y);
  }
  var values = vec3(m[0][0], m[1][1], m[2][2]);
  // in order, the vectors with them
  for (var i = 0; i < 2; i++) {
    for (var k = 0; k < 2 - i; k++) {
      if (values[k] <= values[k + 1]) { continue; }
      let value = values[k];
      values[k] = values[k + 1];
      values[k + 1] = value;
      let vector = v[k];
      v[k] = v[k + 1];
      v[k + 1] = vector;
    }
  }
  for (var k = 0; k < 3; k++) { v[k] *= select(-1.0, 1.0, dot(v[k], vec3(1.0, 0.37, 0.11)) >= 0.0); }
  pairs[at] = Pair(values, min(sweeps, 1), v);
}
