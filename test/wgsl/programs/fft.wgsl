// Stockham transform of 256 complex numbers: four radix-4 passes of 64 invocations, between two halves of workgroup memory.
alias Complex = vec2<f32>;
@group(0) @binding(0) var<storage, read_write> signal: array<Complex>;
struct Params { direction: f32, scale: f32 }
@group(0) @binding(1) var<uniform> params: Params;
const N: u32 = 256;
const TAU = 6.283185307179586;
var<workgroup> halves: array<array<Complex, N>, 2>;

fn mul(a: Complex, b: Complex) -> Complex { return Complex(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }
fn turn(a: Complex) -> Complex { return params.direction * vec2f(a.y, -a.x); }
fn twiddle(angle: f32) -> Complex { return Complex(cos(angle), sin(angle)); }

fn butterfly(v: ptr<function, array<Complex, 4>>) {
  let a = (*v)[0] + (*v)[2];
  let b = (*v)[0] - (*v)[2];
  let c = v[1] + v[3];
  let d = turn(v[1] - v[3]);
  *v = array(a + c, b + d, a - c, b - d);
}

@compute @workgroup_size(N / 4)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) group: vec3u) {
  for (var r = 0u; r < 4u; r++) { halves[0][t + r * 64u] = signal[group.x * N + t + r * 64u]; }
  workgroupBarrier();
  var side = 0u;
  var size = 1u;
  while (size < N) {
    let k = t & (size - 1u);
    let angle = -params.direction * f32(TAU) * f32(k) / f32(4u * size);
    var v: array<Complex, 4>;
    for (var r = 0u; r < 4u; r++) { v[r] = mul(halves[side][t + r * 64u], twiddle(angle * f32(r))); }
    butterfly(&v);
    let to = (t - k) * 4u + k;
    for (var r = 0u; r < 4u; r++) { halves[1u - side][to + r * size] = v[r]; }
    side = 1u - side;
    size *= 4u;
    workgroupBarrier();
  }
  for (var r = 0u; r < 4u; r++) { signal[group.x * N + t + r * 64u] = halves[side][t + r * 64u] * params.scale; }
}
