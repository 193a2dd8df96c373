// How many ways to put N queens, the first one on the invocation's square: backtracking with bits, in nested loops.
@group(0) @binding(0) var<storage, read_write> ways: array<u32>;
override N = 7u;
struct Frame { left: u32, down: u32, right: u32, free: u32 }
@compute @workgroup_size(N)
fn main(@builtin(local_invocation_index) first: u32) {
  let all = (1u << N) - 1u;
  var frames: array<Frame, 16>;
  let bit = 1u << first;
  var depth = 1u;
  frames[1] = Frame(bit << 1u, bit, bit >> 1u, 0u);
  frames[1].free = all & ~(frames[1].left | frames[1].down | frames[1].right);
  var count = 0u;
  while (depth > 0u) {
    let frame = &frames[depth];
    if (frame.down == all) { count++; depth--; continue; }
    if (frame.free == 0u) { depth--; continue; }
    let next = frame.free & (~frame.free + 1u);
    frame.free ^= next;
    let f = *frame;
    depth++;
    frames[depth] = Frame((f.left | next) << 1u, f.down | next, (f.right | next) >> 1u, 0u);
    let g = &frames[depth];
    (*g).free = all & ~((*g).left | (*g).down | (*g).right);
  }
  ways[first] = count;
}
