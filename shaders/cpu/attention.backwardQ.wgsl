// cpu/attention.backwardQ   dQ[i] = scale * Σ_j p_ij * (dY[i]·v[j] - delta[i]) * k[j]   with p_ij = exp(scale * q[i]·k[j] - lse[i])
// attention.backwardQ with one more idea, for a CPU: the lanes of a subgroup process KEYS keys together, so that each
// loaded value of q, dY and dQ serves KEYS of them. Twin: visitPairs in src/engine/ops/attention.ts. The bits are those of
// attention.backwardQ, because every sum has the same order.
//
//   q, k, v, dQ  [B, H, S, D]
//   dY           [B, S, H*D]
//   lse, delta   [B, H, S]     from attention.forward and attention.delta
//
// One invocation per query row. The keys that every row of a subgroup sees come first, KEYS at a time; the others follow
// one by one, each for the rows that see it.
// All rows of a workgroup belong to one head. Workgroups: B*H * ceil(S / WORKGROUP), folded over y past 65535.
//
// const HEAD_DIM: u32, equal to D, and KEYS: u32 precede this text

struct Params { B: u32, H: u32, S: u32, D: u32, P: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> dY: array<f32>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dQ: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let block = group.x + group.y * 65535u;
  let blocks = (params.S + WORKGROUP - 1u) / WORKGROUP; // of one head
  let head = block / blocks; // b*H + h
  if (head >= params.B * params.H) { return; }
  let s = min(block % blocks * WORKGROUP + lane, params.S - 1u);
  let limit = min(max(s + 1u, params.P), params.S);
  let together = subgroupMin(limit) / KEYS * KEYS; // keys 0 .. together-1 are seen by every row of the subgroup
  if (block % blocks * WORKGROUP + lane >= params.S) { return; }
  let row = head * params.S + s;
  let b = head / params.H;
  let h = head % params.H;
  let source = ((b * params.S + s) * params.H + h) * HEAD_DIM; // dY[b, s, h*D]

  var query: array<f32, HEAD_DIM>;
  var dOutput: array<f32, HEAD_DIM>;
  var dQuery: array<f32, HEAD_DIM>;
  for (var d = 0u; d < HEAD_DIM; d++) {
    query[d] = q[row * HEAD_DIM + d] * params.scale;
    dOutput[d] = dY[source + d];
    dQuery[d] = 0.0;
  }
  let logTotal = lse[row];
  let inner = delta[row];

  for (var j = 0u; j < together; j += KEYS) {
    let key = (head * params.S + j) * HEAD_DIM; // k[b, h, j, 0]
    var score: array<f32, KEYS>;
    var dP: array<f32, KEYS>; // dY[i]·v[j]
    for (var d = 0u; d < HEAD_DIM; d++) {
      let x = query[d];
      let dX = dOutput[d];
      for (var i = 0u; i < KEYS; i++) {
        score[i] += x * k[key + i * HEAD_DIM + d];
        dP[i] += dX * v[key + i * HEAD_DIM + d];
      }
    }
    var dScore: array<f32, KEYS>;
    for (var i = 0u; i < KEYS; i++) { dScore[i] = exp(score[i] - logTotal) * (dP[i] - inner); }
    for (var d = 0u; d < HEAD_DIM; d++) {
      var sum = dQuery[d];
      for (var i = 0u; i < KEYS; i++) { sum += dScore[i] * k[key + i * HEAD_DIM + d]; }
      dQuery[d] = sum;
    }
  }

  for (var j = together; j < limit; j++) {
    let key = (head * params.S + j) * HEAD_DIM;
    var score = 0.0;
    var dP = 0.0;
    for (var d = 0u; d < HEAD_DIM; d++) {
      score += query[d] * k[key + d];
      dP += dOutput[d] * v[key + d];
    }
    let dScore = exp(score - logTotal) * (dP - inner);
    for (var d = 0u; d < HEAD_DIM; d++) { dQuery[d] += dScore * k[key + d]; }
  }

  for (var d = 0u; d < HEAD_DIM; d++) { dQ[row * HEAD_DIM + d] = dQuery[d] * params.scale; }
}
