// Spheres over a floor, a few bounces, PCG random numbers.
struct Ray { origin: vec3f, direction: vec3f }
struct Material { albedo: vec3f, emission: f32, @size(16) kind: u32 }
struct Sphere { center: vec3f, radius: f32, material: Material }
struct Scene { size: vec2u, samples: u32, @align(16) count: u32, spheres: array<Sphere, 4> }
struct Hit { t: f32, point: vec3f, normal: vec3f, material: Material, found: bool }
@group(0) @binding(0) var<uniform> scene: Scene;
@group(0) @binding(1) var<storage, read_write> image: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> packed: array<u32>;
var<private> seed: u32;
const FAR = 1e20;

fn random() -> f32 {
  let state = seed;
  seed = seed * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return f32(((word >> 22u) ^ word) >> 8u) * (1.0 / 16777216.0);
}

fn inSphere() -> vec3f {
  for (var i = 0; i < 16; i++) {
    let p = vec3f(random(), random(), random()) * 2 - 1;
    if dot(p, p) < 1.0 { return p; }
  }
  return vec3f(0, 0, 1);
}

fn intersect(ray: Ray, sphere: Sphere, hit: ptr<function, Hit>) {
  let oc = ray.origin - sphere.center;
  let b = dot(oc, ray.direction);
  let c = dot(oc, oc) - sphere.radius * sphere.radius;
  let discriminant = b * b - c;
  if discriminant < 0.0 { return; }
  let root = sqrt(discriminant);
  var t = -b - root;
  if t < 1e-3 { t = -b + root; }
  if t < 1e-3 || t >= (*hit).t { return; }
  (*hit).t = t;
  hit.point = ray.origin + t * ray.direction;
  hit.normal = (hit.point - sphere.center) / sphere.radius;
  hit.material = sphere.material;
  hit.found = true;
}

fn closest(ray: Ray) -> Hit {
  var hit: Hit;
  hit.t = FAR;
  for (var i = 0u; i < min(scene.count, 4u); i++) { intersect(ray, scene.spheres[i], &hit); }
  if ray.direction.y < -1e-4 {
    let t = -(ray.origin.y + 1) / ray.direction.y;
    if t > 1e-3 && t < hit.t {
      let point = ray.origin + t * ray.direction;
      let odd = (i32(floor(point.x)) + i32(floor(point.z))) & 1;
      hit = Hit(t, point, vec3f(0, 1, 0), Material(select(vec3f(0.3), vec3f(0.8), vec3(odd == 1)), 0, 0u), true);
    }
  }
  return hit;
}

fn trace(start: Ray) -> vec3f {
  var ray = start;
  var light = vec3f();
  var through = vec3f(1);
  for (var bounce = 0; bounce < 4; bounce++) {
    let hit = closest(ray);
    if !hit.found {
      light += through * mix(vec3f(1), vec3f(0.5, 0.7, 1), 0.5 * (ray.direction.y + 1));
      break;
    }
    light += through * hit.material.emission;
    var direction = vec3f();
    switch hit.material.kind {
      case 1: { direction = reflect(ray.direction, hit.normal); }
      case 2: {
        let entering = dot(ray.direction, hit.normal) < 0;
        direction = refract(ray.direction, select(-hit.normal, hit.normal, entering), select(1.5f, 1 / 1.5, entering));
        if all(direction == vec3f()) { direction = reflect(ray.direction, hit.normal); }
      }
      default: { direction = hit.normal + inSphere(); }
    }
    if dot(direction, direction) < 1e-6 { direction = hit.normal; }
    ray = Ray(hit.point, normalize(direction));
    through *= hit.material.albedo;
    if max(through.x, max(through.y, through.z)) < 0.05 { break; }
  }
  return light;
}

@compute @workgroup_size(8, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if any(id.xy >= scene.size) { return; }
  let at = id.y * scene.size.x + id.x;
  seed = at * 9781u + 1u;
  var sum = vec3f();
  for (var s = 0u; s < scene.samples; s++) {
    let p = (vec2f(id.xy) + vec2f(random(), random())) / vec2f(scene.size) * 2 - 1;
    sum += trace(Ray(vec3f(0, 0.5, 4), normalize(vec3f(p.x, -p.y, -2))));
  }
  image[at] = vec4f(sum / f32(scene.samples), 1);
  packed[at] = pack4x8unorm(saturate(floor(image[at] * 4) / 4));
}
