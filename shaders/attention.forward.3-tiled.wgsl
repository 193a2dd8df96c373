// attention.forward   y[i] = Σ_j softmax_j(scale * q[i]·k[j]) v[j], over the keys that query i may see
// Variant 3, for GPUs, adds two ideas: a workgroup of 64 queries stages tiles of k and v in its memory, so that each is
// loaded once for 64 queries, and an invocation keeps its query and its output in registers.
// Dao et al. 2022, arXiv:2205.14135. Twin: attentionReference in src/engine/ops/attention.ts
//
//   q         [B, H, S, D]
//   k, v      [B, H, capacity, D]
//   position  [1]                  u32: position in the sequence of query row 0
//   y         [B, S, H*D]          heads merged: y[b, s, h*D + d]
//   lse       [B, H, S]            log Σ_j exp(scale * q·k), saved for the backward passes
//
// Query i sees keys 0 .. limit-1 with limit = max(i + 1, P). Keys come four at a time from key 0, and everything about a
// query stays in its invocation, so its bits do not depend on S, on position, or on the other rows.
// Workgroups: B*H*ceil(S / 64), folded over y past 65535. HEAD_DIM is D as a const: registers need known sizes.

const ROWS = 64u;                                // queries per workgroup, one per invocation
const QUADS = (HEAD_DIM + 3u) / 4u;              // vec4s per row; the last one is padded with zeros
const KEYS = min(32u, 512u / QUADS / 4u * 4u);   // per tile: two tiles fit the 16 KiB every adapter has
const LOWEST = -3.0e38; // below any score

struct Params { B: u32, H: u32, S: u32, D: u32, P: u32, capacity: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> position: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read_write> lse: array<f32>;

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
  let limit = min(max(position[0] + s + 1u, params.P), params.capacity);
  // The keys that any query of this workgroup sees. Later ones are never read: a cache may hold anything there.
  let reach = min(max(position[0] + min(s0 + ROWS, params.S), params.P), params.capacity);
  let keys = head * params.capacity; // k[b, h, 0]

  var query: array<vec4f, QUADS>;
  var output: array<vec4f, QUADS>; // Σ_j exp(score_j - maximum) v[j] so far
  for (var i = 0u; i < QUADS; i++) {
    query[i] = params.scale * loadQ(row * HEAD_DIM, i);
    output[i] = vec4f();
  }
  var maximum = LOWEST;
  var total = 0.0; // Σ_j exp(score_j - maximum) so far

  for (var j0 = 0u; j0 < reach; j0 += KEYS) {
    workgroupBarrier(); // nobody still reads the tiles before
    for (var t = lane; t < KEYS * QUADS; t += ROWS) {
      let j = keys + min(j0 + t / QUADS, reach - 1u);
      kTile[t] = loadK(j * HEAD_DIM, t % QUADS);
      vTile[t] = loadV(j * HEAD_DIM, t % QUADS);
    }
    workgroupBarrier(); // the tiles are whole before anybody reads them

    let end = min(KEYS, max(limit, j0) - j0); // this query's keys of the tile
    for (var j = 0u; j < end; j += 4u) {
      let at = j * QUADS;
      var score = vec4f();
      for (var i = 0u; i < QUADS; i++) {
        let x = query[i];
        score += vec4f(
          dot(x, kTile[at + i]),
          dot(x, kTile[at + QUADS + i]),
          dot(x, kTile[at + 2u * QUADS + i]),
          dot(x, kTile[at + 3u * QUADS + i]));
      }
      let seen = j + vec4u(0u, 1u, 2u, 3u) < vec4u(end);
      score = select(vec4f(LOWEST), score, seen);
      // The maximum is subtracted so that exp stays at most 1; what was summed under an older maximum is scaled down.
      let largest = max(max(max(score.x, score.y), max(score.z, score.w)), maximum);
      if (largest > maximum) {
        let shrink = exp(maximum - largest);
        total *= shrink;
        for (var i = 0u; i < QUADS; i++) { output[i] *= shrink; }
        maximum = largest;
      }
      let p = select(vec4f(), exp(score - maximum), seen);
      total += (p.x + p.y) + (p.z + p.w);
      for (var i = 0u; i < QUADS; i++) {
        output[i] += (p.x * vTile[at + i] + p.y * vTile[at + QUADS + i])
          + (p.z * vTile[at + 2u * QUADS + i] + p.w * vTile[at + 3u * QUADS + i]);
      }
    }
  }

  if (s0 + lane >= params.S) { return; } // after the last barrier
  let to = ((b * params.S + s) * params.H + h) * HEAD_DIM; // y[b, s, h*D]
  // Loops of known length and no index that is computed: an array that has one does not stay in registers.
  for (var c = 0u; c < QUADS; c++) {
    for (var i = 0u; i < 4u && c * 4u + i < HEAD_DIM; i++) { y[to + c * 4u + i] = output[c][i] / total; }
  }
  lse[row] = maximum + log(total);
}
