// attention.backwardQ   dQ[i] = scale * Σ_j p_ij * (dY[i]·v[j] - delta[i]) * k[j]
// with p_ij = exp(scale * q[i]·k[j] - lse[i]).
// Variant 3, for GPUs, adds the ideas of attention.forward.3-tiled: tiles of k and v in workgroup memory, and a query, its
// row of dY and its dQ in registers. Dao et al. 2022, arXiv:2205.14135, appendix B.
// Twin: visitPairs in src/engine/ops/attention.ts
//
//   q, k, v, dQ  [B, H, S, D]
//   dY           [B, S, H*D]
//   lse, delta   [B, H, S]     from attention.forward and attention.delta
//
// Query i sees keys 0 .. max(i + 1, P) - 1; for the others p = 0.
// Workgroups: B*H*ceil(S / 64), folded over y past 65535. HEAD_DIM is D as a const: registers need known sizes.

const ROWS = 64u;                                // queries per workgroup, one per invocation
const QUADS = (HEAD_DIM + 3u) / 4u;              // vec4s per row; the last one is padded with zeros
const KEYS = min(32u, 512u / QUADS / 4u * 4u);   // per tile: two tiles fit the 16 KiB every adapter has

struct Params { B: u32, H: u32, S: u32, D: u32, P: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> dY: array<f32>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dQ: array<f32>;

var<workgroup> kTile: array<vec4f, KEYS * QUADS>; // kTile[j*QUADS + i]: k[b, h, j0 + j, 4i .. 4i + 3]
var<workgroup> vTile: array<vec4f, KEYS * QUADS>; // vTile[j*QUADS + i]: v[b, h, j0 + j, 4i .. 4i + 3]

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

@compute @workgroup_size(ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tiles = (params.S + ROWS - 1u) / ROWS;
  let index = group.x + group.y * 65535u;
  let head = index / tiles; // b*H + h
  if (head >= params.B * params.H) { return; } // the same for the whole workgroup
  let b = head / params.H;
  let h = head % params.H;
  let s0 = index % tiles * ROWS;
  let s = min(s0 + lane, params.S - 1u); // past the last row, invocations repeat it and do not write
  let row = head * params.S + s;
  let limit = min(max(s + 1u, params.P), params.S);
  let reach = min(max(s0 + ROWS, params.P), params.S); // keys that any query of this workgroup sees

  var query: array<vec4f, QUADS>;
  var dOutput: array<vec4f, QUADS>;
  var dQuery: array<vec4f, QUADS>; // Σ_j dScore_j * k[j] so far
  for (var i = 0u; i < QUADS; i++) {
    query[i] = params.scale * loadQ(row * HEAD_DIM, i);
    dOutput[i] = loadDY(((b * params.S + s) * params.H + h) * HEAD_DIM, i);
    dQuery[i] = vec4f();
  }
  let logTotal = lse[row];
  let inner = delta[row];

  for (var j0 = 0u; j0 < reach; j0 += KEYS) {
    workgroupBarrier(); // nobody still reads the tiles before
    for (var t = lane; t < KEYS * QUADS; t += ROWS) {
      let j = head * params.S + min(j0 + t / QUADS, reach - 1u);
      kTile[t] = loadK(j * HEAD_DIM, t % QUADS);
      vTile[t] = loadV(j * HEAD_DIM, t % QUADS);
    }
    workgroupBarrier(); // the tiles are whole before anybody reads them

    let end = min(KEYS, max(limit, j0) - j0); // this query's keys of the tile
    for (var j = 0u; j < end; j++) {
      let at = j * QUADS;
      var score = vec4f(); // four partial sums
      var dP = vec4f();    // dY[i]·v[j], likewise
      for (var i = 0u; i < QUADS; i++) {
        score += query[i] * kTile[at + i];
        dP += dOutput[i] * vTile[at + i];
      }
      let p = exp((score.x + score.y) + (score.z + score.w) - logTotal);
      let dScore = p * ((dP.x + dP.y) + (dP.z + dP.w) - inner);
      for (var i = 0u; i < QUADS; i++) { dQuery[i] += dScore * kTile[at + i]; }
    }
  }

  if (s0 + lane >= params.S) { return; } // after the last barrier
  // Loops of known length and no index that is computed: an array that has one does not stay in registers.
  let to = row * HEAD_DIM; // dQ[b, h, s, 0]
  for (var c = 0u; c < QUADS; c++) {
    for (var i = 0u; i < 4u && c * 4u + i < HEAD_DIM; i++) { dQ[to + c * 4u + i] = dQuery[c][i] * params.scale; }
  }
}
