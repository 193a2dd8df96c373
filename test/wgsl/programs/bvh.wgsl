// The nearest triangle along a ray: a tree of boxes walked with a stack.
struct Node { low: vec3f, first: u32, high: vec3f, count: u32 } // count 0: children first and first + 1
@group(0) @binding(0) var<storage, read> nodes: array<Node>;
@group(0) @binding(1) var<storage, read> triangles: array<mat3x3f>;
@group(0) @binding(2) var<storage, read_write> hits: array<vec4f>;
var<private> stack: array<u32, 16>;

fn entry(node: Node, origin: vec3f, inverse: vec3f, far: f32) -> f32 {
  let a = (node.low - origin) * inverse;
  let b = (node.high - origin) * inverse;
  let near = max(max(min(a.x, b.x), min(a.y, b.y)), max(min(a.z, b.z), 0.0));
  let leave = min(min(max(a.x, b.x), max(a.y, b.y)), min(max(a.z, b.z), far));
  return select(1e30, near, near <= leave);
}

fn crossing(t: mat3x3f, origin: vec3f, direction: vec3f) -> vec3f {
  let e1 = t[1] - t[0];
  let e2 = t[2] - t[0];
  let p = cross(direction, e2);
  let det = dot(e1, p);
  if (abs(det) < 1e-7) { return vec3f(1e30, 0, 0); }
  let s = origin - t[0];
  let u = dot(s, p) / det;
  if (u < 0 || u > 1) { return vec3f(1e30, 0, 0); }
  let q = cross(s, e1);
  let v = dot(direction, q) / det;
  if (v < 0 || u + v > 1) { return vec3f(1e30, 0, 0); }
  let d = dot(e2, q) / det;
  return select(vec3f(1e30, 0, 0), vec3f(d, u, v), d > 1e-4);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let origin = vec3f(0.03, 0.07, -5);
  let direction = normalize(vec3f((vec2f(id.xy) + 0.37) / 8.0 - 1.0, 3));
  let inverse = 1 / direction;
  var best = vec4f(1e30, 0, 0, -1);
  var top = 0u;
  stack[0] = 0u;
  top = 1u;
  loop {
    if (top == 0u) { break; }
    top--;
    let node = nodes[stack[top]];
    if (entry(node, origin, inverse, best.x) >= best.x) { continue; }
    if (node.count > 0u) {
      for (var i = node.first; i < node.first + node.count; i++) {
        let found = crossing(triangles[i], origin, direction);
        if (found.x < best.x) { best = vec4f(found, f32(i)); }
      }
      continue;
    }
    var near = node.first;
    var away = node.first + 1u;
    if (entry(nodes[away], origin, inverse, best.x) < entry(nodes[near], origin, inverse, best.x)) {
      let other = near;
      near = away;
      away = other;
    }
    stack[top] = away;
    stack[top + 1u] = near;
    top += 2u;
  }
  hits[id.y * 16u + id.x] = best;
}
