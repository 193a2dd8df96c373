// cpu/attention.forward   y[i] = Σ_j softmax_j(scale * q[i]·k[j]) v[j], over the keys that query i may see
// attention.forward with two more ideas, for a CPU: the lanes of a subgroup process KEYS keys together, so that each loaded
// value of q and y serves KEYS of them; and one of the two exponentials of a finite score is exp(0) = 1, so only the other
// is computed. Twin: attentionReference in src/engine/ops/attention.ts. The bits are those of attention.forward, because
// every sum has the same order.
//
//   q         [B, H, S, D]
//   k, v      [B, H, capacity, D]
//   position  [1]                  u32: position in the sequence of query row 0
//   y         [B, S, H*D]          heads merged: y[b, s, h*D + d]
//   lse       [B, H, S]            log Σ_j exp(scale * q·k), saved for the backward passes
//
// One invocation per query row. The keys that every row of a subgroup sees come first, KEYS at a time; the others follow
// one by one, each for the rows that see it.
// All rows of a workgroup belong to one head. Workgroups: B*H * ceil(S / WORKGROUP), folded over y past 65535.
//
// const HEAD_DIM: u32, equal to D, and KEYS: u32 precede this text

struct Params { B: u32, H: u32, S: u32, D: u32, P: u32, capacity: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> position: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read_write> lse: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let block = group.x + group.y * 65535u;
  let blocks = (params.S + WORKGROUP - 1u) / WORKGROUP; // of one head
  let head = block / blocks; // b*H + h
  if (head >= params.B * params.H) { return; }
  let s = min(block % blocks * WORKGROUP + lane, params.S - 1u);
  let limit = min(max(position[0] + s + 1u, params.P), params.capacity);
  let together = subgroupMin(limit) / KEYS * KEYS; // keys 0 .. together-1 are seen by every row of the subgroup
  if (block % blocks * WORKGROUP + lane >= params.S) { return; }
  let row = head * params.S + s;

  var query: array<f32, HEAD_DIM>;
  var output: array<f32, HEAD_DIM>; // Σ_j exp(score_j - maximum) v[j] so far
  for (var d = 0u; d < HEAD_DIM; d++) {
    query[d] = q[row * HEAD_DIM + d] * params.scale;
    output[d] = 0.0;
  }
  var maximum = -3.0e38; // largest score so far; below any score
  var total = 0.0;       // Σ_j exp(score_j - maximum) so far

  for (var j = 0u; j < together; j += KEYS) {
    let key = (head * params.capacity + j) * HEAD_DIM; // k[b, h, j, 0]
    var score: array<f32, KEYS>;
    for (var d = 0u; d < HEAD_DIM; d++) {
      let x = query[d];
      for (var i = 0u; i < KEYS; i++) { score[i] += x * k[key + i * HEAD_DIM + d]; }
    }
    var shrink: array<f32, KEYS>;
    var p: array<f32, KEYS>;
    for (var i = 0u; i < KEYS; i++) {
      let isLarger = score[i] > maximum;
      let exponential = exp(-abs(score[i] - maximum));
      shrink[i] = select(1.0, exponential, isLarger); // exp(maximum - the new maximum)
      p[i] = select(exponential, 1.0, isLarger);      // exp(score - the new maximum)
      maximum = max(maximum, score[i]);
      total = total * shrink[i] + p[i];
    }
    for (var d = 0u; d < HEAD_DIM; d++) {
      var sum = output[d];
      for (var i = 0u; i < KEYS; i++) { sum = sum * shrink[i] + p[i] * v[key + i * HEAD_DIM + d]; }
      output[d] = sum;
    }
  }

  for (var j = together; j < limit; j++) {
    let key = (head * params.capacity + j) * HEAD_DIM;
    var score = 0.0;
    for (var d = 0u; d < HEAD_DIM; d++) { score += query[d] * k[key + d]; }
    let isLarger = score > maximum;
    let exponential = exp(-abs(score - maximum));
    let shrink = select(1.0, exponential, isLarger);
    let p = select(exponential, 1.0, isLarger);
    maximum = max(maximum, score);
    total = total * shrink + p;
    for (var d = 0u; d < HEAD_DIM; d++) { output[d] = output[d] * shrink + p * v[key + d]; }
  }

  total += maximum - maximum; // NaN after an infinite score, whose two exponentials are exp(∞ - ∞); else 0

  let b = head / params.H;
  let h = head % params.H;
  let to = ((b * params.S + s) * params.H + h) * HEAD_DIM; // y[b, s, h*D]
  for (var d = 0u; d < HEAD_DIM; d++) { y[to + d] = output[d] / total; }
  lse[row] = maximum + log(total);
}
