// cpu/attention.backwardKV   dV[j] = Σ_i p_ij * dY[i],  dK[j] = scale * Σ_i p_ij * (dY[i]·v[j] - delta[i]) * q[i]
// with p_ij = exp(scale * q[i]·k[j] - lse[i]).
// attention.backwardKV with one more idea, for a CPU: the lanes of a subgroup process QUERIES queries together, so that
// each loaded value of k, v, dK and dV serves QUERIES of them. Twin: visitPairs in src/engine/ops/attention.ts. The bits
// are those of attention.backwardKV, because every sum has the same order.
//
//   q, k, v, dK, dV  [B, H, S, D]
//   dY               [B, S, H*D]
//   lse, delta       [B, H, S]     from attention.forward and attention.delta
//
// Key j is seen by every query when it is a slot (j < P), else by queries j .. S-1.
// One invocation per key row, which owns its dK and dV, so no two invocations add to the same element.
// All rows of a workgroup belong to one head. Workgroups: B*H * ceil(S / WORKGROUP), folded over y past 65535.
//
// const HEAD_DIM: u32, equal to D, and QUERIES: u32 precede this text

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

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let block = group.x + group.y * 65535u;
  let blocks = (params.S + WORKGROUP - 1u) / WORKGROUP; // of one head
  let head = block / blocks; // b*H + h
  if (head >= params.B * params.H) { return; }
  let j = min(block % blocks * WORKGROUP + lane, params.S - 1u);
  let first = select(j, 0u, j < params.P); // the first query that sees key j
  var i = subgroupMin(first);
  let together = subgroupMax(first); // queries from here on see every key of the subgroup
  if (block % blocks * WORKGROUP + lane >= params.S) { return; }
  let row = head * params.S + j;
  let b = head / params.H;
  let h = head % params.H;
  let next = params.H * HEAD_DIM; // from dY[b, i, h*D] to dY[b, i + 1, h*D]

  var key: array<f32, HEAD_DIM>;
  var value: array<f32, HEAD_DIM>;
  var dKey: array<f32, HEAD_DIM>;
  var dValue: array<f32, HEAD_DIM>;
  for (var d = 0u; d < HEAD_DIM; d++) {
    key[d] = k[row * HEAD_DIM + d] * params.scale;
    value[d] = v[row * HEAD_DIM + d];
    dKey[d] = 0.0;
    dValue[d] = 0.0;
  }

  while (i < params.S) {
    let query = (head * params.S + i) * HEAD_DIM;  // q[b, h, i, 0]
    let output = (b * params.S + i) * next + h * HEAD_DIM; // dY[b, i, h*D]
    if (i >= together && i + QUERIES <= params.S) {
      var score: array<f32, QUERIES>;
      var dP: array<f32, QUERIES>; // dY[i]·v[j]
      for (var d = 0u; d < HEAD_DIM; d++) {
        let x = key[d];
        let z = value[d];
        for (var n = 0u; n < QUERIES; n++) {
          score[n] += q[query + n * HEAD_DIM + d] * x;
          dP[n] += dY[output + n * next + d] * z;
        }
      }
      var p: array<f32, QUERIES>;
      var dScore: array<f32, QUERIES>;
      for (var n = 0u; n < QUERIES; n++) {
        p[n] = exp(score[n] - lse[head * params.S + i + n]);
        dScore[n] = p[n] * (dP[n] - delta[head * params.S + i + n]);
      }
      for (var d = 0u; d < HEAD_DIM; d++) {
        var dX = dKey[d];
        var dZ = dValue[d];
        for (var n = 0u; n < QUERIES; n++) {
          dX += dScore[n] * q[query + n * HEAD_DIM + d];
          dZ += p[n] * dY[output + n * next + d];
        }
        dKey[d] = dX;
        dValue[d] = dZ;
      }
      i += QUERIES;
    } else {
      if (i >= first) {
        var score = 0.0;
        var dP = 0.0;
        for (var d = 0u; d < HEAD_DIM; d++) {
          score += q[query + d] * key[d];
          dP += dY[output + d] * value[d];
        }
        let p = exp(score - lse[head * params.S + i]);
        let dScore = p * (dP - delta[head * params.S + i]);
        for (var d = 0u; d < HEAD_DIM; d++) {
          dKey[d] += dScore * q[query + d];
          dValue[d] += p * dY[output + d];
        }
      }
      i++;
    }
  }

  for (var d = 0u; d < HEAD_DIM; d++) {
    dK[row * HEAD_DIM + d] = dKey[d] * params.scale;
    dV[row * HEAD_DIM + d] = dValue[d];
  }
}
