// Edit distance of two byte strings: one workgroup walks the diagonals of the table, each invocation some of its cells.
struct Strings { lengths: vec2<u32>, bytes: array<u32, 64> }
@group(0) @binding(0) var<storage, read> strings: array<Strings>;
@group(0) @binding(1) var<storage, read_write> distances: array<u32>;
const MAX = 128u;
var<workgroup> diagonals: array<array<u32, MAX + 1>, 3>;
var<workgroup> lengths: vec2u;

fn byteOf(s: u32, side: u32, i: u32) -> u32 { return (strings[s].bytes[side * 32u + (i >> 2u)] >> (8u * (i & 3u))) & 0xffu; }

@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) group: vec3u) {
  if (t == 0) { lengths = strings[group.x].lengths; }
  let size = workgroupUniformLoad(&lengths);
  for (var d = 0u; d <= size.x + size.y; d++) {
    let current = &diagonals[d % 3u];
    let last = &diagonals[(d + 2u) % 3u];
    let beforeLast = &diagonals[(d + 1u) % 3u];
    for (var i = t; i <= min(d, size.x); i += 32u) {
      let j = d - i;
      if (j > size.y) { continue; }
      var best = max(i, j);
      if (i > 0u && j > 0u) {
        let cost = u32(byteOf(group.x, 0u, i - 1u) != byteOf(group.x, 1u, j - 1u));
        best = min(min((*last)[i - 1u], (*last)[i]) + 1u, (*beforeLast)[i - 1u] + cost);
      }
      (*current)[i] = best;
    }
    workgroupBarrier();
  }
  if (t == 0u) { distances[group.x] = diagonals[(size.x + size.y) % 3u][size.x]; }
}
