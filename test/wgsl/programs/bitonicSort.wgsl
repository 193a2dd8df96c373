// Sorts 512 keys with their values, in one workgroup of 128, each invocation with two pairs.
struct Pair { key: i32, value: u32 }
@group(0) @binding(0) var<storage, read_write> pairs: array<Pair>;
const N = 512u;
const THREADS = N / 4u;
var<workgroup> tile: array<Pair, N>;

fn before(a: Pair, b: Pair) -> bool {
  return select(a.key < b.key, a.value < b.value, a.key == b.key);
}

fn compareSwap(a: ptr<workgroup, Pair>, b: ptr<workgroup, Pair>, ascending: bool) {
  let x = *a;
  let y = *b;
  if before(y, x) == ascending {
    *a = y;
    *b = x;
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) group: vec3u) {
  let base = group.x * N;
  for (var i = t; i < N; i += THREADS) { tile[i] = pairs[base + i]; }
  workgroupBarrier();
  for (var k = 2u; k <= N; k <<= 1u) {
    for (var j = k >> 1u; j > 0u; j >>= 1u) {
      for (var pair = t; pair < N / 2u; pair += THREADS) {
        let low = 2u * pair - (pair & (j - 1u));
        let a = tile[low];
        let b = tile[low | j];
        if before(b, a) == ((low & k) == 0u) {
          tile[low] = b;
          tile[low | j] = a;
        }
      }
      workgroupBarrier();
    }
  }
  for (var i = t; i < N; i += THREADS) { pairs[base + i] = tile[i]; }
}
