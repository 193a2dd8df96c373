// SHA-256 of messages of one block and of two.
const K = array<u32, 64>(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2);
const INITIAL = array(0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u);
struct Digest { words: array<u32, 8> }
@group(0) @binding(0) var<storage, read> lengths: array<u32>; // bytes of each message
@group(0) @binding(1) var<storage, read> text: array<u32>; // 32 words for each message
@group(0) @binding(2) var<storage, read_write> digests: array<Digest>;

fn rotr(x: u32, n: u32) -> u32 { return (x >> n) | (x << (32u - n)); }
fn swapBytes(x: u32) -> u32 { return pack4xU8(unpack4xU8(x).wzyx); }

fn compress(state: ptr<function, array<u32, 8>>, block: ptr<function, array<u32, 16>>) {
  var w: array<u32, 64>;
  for (var i = 0; i < 16; i++) { w[i] = block[i]; }
  for (var i = 16; i < 64; i++) {
    let s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    let s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  var s = *state;
  for (var i = 0; i < 64; i++) {
    let t1 = s[7] + (rotr(s[4], 6) ^ rotr(s[4], 11) ^ rotr(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i];
    let t2 = (rotr(s[0], 2) ^ rotr(s[0], 13) ^ rotr(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    s = array(t1 + t2, s[0], s[1], s[2], s[3] + t1, s[4], s[5], s[6]);
  }
  for (var i = 0; i < 8; i++) { (*state)[i] += s[i]; }
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if id.x >= arrayLength(&lengths) { return; }
  let length = lengths[id.x];
  var state = INITIAL;
  var done = 0u;
  loop {
    var block = array<u32, 16>();
    for (var i = 0u; i < 16u; i++) {
      let at = done + 4u * i;
      if at >= length + 1u { break; }
      var word = swapBytes(text[id.x * 32u + at / 4u]);
      let left = length - min(at, length);
      if left < 4u {
        let keep = select(~0u << (32u - 8u * left), 0u, left == 0u);
        word = (word & keep) | (0x80000000u >> (8u * left));
      }
      block[i] = word;
    }
    done += 64u;
    let last = done >= length + 9u;
    if last { block[15] = length * 8u; }
    compress(&state, &block);
    continuing { break if last; }
  }
  digests[id.x].words = state;
}
