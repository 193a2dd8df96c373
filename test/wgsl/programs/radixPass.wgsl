// One pass of a radix sort on four bits, without atomics: each invocation counts its own keys, a scan gives them their places.
override SHIFT: u32 = 0u;
override WIDTH = 64u;
const RADIX = 16u;
const PER_THREAD = 4u;
@group(0) @binding(0) var<storage, read> keys: array<u32>;
@group(0) @binding(1) var<storage, read_write> sorted: array<u32>;
var<workgroup> counts: array<u32, RADIX * 64u>;
var<workgroup> totals: array<u32, RADIX>;

fn digit(key: u32) -> u32 { return extractBits(key, SHIFT, 4u); }

@compute @workgroup_size(WIDTH)
fn main(@builtin(local_invocation_index) t: u32) {
  var mine: array<u32, RADIX>;
  for (var i = 0u; i < PER_THREAD; i++) { mine[digit(keys[t * PER_THREAD + i])]++; }
  for (var d = 0u; d < RADIX; d++) { counts[d * WIDTH + t] = mine[d]; }
  workgroupBarrier();
  if (t < RADIX) {
    var sum = 0u;
    for (var i = 0u; i < WIDTH; i++) {
      let count = counts[t * WIDTH + i];
      counts[t * WIDTH + i] = sum;
      sum += count;
    }
    totals[t] = sum;
  }
  workgroupBarrier();
  var start = array<u32, RADIX>();
  for (var d = 1u; d < RADIX; d++) { start[d] = start[d - 1u] + totals[d - 1u]; }
  for (var i = 0u; i < PER_THREAD; i++) {
    let key = keys[t * PER_THREAD + i];
    let d = digit(key);
    let place = &start[d];
    sorted[*place + counts[d * WIDTH + t]] = key;
    *place += 1u;
  }
}
