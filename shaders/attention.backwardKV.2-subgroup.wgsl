// attention.backwardKV   dV[j] = Σ_i p_ij * dY[i],  dK[j] = scale * Σ_i p_ij * (dY[i]·v[j] - delta[i]) * q[i]
// with p_ij = exp(scale * q[i]·k[j] - lse[i]).
// Variant 2 adds the idea of attention.forward.2-subgroup, with the parts exchanged: a lane keeps two keys, and a
// subgroup loads eight numbers of q or dY together and hands them round. Read attention.backwardKV.1-key first.
// Twin: visitPairs in src/engine/ops/attention.ts
//
//   q, k, v, dK, dV  [B, H, S, D]
//   dY               [B, S, H*D]
//   lse, delta       [B, H, S]     from attention.forward and attention.delta
//
// Key j is seen by every query when it is a slot (j < P), else by queries j .. S-1; for the others p = 0.
//
// One workgroup is one subgroup (at least 4 lanes) and takes 2*SUBGROUP keys of one head: lane l has rows
// s0 + l + SUBGROUP*(0, 1). Workgroups: B*H*ceil(S / (2*SUBGROUP)), folded over y past 65535.

const QUERIES = 64u; // queries per tile: how often the running sums go through memory
const MAX_D = 128u;  // private arrays need a known size; small ones make drivers unroll for seconds

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

// Column i is x * w[i].
fn outer(x: vec2f, w: vec4f) -> mat4x2f { return mat4x2f(x * w.x, x * w.y, x * w.z, x * w.w); }

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let D = params.D;
  let tiles = (params.S + 2u * SUBGROUP - 1u) / (2u * SUBGROUP);
  let index = group.x + group.y * 65535u;
  let head = index / tiles; // b*H + h
  if (head >= params.B * params.H) { return; } // the same for the whole workgroup
  let b = head / params.H;
  let h = head % params.H;
  let s0 = index % tiles * 2u * SUBGROUP;

  let j = s0 + lane + SUBGROUP * vec2u(0u, 1u);
  let row = head * params.S + min(j, vec2u(params.S - 1u)); // past the last row, lanes repeat it and do not write
  let first = select(j, vec2u(0u), j < vec2u(params.P));    // the first query that sees each key
  let start = select(s0, 0u, s0 < params.P);                // the first that sees any key of this workgroup

  let eighth = lane % 8u + vec2u(0u, 4u); // which of eight numbers this lane loads; .y counts only where SUBGROUP is 4
  let queries = head * params.S;          // q[b, h, 0]

  var key: array<vec2f, MAX_D>;    // key[d]: of this lane's two keys, scaled
  var value: array<vec2f, MAX_D>;  // value[d]: their rows of v
  var dKey: array<vec2f, MAX_D>;   // dKey[d]: Σ_i dScore_i * q[i, d] so far
  var dValue: array<vec2f, MAX_D>; // dValue[d]: Σ_i p_i * dY[i, d] so far
  for (var d = 0u; d < D; d++) {
    let at = row * D + d; // k[b, h, j, d]
    key[d] = params.scale * vec2f(k[at.x], k[at.y]);
    value[d] = vec2f(v[at.x], v[at.y]);
    dKey[d] = vec2f();
    dValue[d] = vec2f();
  }
  var p: array<vec2f, QUERIES>;      // p[i]: score, then probability, of query i0 + i
  var dScore: array<vec2f, QUERIES>; // dScore[i]: dY·v, then dScore, of query i0 + i

  for (var i0 = start; i0 < params.S; i0 += QUERIES) {
    let count = min(QUERIES, params.S - i0);

    for (var i = 0u; i < count; i += 8u) {
      let query = min(i0 + i + eighth, vec2u(params.S - 1u));
      let at = (queries + query) * D;                         // q[b, h, i, 0]
      let to = ((b * params.S + query) * params.H + h) * D;   // dY[b, i, h*D]
      var lo = mat4x2f(); // scores of queries i0+i .. i0+i+3
      var hi = mat4x2f(); // scores of queries i0+i+4 .. i0+i+7
      var dLo = mat4x2f(); // their dP
      var dHi = mat4x2f();
      for (var d = 0u; d < D; d++) {
        let x = key[d];
        let w = spread(q[at.x + d], q[at.y + d]);
        lo += outer(x, w.lo);
        hi += outer(x, w.hi);
        let g = value[d];
        let u = spread(dY[to.x + d], dY[to.y + d]);
        dLo += outer(g, u.lo);
        dHi += outer(g, u.hi);
      }
      p[i] = lo[0];
      p[i + 1u] = lo[1];
      p[i + 2u] = lo[2];
      p[i + 3u] = lo[3];
      p[i + 4u] = hi[0];
      p[i + 5u] = hi[1];
      p[i + 6u] = hi[2];
      p[i + 7u] = hi[3];
      dScore[i] = dLo[0];
      dScore[i + 1u] = dLo[1];
      dScore[i + 2u] = dLo[2];
      dScore[i + 3u] = dLo[3];
      dScore[i + 4u] = dHi[0];
      dScore[i + 5u] = dHi[1];
      dScore[i + 6u] = dHi[2];
      dScore[i + 7u] = dHi[3];
    }
    for (var i = 0u; i < count; i++) {
      p[i] = select(vec2f(), exp(p[i] - lse[queries + i0 + i]), vec2u(i0 + i) >= first);
      dScore[i] = p[i] * (dScore[i] - delta[queries + i0 + i]);
    }

    for (var c = 0u; c < D; c += 8u) {
      let column = min(c + eighth, vec2u(D - 1u));
      var sumLo = mat4x2f(dKey[c], dKey[c + 1u], dKey[c + 2u], dKey[c + 3u]);
      var sumHi = mat4x2f(dKey[c + 4u], dKey[c + 5u], dKey[c + 6u], dKey[c + 7u]);
      for (var i = 0u; i < count; i++) {
        let at = (queries + i0 + i) * D + column; // q[b, h, i, column]
        let w = spread(q[at.x], q[at.y]);
        sumLo += outer(dScore[i], w.lo);
        sumHi += outer(dScore[i], w.hi);
      }
      dKey[c] = sumLo[0];
      dKey[c + 1u] = sumLo[1];
      dKey[c + 2u] = sumLo[2];
      dKey[c + 3u] = sumLo[3];
      dKey[c + 4u] = sumHi[0];
      dKey[c + 5u] = sumHi[1];
      dKey[c + 6u] = sumHi[2];
      dKey[c + 7u] = sumHi[3];
    }
    for (var c = 0u; c < D; c += 8u) {
      let column = min(c + eighth, vec2u(D - 1u));
      var sumLo = mat4x2f(dValue[c], dValue[c + 1u], dValue[c + 2u], dValue[c + 3u]);
      var sumHi = mat4x2f(dValue[c + 4u], dValue[c + 5u], dValue[c + 6u], dValue[c + 7u]);
      for (var i = 0u; i < count; i++) {
        let to = ((b * params.S + i0 + i) * params.H + h) * D + column; // dY[b, i, h*D + column]
        let w = spread(dY[to.x], dY[to.y]);
        sumLo += outer(p[i], w.lo);
        sumHi += outer(p[i], w.hi);
      }
      dValue[c] = sumLo[0];
      dValue[c + 1u] = sumLo[1];
      dValue[c + 2u] = sumLo[2];
      dValue[c + 3u] = sumLo[3];
      dValue[c + 4u] = sumHi[0];
      dValue[c + 5u] = sumHi[1];
      dValue[c + 6u] = sumHi[2];
      dValue[c + 7u] = sumHi[3];
    }
  }

  for (var i = 0u; i < 2u; i++) {
    if (j[i] >= params.S) { break; }
    for (var d = 0u; d < D; d++) {
      dK[row[i] * D + d] = dKey[d][i] * params.scale;
      dV[row[i] * D + d] = dValue[d][i];
    }
  }
}
