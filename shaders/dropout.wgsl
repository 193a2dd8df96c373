// dropout   y[i] = 0 where element i is dropped, else x[i] / (1 - p); y = x in step 0, which is evaluation
// Twin: dropoutReference in src/engine/ops/dropout.ts
//
//   x, y  [n]
//   step  [1]   number of the training step
//
// Element i is dropped where the first word of a Philox block is below threshold = p * 2³². The block is a function of its
// counter (i, step, nth, 0) and its key (the seed), so that invocations are independent and a rerun drops the same
// elements. Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3", SC'11; philox in src/common/random.ts.
//
// One invocation per element. Workgroups: ceil(n / WORKGROUP), folded over y past 65535.

struct Params { n: u32, threshold: u32, scale: f32, nth: u32, seedLow: u32, seedHigh: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// High 32 bits of the 64-bit product of two 32-bit numbers, by 16-bit halves. No sum here exceeds 2³².
fn multiplyHigh(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & 0xffffu;
  let bHigh = b >> 16u;
  let middle = aHigh * bLow + ((aLow * bLow) >> 16u);
  let carry = aLow * bHigh + (middle & 0xffffu);
  return aHigh * bHigh + (middle >> 16u) + (carry >> 16u);
}

// The first of the four words of Philox-4x32-10.
fn philox(first: vec4u, seed: vec2u) -> u32 {
  var c = first;
  var k = seed;
  for (var round = 0u; round < 10u; round++) {
    let high0 = multiplyHigh(0xd2511f53u, c.x);
    let high1 = multiplyHigh(0xcd9e8d57u, c.z);
    c = vec4u(high1 ^ c.y ^ k.x, 0xcd9e8d57u * c.z, high0 ^ c.w ^ k.y, 0xd2511f53u * c.x);
    k = vec2u(k.x + 0x9e3779b9u, k.y + 0xbb67ae85u); // the golden ratio, and √3 - 1
  }
  return c.x;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (i >= params.n) { return; }
  var value = x[i];
  if (step[0] > 0u) {
    let word = philox(vec4u(i, step[0], params.nth, 0u), vec2u(params.seedLow, params.seedHigh));
    value = select(value * params.scale, 0.0, word < params.threshold);
  }
  y[i] = value;
}
