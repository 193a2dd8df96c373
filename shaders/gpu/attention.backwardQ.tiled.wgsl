// attention.backwardQ   dQ[i] = scale * Σ_j p_ij * (dY[i]·v[j] - delta[i]) * k[j]
// with p_ij = exp(scale * q[i]·k[j] - lse[i]).
// For GPUs; the same structure as gpu/attention.forward.tiled: a workgroup owns 64 queries of one head and processes 32
// keys at a time. Two products, q by k and dY by v, give 64 × 32 scores and their dP; they give dScore = p * (dP -
// delta), and a third product, dScore by k, is added to dQ. Dao et al. 2022, arXiv:2205.14135, appendix B. Twin:
// visitPairs in src/engine/ops/attention.ts
//
//   q, k, v, dQ  [B, H, S, D]   D is a multiple of 4; tensors with this axis are read as vec4s, D / 4 per row
//   dY           [B, S, H*D]
//   lse, delta   [B, H, S]      from attention.forward and attention.delta
//
// Query i sees keys 0 .. max(i + 1, P) - 1; for the others p = 0.
// Invocation (r, c) of 16 × 8 keeps 4 × 4 scores and dP, of queries 4r .. and keys 4c .., and for every strip of 32 columns
// 4 × 4 of dQ, of queries 4r .. and columns 4c ..: all in registers.
// Workgroups: B*H*ceil(S / 64), folded over y past 65535. HEAD_DIM is D as a const: registers need known sizes.

const ROWS = 64u;                             // queries per workgroup
const TILE = 32u;                             // keys of a tile, and columns of a strip
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
@group(0) @binding(7) var<storage, read_write> dQ: array<vec4f>;

// The two factors of the current product: q by k, or dY by v, over the columns x of a strip, or dScore by k over the keys x of a tile.
var<workgroup> left: array<vec4f, TILE * LEFT>;   // left[x*LEFT + r]: q, dY, or dScore of queries 4r .. 4r + 3 at x
var<workgroup> right: array<vec4f, TILE * RIGHT>; // right[x*RIGHT + c]: keys 4c .. of k or v, or columns 4c .. of k, at x

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

// Four columns of row s of a head; past the last row they repeat it, past D they are 0.
fn loadQ(head: u32, s: u32, quad: u32) -> vec4f {
  if (quad >= QUADS) { return vec4f(); }
  return params.scale * q[(head * params.S + min(s, params.S - 1u)) * QUADS + quad];
}
fn loadK(head: u32, s: u32, quad: u32) -> vec4f {
  if (quad >= QUADS) { return vec4f(); }
  return k[(head * params.S + min(s, params.S - 1u)) * QUADS + quad];
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

// before + the product of what is staged: component i of column j is query 4r + i at key, or column of dQ, 4c + j.
fn multiply(before: mat4x4f, r: u32, c: u32) -> mat4x4f {
  var sum = before;
  for (var x = 0u; x < TILE; x++) {
    let four = left[x * LEFT + r];
    let by = right[x * RIGHT + c];
    sum += mat4x4f(by.x * four, by.y * four, by.z * four, by.w * four);
  }
  return sum;
}

// lse and delta of queries 4r .., past the last query those of the last.
fn fourOfLse(head: u32, queries: vec4u) -> vec4f {
  let at = head * params.S + min(queries, vec4u(params.S - 1u));
  return vec4f(lse[at.x], lse[at.y], lse[at.z], lse[at.w]);
}
fn fourOfDelta(head: u32, queries: vec4u) -> vec4f {
  let at = head * params.S + min(queries, vec4u(params.S - 1u));
  return vec4f(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
}

// dScore of four queries for one key; 0 where a query does not see it.
fn dScoreOf(score: vec4f, dP: vec4f, logTotal: vec4f, inner: vec4f, key: u32, limit: vec4u) -> vec4f {
  return select(vec4f(), exp(score - logTotal) * (dP - inner), vec4u(key) < limit);
}

// Four columns of dQ[b, h, s].
fn write(head: u32, s: u32, quad: u32, value: vec4f) {
  if (s < params.S && quad < QUADS) { dQ[(head * params.S + s) * QUADS + quad] = params.scale * value; }
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
  let queries = s0 + 4u * r + vec4u(0u, 1u, 2u, 3u);
  let limit = min(max(queries + 1u, vec4u(params.P)), vec4u(params.S));
  let reach = min(max(s0 + ROWS, params.P), params.S); // keys that any query of this workgroup sees
  let logTotal = fourOfLse(head, queries);
  let inner = fourOfDelta(head, queries);
  // The block of `left`, and the one of `right`, that this invocation stages. Neighbours read 32 bytes in a row, and eight of
  // them write to different banks. `right` has 64 blocks, so half of the invocations have none.
  let leftX = lane % 2u + lane / 32u * 2u;
  let leftR = lane / 2u % 16u;
  let rightX = lane % 2u + lane / 16u * 2u;
  let rightC = lane / 2u % 8u;

  var dQuery: array<mat4x4f, STRIPS>; // Σ_j dScore_j * k[j] so far; laid out as in `multiply`
  for (var j0 = 0u; j0 < reach; j0 += TILE) {
    var score = mat4x4f();
    var dP = mat4x4f();
    for (var strip = 0u; strip < STRIPS; strip++) {
      let s = s0 + 4u * leftR;
      let j = j0 + 4u * rightC;
      let quad = strip * 8u;
      stageLeft(leftX, leftR, blockOfQ(head, s, quad + leftX));
      if (lane < 64u) { stageRight(rightX, rightC, blockOfK(head, j, quad + rightX)); }
      workgroupBarrier(); // q and k are staged
      score = multiply(score, r, c);
      workgroupBarrier(); // all have read them: they may be overwritten
      stageLeft(leftX, leftR, blockOfDY(head, s, quad + leftX));
      if (lane < 64u) { stageRight(rightX, rightC, blockOfV(head, j, quad + rightX)); }
      workgroupBarrier(); // dY and v are staged
      dP = multiply(dP, r, c);
      workgroupBarrier(); // all have read them: they may be overwritten
    }

    let key = j0 + 4u * c;
    stageLeft(c, r, mat4x4f(
      dScoreOf(score[0], dP[0], logTotal, inner, key, limit), dScoreOf(score[1], dP[1], logTotal, inner, key + 1u, limit),
      dScoreOf(score[2], dP[2], logTotal, inner, key + 2u, limit), dScoreOf(score[3], dP[3], logTotal, inner, key + 3u, limit)));
    for (var strip = 0u; strip < STRIPS; strip++) {
      for (var t = lane; t < TILE * 8u; t += 128u) { // in the order of k in memory: its keys are the x of `right`
        right[t / 8u * RIGHT + t % 8u] = loadK(head, j0 + t / 8u, strip * 8u + t % 8u);
      }
      workgroupBarrier(); // dScore and k are staged
      dQuery[strip] = multiply(dQuery[strip], r, c);
      workgroupBarrier(); // all have read them: they may be overwritten
    }
  }

  for (var strip = 0u; strip < STRIPS; strip++) {
    let rows = transpose(dQuery[strip]); // column i: query 4r + i
    write(head, queries.x, strip * 8u + c, rows[0]);
    write(head, queries.y, strip * 8u + c, rows[1]);
    write(head, queries.z, strip * 8u + c, rows[2]);
    write(head, queries.w, strip * 8u + c, rows[3]);
  }
}
