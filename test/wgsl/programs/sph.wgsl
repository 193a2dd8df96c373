// Density and pressure force of particles, whose neighbours are found by a sorted list of cells.
struct Particle { position: vec3f, density: f32, velocity: vec3f, cell: i32 }
struct Fluid { radius: f32, mass: f32, stiffness: f32, rest: f32, cells: vec3i }
struct Cells { count: u32, ranges: array<vec2u> }
@group(0) @binding(0) var<storage, read_write> particles: array<Particle>;
@group(0) @binding(1) var<uniform> fluid: Fluid;
@group(0) @binding(2) var<storage, read> cells: Cells;
@group(0) @binding(3) var<storage, read_write> force: array<vec4f>;

fn cellOf(position: vec3f) -> vec3i { return clamp(vec3i(floor(position / fluid.radius)), vec3i(0), fluid.cells - 1); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = arrayLength(&particles);
  if (id.x >= n) { return; }
  let mine = &particles[id.x];
  let here = cellOf((*mine).position);
  var density = 0.0;
  var push = vec3f(0.0);
  var neighbours = 0u;
  for (var dz = -1; dz <= 1; dz++) {
    for (var dy = -1; dy <= 1; dy++) {
      for (var dx = -1; dx <= 1; dx++) {
        let there = here + vec3i(dx, dy, dz);
        if (any(there < vec3i(0)) || any(there >= fluid.cells)) { continue; }
        let cell = u32((there.z * fluid.cells.y + there.y) * fluid.cells.x + there.x);
        if (cell >= cells.count) { continue; }
        let range = cells.ranges[cell];
        for (var j = range.x; j < range.y; j++) {
          let d = mine.position - particles[j].position;
          let r2 = dot(d, d);
          let h2 = fluid.radius * fluid.radius;
          if (r2 >= h2) { continue; }
          density += fluid.mass * pow(h2 - r2, 3.0);
          neighbours++;
          if (j == id.x) { continue; }
          let r = max(sqrt(r2), 1e-4);
          push += d / r * pow(fluid.radius - r, 2.0) * fluid.stiffness;
        }
      }
    }
  }
  force[id.x] = vec4f(push, f32(neighbours));
  particles[id.x].density = density;
  (*mine).cell = (here.z * fluid.cells.y + here.y) * fluid.cells.x + here.x;
}
