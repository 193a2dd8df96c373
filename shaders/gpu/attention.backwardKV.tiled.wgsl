// attention.backwardKV   dV[j] = Σ_i p_ij * dY[i],  dK[j] = scale * Σ_i p_ij * (dY[i]·v[j] - delta[i]) * q[i]
// with p_ij = exp(scale * q[i]·k[j] - lse[i]).
// For GPUs; the same structure as gpu/attention.forward.tiled, with keys and queries exchanged: a workgroup owns 64 keys
// of one head and processes 32 queries at a time. Two products, k by q and v by dY, give 64 × 32 scores and their dP;
// they give p and dScore = p * (dP - delta). Two more products, p by dY and dScore by q, are added to dV and dK.
// Dao et al. 2022, arXiv:2205.14135, appendix B. Twin: visitPairs in src/engine/ops/attention.ts
//
//   q, k, v, dK, dV  [B, H, S, D]   D is a multiple of 4; tensors with this axis are read as vec4s, D / 4 per row
//   dY               [B, S, H*D]
//   lse, delta       [B, H, S]      from attention.forward and attention.delta
//
// Key j is seen by every query when it is a slot (j < P), else by queries j .. S-1; for the others p = 0.
// Invocation (r, c) of 16 × 8 keeps 4 × 4 scores and dP, of keys 4r .. and queries 4c .., and for every strip of 32 columns
// 4 × 4 of dK and of dV, of keys 4r .. and columns 4c ..: all in registers.
// Workgroups: B*H*ceil(S / 64), folded over y past 65535. HEAD_DIM is D as a const: registers need known sizes.

const ROWS = 64u;                             // keys per workgroup
const TILE = 32u;                             // queries of a tile, and columns of a strip
const QUADS = HEAD_DIM / 4u;                  // vec4s per row
const STRIPS = (HEAD_DIM + TILE - 1u) / TILE; // of columns; past D the last one is padded with zeros
const LEFT = ROWS / 4u + 1u;                  // vec4s from one x to the next in `left`: one of padding spreads them over
const RIGHT = TILE / 4u + 1u;                 // the memory's banks. The same in `right`

struct Params { B: u32, H: u32, S: u32, D: u32, P: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;
@group(0) @binding(4) var<storage, read> dY: array<vec4f>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dK: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> dV: array<vec4f>;

// The two factors of the current product: k by q, or v by dY, over the columns x of a strip; or p by dY, or dScore by q, over
// the queries x of a tile.
var<workgroup> left: array<vec4f, TILE * LEFT>;   // left[x*LEFT + r]: k, v, p or dScore of keys 4r .. 4r + 3 at x
var<workgroup> right: array<vec4f, TILE * RIGHT>; // right[x*RIGHT + c]: queries, or columns, 4c .. of q or dY at x

// Stage a 4 × 4 block of each factor, column by column: neighbours in `left` and `right` are neighbouring rows.
fn stageLeft(x: u32, r: u32, block: mat4x4f) {
  let at = 4u * x * LEFT + r;
  left[at] = block[0];
  left[at + LEFT] = block[1];
  left[at + 2u * LEFT] = block[2];
  left[at + 3u * LEFT] = block[3];
}
fn stageRight(x: u32, c: u32, block: mat4x4f) {
  let at = 4u * x * RIGHT + c;
  right[at] = block[0];
  right[at + RIGHT] = block[1];
  right[at + 2u * RIGHT] = block[2];
  right[at + 3u * RIGHT] = block[3];
}

// Four columns of row s of a head, those of k scaled; past the last row they repeat it, past D they are 0.
fn loadQ(head: u32, s: u32, quad: u32) -> vec4f {
  if (quad >= QUADS) { return vec4f(); }
  return q[(head * params.S + min(s, params.S - 1u)) * QUADS + quad];
}
fn loadK(head: u32, s: u32, quad: u32) -> vec4f {
  if (quad >= QUADS) { return vec4f(); }
  return params.scale * k[(head * params.S + min(s, params.S - 1u)) * QUADS + quad];
}
fn loadV(head: u32, s: u32, quad: u32) -> vec4f {
  if (quad >= QUADS) { return vec4f(); }
  return v[(head * params.S + min(s, params.S - 1u)) * QUADS + quad];
}
fn loadDY(head: u32, s: u32, quad: u32) -> vec4f {
  if (quad >= QUADS) { return vec4f(); }
  let row = (head / params.H * params.S + min(s, params.S - 1u)) * params.H + head % params.H; // dY[b, s, h*D ..]
  return dY[row * QUADS + quad];
}

// Four columns of four rows: component i of column x is row s + i at column 4*quad + x.
fn blockOfQ(head: u32, s: u32, quad: u32) -> mat4x4f {
  return transpose(mat4x4f(
    loadQ(head, s, quad), loadQ(head, s + 1u, quad), loadQ(head, s + 2u, quad), loadQ(head, s + 3u, quad)));
}
fn blockOfK(head: u32, s: u32, quad: u32) -> mat4x4f {
  return transpose(mat4x4f(
    loadK(head, s, quad), loadK(head, s + 1u, quad), loadK(head, s + 2u, quad), loadK(head, s + 3u, quad)));
}
fn blockOfV(head: u32, s: u32, quad: u32) -> mat4x4f {
  return transpose(mat4x4f(
    loadV(head, s, quad), loadV(head, s + 1u, quad), loadV(head, s + 2u, quad), loadV(head, s + 3u, quad)));
}
fn blockOfDY(head: u32, s: u32, quad: u32) -> mat4x4f {
  return transpose(mat4x4f(
    loadDY(head, s, quad), loadDY(head, s + 1u, quad), loadDY(head, s + 2u, quad), loadDY(head, s + 3u, quad)));
}

// before + the product of what is staged: component i of column j is key 4r + i at query, or column of dK or dV, 4c + j.
fn multiply(before: mat4x4f, r: u32, c: u32) -> mat4x4f {
  var sum = before;
  for (var x = 0u; x < TILE; x++) {
    let four = left[x * LEFT + r];
    let by = right[x * RIGHT + c];
    sum += mat4x4f(by.x * four, by.y * four, by.z * four, by.w * four);
  }
  return sum;
}

// p of four keys for one query; 0 for a key that the query does not see. first: the first query that sees each key
fn weightOf(head: u32, score: vec4f, query: u32, first: vec4u) -> vec4f {
  if (query >= params.S) { return vec4f(); }
  return select(vec4f(), exp(score - lse[head * params.S + query]), vec4u(query) >= first);
}

// dScore of four keys for one query.
fn dScoreOf(head: u32, p: vec4f, dP: vec4f, query: u32) -> vec4f {
  return p * (dP - delta[head * params.S + min(query, params.S - 1u)]);
}

// Four columns of dK[b, h, j] and dV[b, h, j].
fn write(head: u32, j: u32, quad: u32, dKey: vec4f, dValue: vec4f) {
  if (j >= params.S || quad >= QUADS) { return; }
  dK[(head * params.S + j) * QUADS + quad] = params.scale * dKey;
  dV[(head * params.S + j) * QUADS + quad] = dValue;
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tiles = (params.S + ROWS - 1u) / ROWS;
  let index = group.x + group.y * 65535u;
  let head = index / tiles; // b*H + h
  if (head >= params.B * params.H) { return; } // uniform in the workgroup
  let s0 = index % tiles * ROWS;
  let r = lane / 8u;
  let c = lane % 8u;
  let keys = s0 + 4u * r + vec4u(0u, 1u, 2u, 3u);
  let first = select(keys, vec4u(), keys < vec4u(params.P)); // the first query that sees each key
  let start = select(s0, 0u, s0 < params.P);                 // the first that sees any key of this workgroup
  // The block of `left`, and the one of `right`, that this invocation stages. Neighbours read 32 bytes in a row, and eight of
  // them write to different banks. `right` has 64 blocks, so half of the invocations have none.
  let leftX = lane % 2u + lane / 32u * 2u;
  let leftR = lane / 2u % 16u;
  let rightX = lane % 2u + lane / 16u * 2u;
  let rightC = lane / 2u % 8u;

  var dKey: array<mat4x4f, STRIPS>;   // Σ_i dScore_i * q[i] so far; laid out as in `multiply`
  var dValue: array<mat4x4f, STRIPS>; // Σ_i p_i * dY[i] so far
  for (var i0 = start; i0 < params.S; i0 += TILE) {
    var score = mat4x4f();
    var dP = mat4x4f();
    for (var strip = 0u; strip < STRIPS; strip++) {
      let s = s0 + 4u * leftR;
      let i = i0 + 4u * rightC;
      let quad = strip * 8u;
      stageLeft(leftX, leftR, blockOfK(head, s, quad + leftX));
      if (lane < 64u) { stageRight(rightX, rightC, blockOfQ(head, i, quad + rightX)); }
      workgroupBarrier(); // k and q are staged
      score = multiply(score, r, c);
      workgroupBarrier(); // all have read them: they may be overwritten
      stageLeft(leftX, leftR, blockOfV(head, s, quad + leftX));
      if (lane < 64u) { stageRight(rightX, rightC, blockOfDY(head, i, quad + rightX)); }
      workgroupBarrier(); // v and dY are staged
      dP = multiply(dP, r, c);
      workgroupBarrier(); // all have read them: they may be overwritten
    }

    let query = i0 + 4u * c;
    let p = mat4x4f(
      weightOf(head, score[0], query, first), weightOf(head, score[1], query + 1u, first),
      weightOf(head, score[2], query + 2u, first), weightOf(head, score[3], query + 3u, first));
    stageLeft(c, r, p);
    for (var strip = 0u; strip < STRIPS; strip++) {
      for (var t = lane; t < TILE * 8u; t += 128u) { // in the order of dY in memory: its queries are the x of `right`
        right[t / 8u * RIGHT + t % 8u] = loadDY(head, i0 + t / 8u, strip * 8u + t % 8u);
      }
      workgroupBarrier(); // p and dY are staged
      dValue[strip] = multiply(dValue[strip], r, c);
      workgroupBarrier(); // all have read them: they may be overwritten
    }
    stageLeft(c, r, mat4x4f(
      dScoreOf(head, p[0], dP[0], query), dScoreOf(head, p[1], dP[1], query + 1u),
      dScoreOf(head, p[2], dP[2], query + 2u), dScoreOf(head, p[3], dP[3], query + 3u)));
    for (var strip = 0u; strip < STRIPS; strip++) {
      for (var t = lane; t < TILE * 8u; t += 128u) {
        right[t / 8u * RIGHT + t % 8u] = loadQ(head, i0 + t / 8u, strip * 8u + t % 8u);
      }
      workgroupBarrier(); // dScore and q are staged
      dKey[strip] = multiply(dKey[strip], r, c);
      workgroupBarrier(); // all have read them: they may be overwritten
    }
  }

  for (var strip = 0u; strip < STRIPS; strip++) {
    let dKeys = transpose(dKey[strip]); // column i: key 4r + i
    let dValues = transpose(dValue[strip]);
    write(head, keys.x, strip * 8u + c, dKeys[0], dValues[0]);
    write(head, keys.y, strip * 8u + c, dKeys[1], dValues[1]);
    write(head, keys.z, strip * 8u + c, dKeys[2], dValues[2]);
    write(head, keys.w, strip * 8u + c, dKeys[3], dValues[3]);
  }
}
