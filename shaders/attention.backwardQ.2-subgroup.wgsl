// attention.backwardQ   dQ[i] = scale * Σ_j p_ij * (dY[i]·v[j] - delta[i]) * k[j]
// with p_ij = exp(scale * q[i]·k[j] - lse[i]).
// Variant 2 adds the idea of attention.forward.2-subgroup: a lane keeps two queries, and a subgroup loads eight numbers
// of k or v together and hands them round. Read attention.backwardQ.1-query first.
// Twin: visitPairs in src/engine/ops/attention.ts
//
//   q, k, v, dQ  [B, H, S, D]
//   dY           [B, S, H*D]
//   lse, delta   [B, H, S]     from attention.forward and attention.delta
//
// Query i sees keys 0 .. max(i + 1, P) - 1; for the others p = 0.
//
// One workgroup is one subgroup (at least 4 lanes) and takes 2*SUBGROUP queries of one head: lane l has rows
// s0 + l + SUBGROUP*(0, 1). Workgroups: B*H*ceil(S / (2*SUBGROUP)), folded over y past 65535.

const KEYS = 64u;   // keys per tile: how often the running sum goes through memory
const MAX_D = 128u; // private arrays need a known size; small ones make drivers unroll for seconds

struct Params { B: u32, H: u32, S: u32, D: u32, P: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> dY: array<f32>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dQ: array<f32>;

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

  let s = s0 + lane + SUBGROUP * vec2u(0u, 1u);
  let inside = min(s, vec2u(params.S - 1u)); // past the last row, lanes repeat it and do not write
  let row = head * params.S + inside;
  let limit = min(max(inside + 1u, vec2u(params.P)), vec2u(params.S));
  let reach = min(max(s0 + 2u * SUBGROUP, params.P), params.S); // keys that any query of this workgroup sees

  let eighth = lane % 8u + vec2u(0u, 4u); // which of eight numbers this lane loads; .y counts only where SUBGROUP is 4
  let keys = head * params.S;             // k[b, h, 0]

  var query: array<vec2f, MAX_D>;   // query[d]: of this lane's two queries, scaled
  var dOutput: array<vec2f, MAX_D>; // dOutput[d]: their rows of dY
  var dQuery: array<vec2f, MAX_D>;  // dQuery[d]: Σ_j dScore_j * k[j, d] so far
  for (var d = 0u; d < D; d++) {
    let at = row * D + d;                                            // q[b, h, s, d]
    let to = ((b * params.S + inside) * params.H + h) * D + d;       // dY[b, s, h*D + d]
    query[d] = params.scale * vec2f(q[at.x], q[at.y]);
    dOutput[d] = vec2f(dY[to.x], dY[to.y]);
    dQuery[d] = vec2f();
  }
  let logTotal = vec2f(lse[row.x], lse[row.y]);
  let inner = vec2f(delta[row.x], delta[row.y]);
  var dScore: array<vec2f, KEYS>; // dScore[i]: score, then dScore, of key j0 + i
  var dP: array<vec2f, KEYS>;     // dP[i]: dY·v of key j0 + i

  for (var j0 = 0u; j0 < reach; j0 += KEYS) {
    let count = min(KEYS, reach - j0);

    for (var i = 0u; i < count; i += 8u) {
      let at = (keys + min(j0 + i + eighth, vec2u(reach - 1u))) * D; // k[b, h, j, 0], v[b, h, j, 0]
      var lo = mat4x2f(); // scores of keys j0+i .. j0+i+3
      var hi = mat4x2f(); // scores of keys j0+i+4 .. j0+i+7
      var dLo = mat4x2f(); // their dP
      var dHi = mat4x2f();
      for (var d = 0u; d < D; d++) {
        let x = query[d];
        let w = spread(k[at.x + d], k[at.y + d]);
        lo += outer(x, w.lo);
        hi += outer(x, w.hi);
        let g = dOutput[d];
        let u = spread(v[at.x + d], v[at.y + d]);
        dLo += outer(g, u.lo);
        dHi += outer(g, u.hi);
      }
      dScore[i] = lo[0];
      dScore[i + 1u] = lo[1];
      dScore[i + 2u] = lo[2];
      dScore[i + 3u] = lo[3];
      dScore[i + 4u] = hi[0];
      dScore[i + 5u] = hi[1];
      dScore[i + 6u] = hi[2];
      dScore[i + 7u] = hi[3];
      dP[i] = dLo[0];
      dP[i + 1u] = dLo[1];
      dP[i + 2u] = dLo[2];
      dP[i + 3u] = dLo[3];
      dP[i + 4u] = dHi[0];
      dP[i + 5u] = dHi[1];
      dP[i + 6u] = dHi[2];
      dP[i + 7u] = dHi[3];
    }
    for (var i = 0u; i < count; i++) {
      let p = select(vec2f(), exp(dScore[i] - logTotal), vec2u(j0 + i) < limit);
      dScore[i] = p * (dP[i] - inner);
    }

    for (var c = 0u; c < D; c += 8u) {
      let column = min(c + eighth, vec2u(D - 1u));
      var sumLo = mat4x2f(dQuery[c], dQuery[c + 1u], dQuery[c + 2u], dQuery[c + 3u]);
      var sumHi = mat4x2f(dQuery[c + 4u], dQuery[c + 5u], dQuery[c + 6u], dQuery[c + 7u]);
      for (var i = 0u; i < count; i++) {
        let at = (keys + j0 + i) * D + column; // k[b, h, j, column]
        let w = spread(k[at.x], k[at.y]);
        sumLo += outer(dScore[i], w.lo);
        sumHi += outer(dScore[i], w.hi);
      }
      dQuery[c] = sumLo[0];
      dQuery[c + 1u] = sumLo[1];
      dQuery[c + 2u] = sumLo[2];
      dQuery[c + 3u] = sumLo[3];
      dQuery[c + 4u] = sumHi[0];
      dQuery[c + 5u] = sumHi[1];
      dQuery[c + 6u] = sumHi[2];
      dQuery[c + 7u] = sumHi[3];
    }
  }

  for (var i = 0u; i < 2u; i++) {
    if (s[i] >= params.S) { break; }
    for (var d = 0u; d < D; d++) { dQ[row[i] * D + d] = dQuery[d][i] * params.scale; }
  }
}
