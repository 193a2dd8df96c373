// Global alignment of two sequences with affine gaps, an anti-diagonal at a time, three tables in one; then the way back.
const LENGTH = 24u;
const SIDE = LENGTH + 1;
const NONE = -1000;
const OPEN = -5;
const EXTEND = -1;
struct Cell { best: i32, gap: vec2i }
struct Pair { lengths: vec2u, symbols: array<array<u32, LENGTH / 4>, 2> }
@group(0) @binding(0) var<storage, read> pairs: array<Pair>;
@group(0) @binding(1) var<storage, read_write> scores: array<i32>;
@group(0) @binding(2) var<storage, read_write> ways: array<array<u32, 2 * LENGTH>>;
var<workgroup> table: array<array<Cell, SIDE>, SIDE>;

fn symbol(side: u32, pair: u32, i: u32) -> u32 { return extractBits(pairs[pair].symbols[side][i / 4], (i % 4) * 8, 8); }

fn similarity(pair: u32, i: u32, j: u32) -> i32 { return select(-2, 3, symbol(0, pair, i) == symbol(1, pair, j)); }

fn fill(pair: u32, i: u32, j: u32) {
  var cell = Cell(NONE, vec2i(NONE));
  if (i > 0) { cell.gap.x = max(table[i - 1][j].best + OPEN, table[i - 1][j].gap.x) + EXTEND; }
  if (j > 0) { cell.gap.y = max(table[i][j - 1].best + OPEN, table[i][j - 1].gap.y) + EXTEND; }
  cell.best = max(cell.gap.x, cell.gap.y);
  if (i > 0 && j > 0) { cell.best = max(cell.best, table[i - 1][j - 1].best + similarity(pair, i - 1, j - 1)); }
  if (i + j == 0) { cell.best = 0; }
  table[i][j] = cell;
}

@compute @workgroup_size(SIDE)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u) {
  let pair = group.x;
  let lengths = pairs[pair].lengths;
  for (var diagonal = 0u; diagonal <= lengths.x + lengths.y; diagonal++) {
    let j = diagonal - i;
    if (i <= lengths.x && i <= diagonal && j <= lengths.y) { fill(pair, i, j); }
    workgroupBarrier();
  }
  if (i != 0) { return; }
  var at = lengths;
  var gap = 0u; // 0: in no gap
  var count = 0u;
  while (any(at > vec2())) {
    let cell = &table[at.x][at.y];
    if (gap == 0) {
      if (all(at > vec2()) && cell.best == table[at.x - 1][at.y - 1].best + similarity(pair, at.x - 1, at.y - 1)) {
        ways[pair][count] = 1 + u32(symbol(0, pair, at.x - 1) == symbol(1, pair, at.y - 1));
        count++;
        at -= 1u;
        continue;
      }
      gap = select(2u, 1u, cell.best == cell.gap.x);
    }
    ways[pair][count] = 2 + gap;
    count++;
    let old = select(cell.gap.y, cell.gap.x, gap == 1);
    at[gap - 1]--;
    if (old != select(table[at.x][at.y].gap.y, table[at.x][at.y].gap.x, gap == 1) + EXTEND) { gap = 0; }
  }
  scores[pair] = table[lengths.x][lengths.y].best;
}
