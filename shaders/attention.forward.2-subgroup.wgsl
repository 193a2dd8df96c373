// attention.forward   y[i] = Σ_j softmax_j(scale * q[i]·k[j]) v[j], over the keys that query i may see
// Variant 2 adds one idea: a lane keeps two queries, and a subgroup loads eight numbers of k or v together and hands
// them round, so that one load serves 2*SUBGROUP queries. Read attention.forward.1-query first.
// Twin: attentionReference in src/engine/ops/attention.ts
//
//   q         [B, H, S, D]
//   k, v      [B, H, capacity, D]
//   position  [1]                  u32: position in the sequence of query row 0
//   y         [B, S, H*D]          heads merged: y[b, s, h*D + d]
//   lse       [B, H, S]            log Σ_j exp(scale * q·k), saved for the backward passes
//
// Query i sees keys 0 .. limit-1 with limit = max(i + 1, P). Keys come in tiles of 64 counted from key 0, and everything
// about a query stays in its lane, so its bits do not depend on S, on position, or on the other rows.
//
// One workgroup is one subgroup (at least 4 lanes) and takes 2*SUBGROUP queries of one head: lane l has rows
// s0 + l + SUBGROUP*(0, 1). Workgroups: B*H*ceil(S / (2*SUBGROUP)), folded over y past 65535.

const KEYS = 64u;   // keys per tile: how often the running output is rescaled
const MAX_D = 128u; // private arrays need a known size; small ones make drivers unroll for seconds
const LOWEST = vec2f(-3.0e38); // stands for "not seen": below any score

struct Params { B: u32, H: u32, S: u32, D: u32, P: u32, capacity: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> position: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read_write> lse: array<f32>;

struct Eight { lo: vec4f, hi: vec4f }

// Eight numbers the same for every lane: x of lanes 0-7; or x, then z, of lanes 0-3 where a subgroup has only those.
fn spread(x: f32, z: f32) -> Eight {
  let lo = vec4f(subgroupBroadcast(x, 0u), subgroupBroadcast(x, 1u), subgroupBroadcast(x, 2u), subgroupBroadcast(x, 3u));
  var hi: vec4f;
  if (SUBGROUP == 4u) {
    hi = vec4f(subgroupBroadcast(z, 0u), subgroupBroadcast(z, 1u), subgroupBroadcast(z, 2u), subgroupBroadcast(z, 3u));
  } else {
    hi = vec4f(subgroupBroadcast(x, 4u), subgroupBroadcast(x, 5u), subgroupBroadcast(x, 6u), subgroupBroadcast(x, 7u));
  }
  return Eight(lo, hi);
}

// Column i is x * w[i]: two queries by four keys (or columns of v).
fn outer(x: vec2f, w: vec4f) -> mat4x2f { return mat4x2f(x * w.x, x * w.y, x * w.z, x * w.w); }

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let D = params.D;
  let tiles = (params.S + 2u * SUBGROUP - 1u) / (2u * SUBGROUP);
  let index = group.x + group.y * 65535u;
  let head = index / tiles; // b*H + h
  if (head >= params.B * params.H) { return; } // the same for the whole workgroup
  let s0 = index % tiles * 2u * SUBGROUP;

  // Past the last row, lanes repeat it and do not write.
  let s = s0 + lane + SUBGROUP * vec2u(0u, 1u);
  let row = head * params.S + min(s, vec2u(params.S - 1u));
  let end = position[0] + min(s, vec2u(params.S - 1u)) + 1u;
  let limit = min(max(end, vec2u(params.P)), vec2u(params.capacity));
  // The keys that any query of this workgroup sees. Later ones are never read: a cache may hold anything there.
  let lastEnd = position[0] + min(s0 + 2u * SUBGROUP, params.S);
  let reach = min(max(lastEnd, params.P), params.capacity);

  let eighth = lane % 8u + vec2u(0u, 4u); // which of eight numbers this lane loads; .y counts only where SUBGROUP is 4
  let keys = head * params.capacity;      // k[b, h, 0]

  var query: array<vec2f, MAX_D>;  // query[d]: of this lane's two queries, scaled
  var output: array<vec2f, MAX_D>; // output[d]: Σ_j exp(score_j - maximum) v[j, d] so far
  for (var d = 0u; d < D; d++) {
    let at = row * D + d; // q[b, h, s, d]
    query[d] = params.scale * vec2f(q[at.x], q[at.y]);
    output[d] = vec2f();
  }
  var p: array<vec2f, KEYS>; // p[i]: score, then exp(score - maximum), of key j0 + i
  var maximum = LOWEST;
  var total = vec2f(); // Σ_j exp(score_j - maximum) so far

  for (var j0 = 0u; j0 < reach; j0 += KEYS) {
    let count = min(KEYS, reach - j0);

    var largest = maximum;
    for (var i = 0u; i < count; i += 8u) {
      let at = (keys + min(j0 + i + eighth, vec2u(reach - 1u))) * D; // k[b, h, j, 0]
      var lo = mat4x2f(); // scores of keys j0+i .. j0+i+3
      var hi = mat4x2f(); // scores of keys j0+i+4 .. j0+i+7
      for (var d = 0u; d < D; d++) {
        let x = query[d];
        let w = spread(k[at.x + d], k[at.y + d]);
        lo += outer(x, w.lo);
        hi += outer(x, w.hi);
      }
      let j = vec2u(j0 + i);
      p[i] = select(LOWEST, lo[0], j < limit);
      p[i + 1u] = select(LOWEST, lo[1], j + 1u < limit);
      p[i + 2u] = select(LOWEST, lo[2], j + 2u < limit);
      p[i + 3u] = select(LOWEST, lo[3], j + 3u < limit);
      p[i + 4u] = select(LOWEST, hi[0], j + 4u < limit);
      p[i + 5u] = select(LOWEST, hi[1], j + 5u < limit);
      p[i + 6u] = select(LOWEST, hi[2], j + 6u < limit);
      p[i + 7u] = select(LOWEST, hi[3], j + 7u < limit);
    }
    for (var i = 0u; i < count; i++) { largest = max(largest, p[i]); }

    // The maximum is subtracted so that exp stays at most 1; what was summed under an older maximum is scaled down.
    let shrink = exp(maximum - largest);
    maximum = largest;
    total *= shrink;
    for (var i = 0u; i < count; i++) {
      let e = select(vec2f(), exp(p[i] - maximum), p[i] > LOWEST);
      p[i] = e;
      total += e;
    }

    for (var c = 0u; c < D; c += 8u) {
      let column = min(c + eighth, vec2u(D - 1u));
      var lo = mat4x2f(
        output[c] * shrink, output[c + 1u] * shrink, output[c + 2u] * shrink, output[c + 3u] * shrink);
      var hi = mat4x2f(
        output[c + 4u] * shrink, output[c + 5u] * shrink, output[c + 6u] * shrink, output[c + 7u] * shrink);
      for (var i = 0u; i < count; i++) {
        let at = (keys + j0 + i) * D + column; // v[b, h, j, column]
        let w = spread(v[at.x], v[at.y]);
        lo += outer(p[i], w.lo);
        hi += outer(p[i], w.hi);
      }
      output[c] = lo[0];
      output[c + 1u] = lo[1];
      output[c + 2u] = lo[2];
      output[c + 3u] = lo[3];
      output[c + 4u] = hi[0];
      output[c + 5u] = hi[1];
      output[c + 6u] = hi[2];
      output[c + 7u] = hi[3];
    }
  }

  let b = head / params.H;
  let h = head % params.H;
  let inverse = 1.0 / total;
  for (var i = 0u; i < 2u; i++) {
    if (s[i] >= params.S) { break; }
    let to = ((b * params.S + s[i]) * params.H + h) * D; // y[b, s, h*D]
    for (var d = 0u; d < D; d++) { y[to + d] = output[d][i] * inverse[i]; }
    lse[row[i]] = maximum[i] + log(total[i]);
  }
}
