// attention.backwardKV   dV[j] = Σ_i p_ij * dY[i],  dK[j] = scale * Σ_i p_ij * (dY[i]·v[j] - delta[i]) * q[i]
// with p_ij = exp(scale * q[i]·k[j] - lse[i]).
// Variant 3, for GPUs, adds the ideas of attention.forward.3-tiled: tiles of q and dY in workgroup memory, and a key and
// its sums in registers. It sweeps over the queries twice, for dV and then for dK, computing the scores again: key, value
// and both sums at once are more registers than an invocation has. Dao et al. 2022, arXiv:2205.14135, appendix B.
// Twin: visitPairs in src/engine/ops/attention.ts
//
//   q, k, v, dK, dV  [B, H, S, D]
//   dY               [B, S, H*D]
//   lse, delta       [B, H, S]     from attention.forward and attention.delta
//
// Key j is seen by every query when it is a slot (j < P), else by queries j .. S-1; for the others p = 0.
// Workgroups: B*H*ceil(S / 64), folded over y past 65535. HEAD_DIM is D as a const: registers need known sizes.

const ROWS = 64u;                                // keys per workgroup, one per invocation
const QUADS = (HEAD_DIM + 3u) / 4u;              // vec4s per row; the last one is padded with zeros
const QUERIES = min(32u, 512u / QUADS / 4u * 4u);   // per tile: two tiles fit the 16 KiB every adapter has

struct Params { B: u32, H: u32, S: u32, D: u32, P: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> dY: array<f32>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dK: array<f32>;
@group(0) @binding(8) var<storage, read_write> dV: array<f32>;

var<workgroup> qTile: array<vec4f, QUERIES * QUADS>;  // qTile[i*QUADS + c]: q[b, h, i0 + i, 4c .. 4c + 3]
var<workgroup> dYTile: array<vec4f, QUERIES * QUADS>; // dYTile[i*QUADS + c]: dY[b, i0 + i, h*D + 4c .. 4c + 3]

// Four columns of q, zero from HEAD_DIM on.
fn loadQ(row: u32, quad: u32) -> vec4f {
  var x = vec4f();
  for (var i = 0u; i < 4u && quad * 4u + i < HEAD_DIM; i++) { x[i] = q[row + quad * 4u + i]; }
  return x;
}
// The same of k.
fn loadK(row: u32, quad: u32) -> vec4f {
  var x = vec4f();
  for (var i = 0u; i < 4u && quad * 4u + i < HEAD_DIM; i++) { x[i] = k[row + quad * 4u + i]; }
  return x;
}
// The same of v.
fn loadV(row: u32, quad: u32) -> vec4f {
  var x = vec4f();
  for (var i = 0u; i < 4u && quad * 4u + i < HEAD_DIM; i++) { x[i] = v[row + quad * 4u + i]; }
  return x;
}
// The same of dY.
fn loadDY(row: u32, quad: u32) -> vec4f {
  var x = vec4f();
  for (var i = 0u; i < 4u && quad * 4u + i < HEAD_DIM; i++) { x[i] = dY[row + quad * 4u + i]; }
  return x;
}

// Fill both tiles with queries i0 .. of head (b, h); past the last query they repeat it.
fn stage(b: u32, h: u32, i0: u32, lane: u32) {
  workgroupBarrier(); // nobody still reads the tiles before
  for (var t = lane; t < QUERIES * QUADS; t += ROWS) {
    let i = min(i0 + t / QUADS, params.S - 1u);
    qTile[t] = loadQ(((b * params.H + h) * params.S + i) * HEAD_DIM, t % QUADS);
    dYTile[t] = loadDY(((b * params.S + i) * params.H + h) * HEAD_DIM, t % QUADS);
  }
  workgroupBarrier(); // the tiles are whole before anybody reads them
}

@compute @workgroup_size(ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tiles = (params.S + ROWS - 1u) / ROWS;
  let index = group.x + group.y * 65535u;
  let head = index / tiles; // b*H + h
  if (head >= params.B * params.H) { return; } // the same for the whole workgroup
  let b = head / params.H;
  let h = head % params.H;
  let s0 = index % tiles * ROWS;
  let j = min(s0 + lane, params.S - 1u); // past the last row, invocations repeat it and do not write
  let row = head * params.S + j;
  let first = select(j, 0u, j < params.P);   // the first query that sees key j
  let start = select(s0, 0u, s0 < params.P); // the first that sees any key of this workgroup

  var key: array<vec4f, QUADS>;
  var sum: array<vec4f, QUADS>; // of dV in the first sweep, of dK in the second
  for (var c = 0u; c < QUADS; c++) {
    key[c] = params.scale * loadK(row * HEAD_DIM, c);
    sum[c] = vec4f();
  }

  for (var i0 = start; i0 < params.S; i0 += QUERIES) {
    stage(b, h, i0, lane);
    let end = min(QUERIES, params.S - i0);
    for (var i = max(first, i0) - i0; i < end; i++) {
      let at = i * QUADS;
      var score = vec4f(); // four partial sums
      for (var c = 0u; c < QUADS; c++) { score += key[c] * qTile[at + c]; }
      let p = exp((score.x + score.y) + (score.z + score.w) - lse[head * params.S + i0 + i]);
      for (var c = 0u; c < QUADS; c++) { sum[c] += p * dYTile[at + c]; }
    }
  }
  let live = s0 + lane < params.S;
  let to = row * HEAD_DIM; // dV[b, h, j, 0] and dK[b, h, j, 0]
  // Loops of known length and no index that is computed: an array that has one does not stay in registers.
  if (live) {
    for (var c = 0u; c < QUADS; c++) {
      for (var i = 0u; i < 4u && c * 4u + i < HEAD_DIM; i++) { dV[to + c * 4u + i] = sum[c][i]; }
    }
  }

  var value: array<vec4f, QUADS>;
  for (var c = 0u; c < QUADS; c++) {
    value[c] = loadV(row * HEAD_DIM, c);
    sum[c] = vec4f();
  }
  for (var i0 = start; i0 < params.S; i0 += QUERIES) {
    stage(b, h, i0, lane);
    let end = min(QUERIES, params.S - i0);
    for (var i = max(first, i0) - i0; i < end; i++) {
      let at = i * QUADS;
      let query = head * params.S + i0 + i;
      var score = vec4f(); // four partial sums
      var dP = vec4f();    // dY[i]·v[j], likewise
      for (var c = 0u; c < QUADS; c++) {
        score += key[c] * qTile[at + c];
        dP += value[c] * dYTile[at + c];
      }
      let p = exp((score.x + score.y) + (score.z + score.w) - lse[query]);
      let dScore = p * ((dP.x + dP.y) + (dP.z + dP.w) - delta[query]);
      for (var c = 0u; c < QUADS; c++) { sum[c] += dScore * qTile[at + c]; }
    }
  }
  if (live) {
    for (var c = 0u; c < QUADS; c++) {
      for (var i = 0u; i < 4u && c * 4u + i < HEAD_DIM; i++) { dK[to + c * 4u + i] = sum[c][i] * params.scale; }
    }
  }
}
