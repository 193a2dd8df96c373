// Philox 4 × 32-10 (Salmon et al. 2011) and Box–Muller; the high word of a product from four products of 16 bits.
struct State { counter: vec4u, key: vec2u }
@group(0) @binding(0) var<storage, read> seeds: array<State>;
@group(0) @binding(1) var<storage, read_write> bits: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> normal: array<vec4f>;
const M = vec2u(0xD2511F53u, 0xCD9E8D57u);
const WEYL = vec2u(0x9E3779B9u, 0xBB67AE85u);

fn mulHigh(a: vec2u, b: vec2u) -> vec2u {
  let al = a & vec2u(0xffffu);
  let ah = a >> vec2u(16u);
  let bl = b & vec2u(0xffffu);
  let bh = b >> vec2u(16u);
  let middle = ah * bl + ((al * bl) >> vec2u(16u));
  let other = al * bh + (middle & vec2u(0xffffu));
  return ah * bh + (middle >> vec2u(16u)) + (other >> vec2u(16u));
}

fn philox(state: State) -> vec4u {
  var c = state.counter;
  var k = state.key;
  for (var round = 0; round < 10; round += 1) {
    let high = mulHigh(M, c.xz);
    let low = M * c.xz;
    c = vec4(high.y ^ c.y ^ k.x, low.y, high.x ^ c.w ^ k.y, low.x);
    k += WEYL;
  }
  return c;
}

@compute @workgroup_size(16, 2, 2)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (id.z * groups.y * 2 + id.y) * groups.x * 16 + id.x;
  if (i >= arrayLength(&bits)) { return; }
  var state = seeds[i % arrayLength(&seeds)];
  state.counter.x += i;
  let drawn = philox(state);
  bits[i] = drawn;
  let u = (vec4f(drawn >> vec4u(8u)) + 0.5) * exp2(-24.0);
  let r = sqrt(-2.0 * log(u.xy));
  let a = 6.2831853 * u.zw;
  normal[i] = vec4f(r * cos(a), r * sin(a));
}
