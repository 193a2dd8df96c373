// rotary.forward   split qkv into heads, and rotate each pair (d, d + D/2) of q and k by the angle of its position
// Su et al. 2021, arXiv:2104.09864, in the rotate_half layout. Twin: rotaryReference in src/engine/ops/rotary.ts
//
//   qkv       [B*S, 3C]           q, k, v concatenated, C = H*D
//   table     [positions, D]      row t: cos of the D/2 angles of position t, then their sines
//   position  [1]                 u32: position in the sequence of row s = 0
//   q         [B, H, S, D]
//   k, v      [B, H, capacity, D] row s of qkv goes to row s, with capacity S; in a cache (INTO_CACHE is 1), to
//                                 row position + s, and the rest of the cache is unchanged
//
// One invocation per pair (b, s, h, d < D/2): it rotates q and k and copies v. The table is made in TypeScript, since
// cos and sin differ between drivers. Workgroups: ceil(B*S*H*D/2 / WORKGROUP), folded over y past 65535.

// const HEAD_DIM: u32, equal to D, and INTO_CACHE: u32, 0 or 1, precede this text

const HALF = HEAD_DIM / 2u;

struct Params { B: u32, S: u32, H: u32, D: u32, capacity: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read> position: array<u32>;
@group(0) @binding(4) var<storage, read_write> q: array<f32>;
@group(0) @binding(5) var<storage, read_write> k: array<f32>;
@group(0) @binding(6) var<storage, read_write> v: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let C = params.H * HEAD_DIM;
  let pair = (group.x + group.y * 65535u) * WORKGROUP + lane; // counts (b, s, h, d) with d fastest
  if (pair >= params.B * params.S * params.H * HALF) { return; }
  let d = pair % HALF;
  let h = pair / HALF % params.H;
  let n = pair / HALF / params.H; // row b*S + s
  let s = n % params.S;
  let b = n / params.S;
  let t = position[0] + s;                // position of the row, which selects the angles
  let row = s + INTO_CACHE * position[0]; // its row in k and v
  if (row >= params.capacity) { return; } // outside the cache: not written

  let cosine = table[t * HEAD_DIM + d];
  let sine = table[t * HEAD_DIM + HALF + d];
  let source = n * 3u * C + h * HEAD_DIM + d;                           // qkv[n, h*D + d]
  let toQ = ((b * params.H + h) * params.S + s) * HEAD_DIM + d;          // q[b, h, s, d]
  let toK = ((b * params.H + h) * params.capacity + row) * HEAD_DIM + d; // k[b, h, row, d]

  let q0 = qkv[source];
  let q1 = qkv[source + HALF];
  q[toQ] = q0 * cosine - q1 * sine;
  q[toQ + HALF] = q1 * cosine + q0 * sine;
  let k0 = qkv[source + C];
  let k1 = qkv[source + C + HALF];
  k[toK] = k0 * cosine - k1 * sine;
  k[toK + HALF] = k1 * cosine + k0 * sine;
  v[toK] = qkv[source + 2u * C];
  v[toK + HALF] = qkv[source + 2u * C + HALF];
}
