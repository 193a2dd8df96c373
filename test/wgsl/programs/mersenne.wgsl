// The Mersenne Twister, a workgroup per seed: the state in workgroup memory, made by one invocation, twisted THREADS words at a time. Next
// to it PCG-XSH-RR, whose 64-bit state is two words.
const N = 624u;
const M = 397u;
const THREADS = 32;
@group(0) @binding(0) var<storage, read> seeds: array<u32>;
@group(0) @binding(1) var<storage, read_write> twisted: array<array<u32, 700>>;
@group(0) @binding(2) var<storage, read_write> permuted: array<array<u32, 6>>;
var<workgroup> state: array<u32, N>;
var<private> pcg: vec2u; // low, high

fn temper(word: u32) -> u32 {
  var y = word;
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680;
  y ^= (y << 15) & 0xefc60000;
  return y ^ (y >> 18);
}

fn product(a: u32, b: u32) -> vec2u {
  let low = (a & 0xffff) * (b & 0xffff);
  let middle = vec2(a >> 16, a & 0xffff) * vec2(b & 0xffff, b >> 16);
  let sum = (low >> 16) + (middle.x & 0xffff) + (middle.y & 0xffff);
  return vec2((sum << 16) | (low & 0xffff), (a >> 16) * (b >> 16) + (middle.x >> 16) + (middle.y >> 16) + (sum >> 16));
}

fn add(a: vec2u, b: vec2u) -> vec2u {
  let low = a.x + b.x;
  return vec2(low, a.y + b.y + u32(low < a.x));
}

fn step() -> u32 {
  let old = pcg;
  const MULTIPLIER = vec2u(0x4c957f2d, 0x5851f42d);
  var next = product(old.x, MULTIPLIER.x);
  next.y += old.x * MULTIPLIER.y + old.y * MULTIPLIER.x;
  pcg = add(next, vec2(109, 0));
  let shifted = vec2((old.x >> 18) | (old.y << 14), old.y >> 18) ^ old;
  let word = (shifted.x >> 27) | (shifted.y << 5);
  let turn = old.y >> 27;
  return (word >> turn) | (word << ((32 - turn) & 31));
}

// The next THREADS words depend on older words alone, except that each needs its follower as it was: so read, wait, write.
fn twist(lane: u32) {
  for (var start = 0u; start < N; start += THREADS) {
    let i = start + lane;
    var word = 0u;
    if (i < N) {
      let y = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
      word = state[(i + M) % N] ^ (y >> 1) ^ select(0u, 0x9908b0df, (y & 1) == 1);
    }
    workgroupBarrier();
    if (i < N) { state[i] = word; }
    workgroupBarrier();
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3u) {
  if (lane == 0) {
    state[0] = seeds[group.x];
    for (var i = 1u; i < N; i++) { state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >> 30)) + i; }
    pcg = vec2();
    _ = step();
    pcg = add(pcg, vec2(seeds[group.x], 0));
    _ = step();
    for (var i = 0; i < 6; i++) { permuted[group.x][i] = step(); }
  }
  workgroupBarrier();
  for (var done = 0u; done < 700; done += N) {
    twist(lane);
    for (var i = lane; i < min(N, 700 - done); i += THREADS) { twisted[group.x][done + i] = temper(state[i]); }
    workgroupBarrier();
  }
}
