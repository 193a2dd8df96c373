// crossEntropy.forward   nats[n] = log Σ_v exp(logits[n, v]) - logits[n, target],
//                        dLogits[n, v] = weights[n] / total * (softmax(logits[n])[v] - [v = target])
// Forward and backward in one: the gradient of loss = Σ w*nats / Σ w needs no later value.
// Twin: crossEntropyReference in src/engine/ops/crossEntropy.ts
//
//   logits, dLogits  [N, V]   logits[n, v] sits at n*V + v
//   targets          [N]      u32, below V
//   weights          [N]      0 excludes a row
//   total            [1]      Σ weights, from crossEntropy.total; where it is 0 every gradient is 0
//   nats             [N]      not weighted
//
// One invocation per row, three passes over v: maximum, sum, write.
// Workgroups: ceil(N / WORKGROUP), folded over y past 65535.

struct Params { N: u32, V: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read> total: array<f32>;
@group(0) @binding(5) var<storage, read_write> nats: array<f32>;
@group(0) @binding(6) var<storage, read_write> dLogits: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (n >= params.N) { return; }
  let row = n * params.V; // logits[n, 0]
  let goal = min(targets[n], params.V - 1u); // clamped so that a bad target cannot read outside the row

  // The maximum is subtracted so that exp stays at most 1 and the sum at least 1.
  var maximum = logits[row];
  for (var v = 1u; v < params.V; v++) { maximum = max(maximum, logits[row + v]); }
  var sum = 0.0;
  for (var v = 0u; v < params.V; v++) { sum += exp(logits[row + v] - maximum); }
  nats[n] = log(sum) + (maximum - logits[row + goal]);

  var share = 0.0; // this row's part of the loss
  if (total[0] > 0.0) { share = weights[n] / total[0]; }
  for (var v = 0u; v < params.V; v++) {
    let p = exp(logits[row + v] - maximum) / sum;
    dLogits[row + v] = share * (p - select(0.0, 1.0, v == goal));
  }
}
