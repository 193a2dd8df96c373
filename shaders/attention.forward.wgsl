// attention.forward   y[i] = Σ_j softmax_j(scale * q[i]·k[j]) v[j], over the keys that query i may see
// Vaswani et al. 2017, arXiv:1706.03762; running softmax of Milakov and Gimelshein 2018, arXiv:1805.02867.
// Twin: attentionReference in src/engine/ops/attention.ts
//
//   q         [B, H, S, D]
//   k, v      [B, H, capacity, D]
//   position  [1]                  u32: position in the sequence of query row 0
//   y         [B, S, H*D]          heads merged: y[b, s, h*D + d]
//   lse       [B, H, S]            log Σ_j exp(scale * q·k), saved for the backward passes
//
// A query at position i sees keys 0 .. limit-1 with limit = max(i + 1, P): every one of the P slots, and the stream up
// to itself. The loop bound excludes masked keys. A row's numbers depend only on its own keys, in order of j, so they
// have the same bits when rows are computed one at a time with a cache or all at once.
//
// One invocation per query row, one key at a time.
// All rows of a workgroup belong to one head. Workgroups: B*H * ceil(S / WORKGROUP), folded over y past 65535.
//
// const HEAD_DIM: u32, equal to D, precedes this text: private arrays need a known size

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
  let s = block % blocks * WORKGROUP + lane;
  if (head >= params.B * params.H || s >= params.S) { return; }
  let row = head * params.S + s;
  let limit = min(max(position[0] + s + 1u, params.P), params.capacity);

  var query: array<f32, HEAD_DIM>;
  var output: array<f32, HEAD_DIM>; // Σ_j exp(score_j - maximum) v[j] so far
  for (var d = 0u; d < HEAD_DIM; d++) {
    query[d] = q[row * HEAD_DIM + d] * params.scale;
    output[d] = 0.0;
  }
  var maximum = -3.0e38; // largest score so far; below any score
  var total = 0.0;       // Σ_j exp(score_j - maximum) so far

  for (var j = 0u; j < limit; j++) {
    let key = (head * params.capacity + j) * HEAD_DIM; // k[b, h, j, 0]
    var score = 0.0;
    for (var d = 0u; d < HEAD_DIM; d++) { score += query[d] * k[key + d]; }
    // The maximum is subtracted so that exp stays at most 1; sums under an older maximum are scaled down.
    let largest = max(maximum, score);
    let shrink = exp(maximum - largest);
    let p = exp(score - largest);
    maximum = largest;
    total = total * shrink + p;
    for (var d = 0u; d < HEAD_DIM; d++) { output[d] = output[d] * shrink + p * v[key + d]; }
  }

  let b = head / params.H;
  let h = head % params.H;
  let to = ((b * params.S + s) * params.H + h) * HEAD_DIM; // y[b, s, h*D]
  for (var d = 0u; d < HEAD_DIM; d++) { y[to + d] = output[d] / total; }
  lse[row] = maximum + log(total);
}
