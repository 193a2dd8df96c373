// Which edges of each cell a surface crosses, counted, and the cells that it crosses packed together within each workgroup.
enable subgroups;
@group(0) @binding(0) var<storage, read> field: array<f32>;
@group(0) @binding(1) var<storage, read_write> classes: array<u32>;
@group(0) @binding(2) var<storage, read_write> crossed: array<u32>;
@group(0) @binding(3) var<storage, read_write> points: array<vec3f>;
override ISO = 0.25;
const SIDE = 8u;
const CORNERS = array(vec3u(0, 0, 0), vec3u(1, 0, 0), vec3u(1, 1, 0), vec3u(0, 1, 0), vec3u(0, 0, 1), vec3u(1, 0, 1), vec3u(1, 1, 1), vec3u(0, 1, 1));
const EDGES = array<vec2<u32>, 12>(vec2(0, 1), vec2(1, 2), vec2(2, 3), vec2(3, 0), vec2(4, 5), vec2(5, 6), vec2(6, 7), vec2(7, 4), vec2(0, 4), vec2(1, 5), vec2(2, 6), vec2(3, 7));
var<workgroup> places: array<u32, 64>;

fn at(p: vec3u) -> f32 { return field[(p.z * (SIDE + 1) + p.y) * (SIDE + 1) + p.x]; }

@compute @workgroup_size(4, 4, 4)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) t: u32,
        @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var inside = 0u;
  for (var i = 0u; i < 8u; i++) { inside |= select(0u, 1u << i, at(id + CORNERS[i]) < ISO); }
  var edges = 0u;
  var sum = vec3f();
  for (var e = 0u; e < 12u; e++) {
    let ends = EDGES[e];
    if (extractBits(inside, ends.x, 1u) == extractBits(inside, ends.y, 1u)) { continue; }
    edges = insertBits(edges, 1u, e, 1u);
    let a = id + CORNERS[ends.x];
    let b = id + CORNERS[ends.y];
    sum += mix(vec3f(a), vec3f(b), (ISO - at(a)) / (at(b) - at(a)));
  }
  let cell = (id.z * SIDE + id.y) * SIDE + id.x;
  let count = countOneBits(edges);
  classes[cell] = inside | (edges << 8) | (firstTrailingBit(edges) << 24);
  points[cell] = select(sum / f32(count), vec3f(-1), count == 0u);
  places[t] = u32(count > 0);
  for (var d = 1u; d < 64u; d *= 2u) {
    workgroupBarrier();
    var value = places[t];
    if (t >= d) { value += places[t - d]; }
    workgroupBarrier();
    places[t] = value;
  }
  let first = ((group.z * groups.y + group.y) * groups.x + group.x) * 64u;
  if (count > 0u) { crossed[first + places[t] - 1u] = cell + 1u; }
}
