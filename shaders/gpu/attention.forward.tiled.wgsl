// attention.forward   y[i] = Σ_j softmax_j(scale * q[i]·k[j]) v[j], over the keys that query i may see
// For GPUs; adds one idea: attention is two matrix products, which are split into tiles as in gpu/matmul.tiled. A
// workgroup owns 64 queries of one head and processes 32 keys at a time: q by k gives 64 × 32 scores, the running
// softmax turns them into weights, and weights by v are added to the output. Dao et al. 2022, arXiv:2205.14135. Twin:
// attentionReference in src/engine/ops/attention.ts
//
//   q         [B, H, S, D]         D is a multiple of 4; tensors with this axis are read as vec4s, D / 4 per row
//   k, v      [B, H, capacity, D]
//   position  [1]                  u32: position in the sequence of query row 0
//   y         [B, S, H*D]          heads merged: y[b, s, h*D + d]
//   lse       [B, H, S]            log Σ_j exp(scale * q·k), saved for the backward passes
//
// Query i sees keys 0 .. limit-1 with limit = max(i + 1, P). A tile starts at a multiple of 32 keys and a query's sums run
// over its own keys only, in order, so its bits do not depend on S, on position, or on the other rows.
// Invocation (r, c) of 16 × 8 keeps 4 × 4 scores, of queries 4r .. and keys 4c .., and for every strip of 32 columns 4 × 4
// outputs, of queries 4r .. and columns 4c ..: all in registers.
// Workgroups: B*H*ceil(S / 64), folded over y past 65535. HEAD_DIM is D as a const: registers need known sizes.

const ROWS = 64u;                             // queries per workgroup
const TILE = 32u;                             // keys of a tile, and columns of a strip
const QUADS = HEAD_DIM / 4u;                  // vec4s per row
const STRIPS = (HEAD_DIM + TILE - 1u) / TILE; // of columns; past D the last one is padded with zeros
const LEFT = ROWS / 4u + 1u;                  // vec4s from one x to the next in `left`: one of padding spreads them over
const RIGHT = TILE / 4u + 1u;                 // the memory's banks. The same in `right`
const LOWEST = -3.0e38;                       // below any score

struct Params { B: u32, H: u32, S: u32, D: u32, P: u32, capacity: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;
@group(0) @binding(4) var<storage, read> position: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> lse: array<f32>;

// The two factors of the current product: q by k over the columns x of a strip, or weights by v over the keys x of a tile.
var<workgroup> left: array<vec4f, TILE * LEFT>;   // left[x*LEFT + r]: scale * q, or the weight, of queries 4r .. 4r + 3 at x
var<workgroup> right: array<vec4f, TILE * RIGHT>; // right[x*RIGHT + c]: keys 4c .. of k, or columns 4c .. of v, at x
var<workgroup> shares: array<vec4f, 8 * 16>;      // shares[c*16 + r]: result of invocation (r, c) for queries 4r ..

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

// Four columns of a query, scaled; past the last query they repeat it, past D they are 0.
fn loadQ(head: u32, s: u32, quad: u32) -> vec4f {
  if (quad >= QUADS) { return vec4f(); }
  return params.scale * q[(head * params.S + min(s, params.S - 1u)) * QUADS + quad];
}
// The same for a key and a value; last: the last key that may be read.
fn loadK(head: u32, last: u32, j: u32, quad: u32) -> vec4f {
  if (quad >= QUADS) { return vec4f(); }
  return k[(head * params.capacity + min(j, last)) * QUADS + quad];
}
fn loadV(head: u32, last: u32, j: u32, quad: u32) -> vec4f {
  if (quad >= QUADS) { return vec4f(); }
  return v[(head * params.capacity + min(j, last)) * QUADS + quad];
}

// Four columns of four rows: component i of column x is row s + i, or j + i, at column 4*quad + x.
fn blockOfQ(head: u32, s: u32, quad: u32) -> mat4x4f {
  return transpose(mat4x4f(
    loadQ(head, s, quad), loadQ(head, s + 1u, quad), loadQ(head, s + 2u, quad), loadQ(head, s + 3u, quad)));
}
fn blockOfK(head: u32, last: u32, j: u32, quad: u32) -> mat4x4f {
  return transpose(mat4x4f(
    loadK(head, last, j, quad), loadK(head, last, j + 1u, quad), loadK(head, last, j + 2u, quad), loadK(head, last, j + 3u, quad)));
}

// before + the product of what is staged: component i of column j is query 4r + i at key, or column of y, 4c + j.
fn multiply(before: mat4x4f, r: u32, c: u32) -> mat4x4f {
  var sum = before;
  for (var x = 0u; x < TILE; x++) {
    let four = left[x * LEFT + r];
    let by = right[x * RIGHT + c];
    sum += mat4x4f(by.x * four, by.y * four, by.z * four, by.w * four);
  }
  return sum;
}

// The scores of four queries for one key; LOWEST for a query that does not see it.
fn masked(score: vec4f, key: u32, limit: vec4u) -> vec4f { return select(vec4f(LOWEST), score, vec4u(key) < limit); }

// Their weights, before the division by the total.
fn weightOf(score: vec4f, maximum: vec4f, key: u32, limit: vec4u) -> vec4f {
  return select(vec4f(), exp(score - maximum), vec4u(key) < limit);
}

// Four columns of y[b, s, h*D ..].
fn write(b: u32, s: u32, h: u32, quad: u32, value: vec4f) {
  if (s < params.S && quad < QUADS) { y[((b * params.S + s) * params.H + h) * QUADS + quad] = value; }
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
  let limit = min(max(position[0] + queries + 1u, vec4u(params.P)), vec4u(params.capacity));
  // The keys that any query of this workgroup sees. Later ones are never read: a cache may hold anything there.
  let reach = min(max(position[0] + min(s0 + ROWS, params.S), params.P), params.capacity);
  // The block of `left`, and the one of `right`, that this invocation stages. Neighbours read 32 bytes in a row, and eight of
  // them write to different banks. `right` has 64 blocks, so half of the invocations have none.
  let leftX = lane % 2u + lane / 32u * 2u;
  let leftR = lane / 2u % 16u;
  let rightX = lane % 2u + lane / 16u * 2u;
  let rightC = lane / 2u % 8u;

  var output: array<mat4x4f, STRIPS>; // Σ_j exp(score_j - maximum) v[j] so far; laid out as in `multiply`
  var maximum = vec4f(LOWEST);
  var total = vec4f(); // Σ exp(score_j - maximum) so far, over the keys of this invocation

  for (var j0 = 0u; j0 < reach; j0 += TILE) {
    var score = mat4x4f();
    for (var strip = 0u; strip < STRIPS; strip++) {
      stageLeft(leftX, leftR, blockOfQ(head, s0 + 4u * leftR, strip * 8u + leftX));
      if (lane < 64u) { stageRight(rightX, rightC, blockOfK(head, reach - 1u, j0 + 4u * rightC, strip * 8u + rightX)); }
      workgroupBarrier(); // both factors are staged
      score = multiply(score, r, c);
      workgroupBarrier(); // all have read the factors: they may be overwritten
    }

    let key = j0 + 4u * c;
    let score0 = masked(score[0], key, limit);
    let score1 = masked(score[1], key + 1u, limit);
    let score2 = masked(score[2], key + 2u, limit);
    let score3 = masked(score[3], key + 3u, limit);
    shares[c * 16u + r] = max(max(score0, score1), max(score2, score3));
    workgroupBarrier(); // the maxima of all keys of the tile are written
    var largest = maximum;
    for (var i = 0u; i < 8u; i++) { largest = max(largest, shares[i * 16u + r]); }
    // The maximum is subtracted so that exp stays at most 1; sums under an older maximum are scaled down. Where the
    // maximum stays, the factor is 1 and not exp(0), which may be off by a bit: tiles that a query does not see change
    // nothing.
    let shrink = select(vec4f(1.0), exp(maximum - largest), largest > maximum);
    maximum = largest;
    let p0 = weightOf(score0, maximum, key, limit);
    let p1 = weightOf(score1, maximum, key + 1u, limit);
    let p2 = weightOf(score2, maximum, key + 2u, limit);
    let p3 = weightOf(score3, maximum, key + 3u, limit);
    total = total * shrink + ((p0 + p1) + (p2 + p3));
    stageLeft(c, r, mat4x4f(p0, p1, p2, p3));

    for (var strip = 0u; strip < STRIPS; strip++) {
      for (var t = lane; t < TILE * 8u; t += 128u) { // in the order of v in memory: its keys are the x of `right`
        right[t / 8u * RIGHT + t % 8u] = loadV(head, reach - 1u, j0 + t / 8u, strip * 8u + t % 8u);
      }
      workgroupBarrier(); // weights and values are staged
      let before = output[strip];
      output[strip] = multiply(
        mat4x4f(before[0] * shrink, before[1] * shrink, before[2] * shrink, before[3] * shrink), r, c);
      workgroupBarrier(); // all have read them: they may be overwritten
    }
  }

  shares[c * 16u + r] = total;
  workgroupBarrier(); // the totals over each invocation's keys are written
  total = vec4f();
  for (var i = 0u; i < 8u; i++) { total += shares[i * 16u + r]; }
  let b = head / params.H;
  let h = head % params.H;
  for (var strip = 0u; strip < STRIPS; strip++) {
    let rows = transpose(output[strip]); // column i: query 4r + i
    write(b, queries.x, h, strip * 8u + c, rows[0] / total.x);
    write(b, queries.y, h, strip * 8u + c, rows[1] / total.y);
    write(b, queries.z, h, strip * 8u + c, rows[2] / total.z);
    write(b, queries.w, h, strip * 8u + c, rows[3] / total.w);
  }
  if (c == 0u) {
    let logTotal = maximum + log(total);
    for (var i = 0u; i < 4u && queries.x + i < params.S; i++) { lse[head * params.S + queries.x + i] = logTotal[i]; }
  }
}
