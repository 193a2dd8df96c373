// A flock, and the stages that draw it, in one module: only the compute stage runs.
struct Boid { place: vec2f, speed: vec2f }
struct Rules { step: f32, near: f32, pull: f32, push: f32, align: f32 }

@group(0) @binding(0) var<uniform> rules: Rules;
@group(0) @binding(1) var<storage, read> before: array<Boid>;
@group(0) @binding(2) var<storage, read_write> after: array<Boid>;
@group(1) @binding(0) var plumage: texture_2d<f32>;
@group(1) @binding(1) var linear: sampler;

override size: f32 = 0.02;
const_assert 2 > 1;

struct Drawn {
  @builtin(position) position: vec4f,
  @location(0) @interpolate(flat) shade: f32,
  @location(1) uv: vec2f,
}

fn turned(v: vec2f, along: vec2f) -> vec2f {
  let axis = normalize(along);
  return vec2f(v.x * axis.x - v.y * axis.y, v.x * axis.y + v.y * axis.x);
}

@vertex fn draw(@builtin(vertex_index) corner: u32, @builtin(instance_index) i: u32) -> Drawn {
  var corners = array(vec2f(1, 0), vec2f(-1, 0.5), vec2f(-1, -0.5));
  let boid = before[i];
  let at = boid.place + size * turned(corners[corner], boid.speed);
  return Drawn(vec4f(at, 0, 1), length(boid.speed), corners[corner]);
}

fn shown(shade: f32) -> f32 {
  if (shade < 0.001) { discard; }
  return shade + dpdx(shade);
}

@fragment fn paint(drawn: Drawn) -> @location(0) vec4f {
  return textureSample(plumage, linear, drawn.uv) * shown(drawn.shade);
}

@compute @workgroup_size(16) fn fly(@builtin(global_invocation_id) id: vec3u) {
  let count = arrayLength(&before);
  if (id.x >= count) { return; }
  var boid = before[id.x];
  var centre = vec2f();
  var apart = vec2f();
  var heading = vec2f();
  var friends = 0.0;
  for (var i = 0u; i < count; i++) {
    if (i == id.x) { continue; }
    let other = before[i];
    let way = other.place - boid.place;
    if (dot(way, way) > rules.near * rules.near) { continue; }
    centre += way;
    heading += other.speed;
    friends += 1;
    if (dot(way, way) < rules.near * rules.near * 0.25) { apart -= way; }
  }
  if (friends > 0) {
    boid.speed += centre / friends * rules.pull + apart * rules.push + heading / friends * rules.align;
  }
  boid.speed = clamp(length(boid.speed), 0.01, 1.0) * turned(vec2f(1, 0), boid.speed);
  boid.place = fract((boid.place + boid.speed * rules.step) * 0.5 + 0.5) * 2 - 1;
  after[id.x] = boid;
}
