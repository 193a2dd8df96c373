// rotary.backward   dQkv from dQ, dK, dV: each pair is rotated back by its angle, and the heads are merged again
// Su et al. 2021, arXiv:2104.09864. Twin: rotaryBackwardReference in src/engine/ops/rotary.ts
//
//   dQ, dK, dV  [B, H, S, D]
//   table       [positions, D]   row t: cos of the D/2 angles of position t, then their sines
//   position    [1]              u32: position in the sequence of row s = 0
//   dQkv        [B*S, 3C]        q, k, v concatenated, C = H*D
//
// One invocation per pair (b, s, h, d < D/2). A rotation's transpose is the rotation by the opposite angle.
// Workgroups: ceil(B*S*H*D/2 / WORKGROUP), folded over y past 65535.

// const HEAD_DIM: u32, equal to D, precedes this text

const HALF = HEAD_DIM / 2u;

struct Params { B: u32, S: u32, H: u32, D: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dQ: array<f32>;
@group(0) @binding(2) var<storage, read> dK: array<f32>;
@group(0) @binding(3) var<storage, read> dV: array<f32>;
@group(0) @binding(4) var<storage, read> table: array<f32>;
@group(0) @binding(5) var<storage, read> position: array<u32>;
@group(0) @binding(6) var<storage, read_write> dQkv: array<f32>;

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
  let t = position[0] + s; // position of the row, which selects the angles

  let cosine = table[t * HEAD_DIM + d];
  let sine = table[t * HEAD_DIM + HALF + d];
  let source = ((b * params.H + h) * params.S + s) * HEAD_DIM + d; // dQ[b, h, s, d]
  let to = n * 3u * C + h * HEAD_DIM + d;                        // dQkv[n, h*D + d]

  dQkv[to] = dQ[source] * cosine + dQ[source + HALF] * sine;
  dQkv[to + HALF] = dQ[source + HALF] * cosine - dQ[source] * sine;
  dQkv[to + C] = dK[source] * cosine + dK[source + HALF] * sine;
  dQkv[to + C + HALF] = dK[source + HALF] * cosine - dK[source] * sine;
  dQkv[to + 2u * C] = dV[source];
  dQkv[to + 2u * C + HALF] = dV[source + HALF];
}
