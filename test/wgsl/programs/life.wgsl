// Conway's game of life on a torus: each workgroup loads its tile with a border of one cell, then plays ROUNDS rounds of which only
// the cells that the border still reaches are right; the inner tile is stored.
override WIDTH: u32 = 8;
override HEIGHT: u32 = 4;
override ROUNDS: u32 = 1;
const BORDER = 2u;

struct Board { size: vec2u, cells: array<u32> }
@group(0) @binding(0) var<storage, read> before: Board;
@group(0) @binding(1) var<storage, read_write> after: Board;
var<workgroup> tiles: array<u32, 2 * (WIDTH + 2 * BORDER) * (HEIGHT + 2 * BORDER)>;

// In one of the two tiles.
fn place(tile: u32, at: vec2u) -> u32 {
  return (tile * (HEIGHT + 2u * BORDER) + at.y) * (WIDTH + 2u * BORDER) + at.x;
}

fn wrapped(at: vec2i) -> u32 {
  let size = vec2i(before.size);
  let inside = (at % size + size) % size;
  return u32(inside.y * size.x + inside.x);
}

fn next(source: u32, at: vec2u) -> u32 {
  var neighbours = 0u;
  for (var dy = 0u; dy < 3u; dy++) {
    for (var dx = 0u; dx < 3u; dx++) {
      if (dx == 1u && dy == 1u) { continue; }
      neighbours += tiles[place(source, at + vec2(dx, dy) - 1u)];
    }
  }
  switch neighbours {
    case 3u: { return 1u; }
    default: { return 0u; }
    case 2u: { return tiles[place(source, at)]; }
  }
}

@compute @workgroup_size(WIDTH, HEIGHT)
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u) {
  let tile = vec2u(WIDTH, HEIGHT) + 2u * BORDER;
  let corner = vec2i(group.xy * vec2u(WIDTH, HEIGHT)) - i32(BORDER);
  for (var y = local.y; y < tile.y; y += HEIGHT) {
    for (var x = local.x; x < tile.x; x += WIDTH) {
      tiles[place(0u, vec2(x, y))] = before.cells[wrapped(corner + vec2i(vec2(x, y)))];
    }
  }
  workgroupBarrier();
  for (var round = 0u; round < min(ROUNDS, BORDER); round++) {
    let source = round & 1u;
    for (var y = 1u + local.y; y + 1u < tile.y; y += HEIGHT) {
      for (var x = 1u + local.x; x + 1u < tile.x; x += WIDTH) {
        tiles[place(1u - source, vec2(x, y))] = next(source, vec2(x, y));
      }
    }
    workgroupBarrier();
  }
  let at = group.xy * vec2u(WIDTH, HEIGHT) + local.xy;
  if (any(at >= before.size)) { return; }
  after.cells[at.y * before.size.x + at.x] = tiles[place(min(ROUNDS, BORDER) & 1u, local.xy + BORDER)];
}
