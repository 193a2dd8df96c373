// matmul.3-tiled   y[m, n] = Σ_k A[m, k] * B[k, n]   then + bias[n], then + the old y[m, n], where the flags ask for it
// Variant 3, for GPUs, adds two ideas: a workgroup stages tiles of A and B in its memory, so that each value loaded from
// far away is used TILE times, and an invocation keeps 8×8 sums in registers, so that each staged one is used 8 times.
// Twin: matmulReference in src/engine/ops/matmul.ts; k still ascends one by one, whatever M and N are.
//
//   a      [M, K], or [K, M] when TRANSPOSE_A == 1   A[m, k] sits at m*K + k, or at k*M + m
//   b      [K, N], or [N, K] when TRANSPOSE_B == 1   B[k, n] sits at k*N + n, or at n*K + k
//   bias   [N]      read only when BIAS == 1; otherwise any buffer may stand in
//   y      [M, N]   overwritten, or added into when ADD == 1; [Z, M, N] when the grid is Z > 1 deep: each layer sums
//                   its own share of k and matmul.3-finish adds the layers up, so a short wide product fills a GPU too
//
// Workgroup (x, y, z) owns rows y*TILE.. and columns x*TILE.. of layer z. An invocation has 4 + 4 rows and 4 + 4 columns,
// half a tile apart: four 4×4 blocks. Rows and columns past the edge repeat the last one and are not written.

// const TRANSPOSE_A, TRANSPOSE_B, BIAS, ADD: u32, 0 or 1, stand before this text, and
// const TILE: u32, 64 or 128, rows and columns of a tile; DEPTH: u32, values of k staged at once

struct Params { M: u32, N: u32, K: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

const SIDE = TILE / 8;        // invocations along a tile's side
const QUADS = TILE / 4;       // vec4s along it
const PITCH = QUADS + 1;      // one vec4 of padding spreads the rows of k over the memory's banks
const STAGED = QUADS * DEPTH; // vec4s in a tile

var<workgroup> aTile: array<vec4f, DEPTH * PITCH>; // aTile[q*PITCH + i]: A[m0 + 4i .. m0 + 4i + 3, k + q]
var<workgroup> bTile: array<vec4f, DEPTH * PITCH>; // bTile[q*PITCH + i]: B[k + q, n0 + 4i .. n0 + 4i + 3]

// A[m .. m + 3, k], zero from k = end on.
fn loadA(m: u32, k: u32, end: u32) -> vec4f {
  if (k >= end) { return vec4f(); }
  let rows = min(m + vec4u(0u, 1u, 2u, 3u), vec4u(params.M - 1u));
  let at = select(rows * params.K + k, k * params.M + rows, TRANSPOSE_A == 1u);
  return vec4f(a[at.x], a[at.y], a[at.z], a[at.w]);
}

// B[k, n .. n + 3], zero from k = end on.
fn loadB(n: u32, k: u32, end: u32) -> vec4f {
  if (k >= end) { return vec4f(); }
  let columns = min(n + vec4u(0u, 1u, 2u, 3u), vec4u(params.N - 1u));
  let at = select(k * params.N + columns, columns * params.K + k, TRANSPOSE_B == 1u);
  return vec4f(b[at.x], b[at.y], b[at.z], b[at.w]);
}

// Which vec4 of a tile (x: along the side, y: along k) the s-th load takes: neighbours in s are neighbours in memory.
fn slot(s: u32, kIsContiguous: bool) -> vec2u {
  if (kIsContiguous) { return vec2u(s / DEPTH, s % DEPTH); }
  return vec2u(s % QUADS, s / QUADS);
}

// x: four rows of A at one k; w: four columns of B at that k. Column r of the result: row r's four products.
fn outer(x: vec4f, w: vec4f) -> mat4x4f {
  return mat4x4f(x.x * w, x.y * w, x.z * w, x.w * w);
}

fn store(layer: u32, m: u32, n: u32, value: f32) {
  if (m >= params.M || n >= params.N) { return; }
  var sum = value;
  if (BIAS == 1u) { sum += bias[n]; }
  let at = (layer * params.M + m) * params.N + n; // y[layer, m, n]
  if (ADD == 1u) { y[at] += sum; } else { y[at] = sum; }
}

fn storeRow(layer: u32, m: u32, n: u32, row: vec4f) {
  store(layer, m, n, row.x);
  store(layer, m, n + 1u, row.y);
  store(layer, m, n + 2u, row.z);
  store(layer, m, n + 3u, row.w);
}

fn storeBlock(layer: u32, m: u32, n: u32, block: mat4x4f) {
  storeRow(layer, m, n, block[0]);
  storeRow(layer, m + 1u, n, block[1]);
  storeRow(layer, m + 2u, n, block[2]);
  storeRow(layer, m + 3u, n, block[3]);
}

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let m0 = group.y * TILE;
  let n0 = group.x * TILE;
  // This layer's share of k: whole tiles, as even as they go.
  let share = (params.K + groups.z * DEPTH - 1u) / (groups.z * DEPTH) * DEPTH;
  let begin = group.z * share;
  let end = min(begin + share, params.K);

  var topLeft = mat4x4f(); // column r: row m0 + 4*local.y + r of y, columns n0 + 4*local.x ..
  var topRight = mat4x4f();
  var bottomLeft = mat4x4f();
  var bottomRight = mat4x4f();
  for (var k = begin; k < end; k += DEPTH) {
    for (var s = lane; s < STAGED; s += SIDE * SIDE) {
      let i = slot(s, TRANSPOSE_A == 0u);
      aTile[i.y * PITCH + i.x] = loadA(m0 + 4u * i.x, k + i.y, end);
      let j = slot(s, TRANSPOSE_B == 1u);
      bTile[j.y * PITCH + j.x] = loadB(n0 + 4u * j.x, k + j.y, end);
    }
    workgroupBarrier(); // both tiles are staged
    for (var q = 0u; q < DEPTH; q++) {
      let top = aTile[q * PITCH + local.y];
      let bottom = aTile[q * PITCH + SIDE + local.y];
      let left = bTile[q * PITCH + local.x];
      let right = bTile[q * PITCH + SIDE + local.x];
      topLeft += outer(top, left);
      topRight += outer(top, right);
      bottomLeft += outer(bottom, left);
      bottomRight += outer(bottom, right);
    }
    workgroupBarrier(); // all have read the tiles: they may be replaced
  }

  let m = m0 + 4u * local.y;
  let n = n0 + 4u * local.x;
  storeBlock(group.z, m, n, topLeft);
  storeBlock(group.z, m, n + TILE / 2u, topRight);
  storeBlock(group.z, m + TILE / 2u, n, bottomLeft);
  storeBlock(group.z, m + TILE / 2u, n + TILE / 2u, bottomRight);
}
