// gpu/matmul.tiled   y[m, n] = Σ_k A[m, k] * B[k, n]   then + bias[n], then + the old y[m, n], if their flags are set
// For GPUs; adds three ideas: a workgroup stages tiles of A and B in its memory, so that each value loaded from global
// memory is used up to 128 times; an invocation keeps 8×8 sums in registers, so that each staged one is used 8 times;
// and the next tiles are loaded while the current ones are multiplied. Twin: matmulReference in
// src/engine/ops/matmul.ts; k still ascends one by one within a layer, for all M and N.
//
//   a      [M, K], or [K, M] when TRANSPOSE_A == 1   A[m, k] sits at m*K + k, or at k*M + m
//   b      [K, N], or [N, K] when TRANSPOSE_B == 1   B[k, n] sits at k*N + n, or at n*K + k
//   bias   [N]      read only when BIAS == 1; otherwise any buffer is bound
//   y      [M, N]   overwritten, or added into when ADD == 1; [Z, M, N] when the grid is Z > 1 deep: each layer sums
//                   its own share of k and gpu/matmul.finish adds the layers, so a short wide product fills a GPU too
//
// Workgroup (x, y, z) owns rows y*ROWS.. and columns x*COLUMNS.. of layer z. An invocation has 4 + 4 rows and 4 + 4 columns,
// half a tile apart: four 4×4 blocks. Rows and columns past the edge repeat the last ones and are not written.
// ALIGNED == 1 means that M, N and K are multiples of 4: four consecutive numbers are then one load or store.

// const TRANSPOSE_A, TRANSPOSE_B, BIAS, ADD, ALIGNED: u32, 0 or 1, precede this text, and
// const ROWS, COLUMNS: u32, 64 or 128, the size of a tile of y

struct Params { M: u32, N: u32, K: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

const DEPTH = 8u;                // values of k staged at once
const A_PITCH = ROWS / 4u + 1u;  // vec4s from one k to the next: one of padding spreads them over the memory's banks
const B_PITCH = COLUMNS / 4u + 1u;
const A_BLOCKS = ROWS / 4u * (DEPTH / 4u); // 4×4 blocks in a tile of A; each is staged by a different invocation
const B_BLOCKS = COLUMNS / 4u * (DEPTH / 4u);

var<workgroup> aTile: array<vec4f, DEPTH * A_PITCH>; // aTile[q*A_PITCH + i]: A[m0 + 4i .. m0 + 4i + 3, k + q]
var<workgroup> bTile: array<vec4f, DEPTH * B_PITCH>; // bTile[q*B_PITCH + i]: B[k + q, n0 + 4i .. n0 + 4i + 3]

// Four numbers of a at row*pitch + column. The index is written as a multiple of 4, so that a compiler can make one
// load of them.
fn fourOfA(row: u32, column: u32, pitch: u32) -> vec4f {
  let at = (row * (pitch / 4u) + column / 4u) * 4u;
  return vec4f(a[at], a[at + 1u], a[at + 2u], a[at + 3u]);
}
fn fourOfB(row: u32, column: u32, pitch: u32) -> vec4f {
  let at = (row * (pitch / 4u) + column / 4u) * 4u;
  return vec4f(b[at], b[at + 1u], b[at + 2u], b[at + 3u]);
}

// A[m .. m + 3, k] one by one, zero from k = end on.
fn columnOfA(m: u32, k: u32, end: u32) -> vec4f {
  if (k >= end) { return vec4f(); }
  let rows = min(m + vec4u(0u, 1u, 2u, 3u), vec4u(params.M - 1u));
  let at = select(rows * params.K + k, k * params.M + rows, TRANSPOSE_A == 1u);
  return vec4f(a[at.x], a[at.y], a[at.z], a[at.w]);
}
// B[k, n .. n + 3] likewise.
fn rowOfB(k: u32, n: u32, end: u32) -> vec4f {
  if (k >= end) { return vec4f(); }
  let columns = min(n + vec4u(0u, 1u, 2u, 3u), vec4u(params.N - 1u));
  let at = select(k * params.N + columns, columns * params.K + k, TRANSPOSE_B == 1u);
  return vec4f(b[at.x], b[at.y], b[at.z], b[at.w]);
}

// A[m .. m + 3, k .. k + 3], zero from k = end on; column i of the block: k + i.
fn blockOfA(m: u32, k: u32, end: u32) -> mat4x4f {
  if (k >= end) { return mat4x4f(); }
  if (ALIGNED == 0u) {
    return mat4x4f(columnOfA(m, k, end), columnOfA(m, k + 1u, end), columnOfA(m, k + 2u, end), columnOfA(m, k + 3u, end));
  }
  let i = min(m, params.M - 4u);
  if (TRANSPOSE_A == 1u) {
    let M = params.M;
    return mat4x4f(fourOfA(k, i, M), fourOfA(k + 1u, i, M), fourOfA(k + 2u, i, M), fourOfA(k + 3u, i, M));
  }
  let K = params.K;
  return transpose(mat4x4f(fourOfA(i, k, K), fourOfA(i + 1u, k, K), fourOfA(i + 2u, k, K), fourOfA(i + 3u, k, K)));
}
// B[k .. k + 3, n .. n + 3] likewise.
fn blockOfB(n: u32, k: u32, end: u32) -> mat4x4f {
  if (k >= end) { return mat4x4f(); }
  if (ALIGNED == 0u) {
    return mat4x4f(rowOfB(k, n, end), rowOfB(k + 1u, n, end), rowOfB(k + 2u, n, end), rowOfB(k + 3u, n, end));
  }
  let i = min(n, params.N - 4u);
  if (TRANSPOSE_B == 0u) {
    let N = params.N;
    return mat4x4f(fourOfB(k, i, N), fourOfB(k + 1u, i, N), fourOfB(k + 2u, i, N), fourOfB(k + 3u, i, N));
  }
  let K = params.K;
  return transpose(mat4x4f(fourOfB(i, k, K), fourOfB(i + 1u, k, K), fourOfB(i + 2u, k, K), fourOfB(i + 3u, k, K)));
}

// The s-th block of a tile, x along its side and y along k: neighbours in s are neighbours in memory.
fn place(s: u32, side: u32, kIsContiguous: bool) -> vec2u {
  if (kIsContiguous) { return vec2u(s / (DEPTH / 4u), s % (DEPTH / 4u)); }
  return vec2u(s % (side / 4u), s / (side / 4u));
}

// The block that an invocation stages, of the tiles that start at (m0, k) and (k, n0). The last invocations may have none.
fn fetch(lane: u32, m0: u32, n0: u32, k: u32, end: u32) -> mat4x4f {
  if (lane < A_BLOCKS) {
    let i = place(lane, ROWS, TRANSPOSE_A == 0u);
    return blockOfA(m0 + 4u * i.x, k + 4u * i.y, end);
  }
  let j = place(lane - A_BLOCKS, COLUMNS, TRANSPOSE_B == 1u);
  if (lane >= A_BLOCKS + B_BLOCKS) { return mat4x4f(); }
  return blockOfB(n0 + 4u * j.x, k + 4u * j.y, end);
}

fn stage(lane: u32, block: mat4x4f) {
  if (lane < A_BLOCKS) {
    let i = place(lane, ROWS, TRANSPOSE_A == 0u);
    let at = 4u * i.y * A_PITCH + i.x;
    aTile[at] = block[0];
    aTile[at + A_PITCH] = block[1];
    aTile[at + 2u * A_PITCH] = block[2];
    aTile[at + 3u * A_PITCH] = block[3];
  } else if (lane < A_BLOCKS + B_BLOCKS) {
    let j = place(lane - A_BLOCKS, COLUMNS, TRANSPOSE_B == 1u);
    let at = 4u * j.y * B_PITCH + j.x;
    bTile[at] = block[0];
    bTile[at + B_PITCH] = block[1];
    bTile[at + 2u * B_PITCH] = block[2];
    bTile[at + 3u * B_PITCH] = block[3];
  }
}

// x: four rows of A at one k; w: four columns of B at that k. Column r of the result: row r's four products.
fn outer(x: vec4f, w: vec4f) -> mat4x4f {
  return mat4x4f(x.x * w, x.y * w, x.z * w, x.w * w);
}

fn fourOfBias(n: u32) -> vec4f {
  if (BIAS == 0u) { return vec4f(); }
  if (ALIGNED == 1u) {
    let at = min(n, params.N - 4u) / 4u * 4u;
    return vec4f(bias[at], bias[at + 1u], bias[at + 2u], bias[at + 3u]);
  }
  let at = min(n + vec4u(0u, 1u, 2u, 3u), vec4u(params.N - 1u));
  return vec4f(bias[at.x], bias[at.y], bias[at.z], bias[at.w]);
}

fn storeRow(layer: u32, m: u32, n: u32, sum: vec4f) {
  if (m >= params.M || n >= params.N) { return; }
  let row = layer * params.M + m;
  if (ALIGNED == 1u) {
    let at = (row * (params.N / 4u) + n / 4u) * 4u; // y[layer, m, n]
    var value = sum;
    if (ADD == 1u) { value += vec4f(y[at], y[at + 1u], y[at + 2u], y[at + 3u]); }
    y[at] = value.x;
    y[at + 1u] = value.y;
    y[at + 2u] = value.z;
    y[at + 3u] = value.w;
    return;
  }
  for (var i = 0u; i < min(4u, params.N - n); i++) {
    let at = row * params.N + n + i;
    if (ADD == 1u) { y[at] += sum[i]; } else { y[at] = sum[i]; }
  }
}

fn storeBlock(layer: u32, m: u32, n: u32, block: mat4x4f, four: vec4f) {
  storeRow(layer, m, n, block[0] + four);
  storeRow(layer, m + 1u, n, block[1] + four);
  storeRow(layer, m + 2u, n, block[2] + four);
  storeRow(layer, m + 3u, n, block[3] + four);
}

@compute @workgroup_size(COLUMNS / 8, ROWS / 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let m0 = group.y * ROWS;
  let n0 = group.x * COLUMNS;
  // This layer's share of k: whole tiles, distributed evenly.
  let share = (params.K + groups.z * DEPTH - 1u) / (groups.z * DEPTH) * DEPTH;
  let begin = group.z * share;
  let end = min(begin + share, params.K);

  var topLeft = mat4x4f(); // column r: row m0 + 4*local.y + r of y, columns n0 + 4*local.x ..
  var topRight = mat4x4f();
  var bottomLeft = mat4x4f();
  var bottomRight = mat4x4f();
  var fetched = fetch(lane, m0, n0, begin, end);
  for (var k = begin; k < end; k += DEPTH) {
    stage(lane, fetched);
    workgroupBarrier(); // both tiles are staged
    fetched = fetch(lane, m0, n0, k + DEPTH, end); // arrives while the current tiles are multiplied
    for (var q = 0u; q < DEPTH; q++) {
      let top = aTile[q * A_PITCH + local.y];
      let bottom = aTile[q * A_PITCH + ROWS / 8u + local.y];
      let left = bTile[q * B_PITCH + local.x];
      let right = bTile[q * B_PITCH + COLUMNS / 8u + local.x];
      topLeft += outer(top, left);
      topRight += outer(top, right);
      bottomLeft += outer(bottom, left);
      bottomRight += outer(bottom, right);
    }
    workgroupBarrier(); // all have read the tiles: they may be overwritten
  }

  let m = m0 + 4u * local.y;
  let n = n0 + 4u * local.x;
  let biasLeft = fourOfBias(n);
  let biasRight = fourOfBias(n + COLUMNS / 2u);
  storeBlock(group.z, m, n, topLeft, biasLeft);
  storeBlock(group.z, m, n + COLUMNS / 2u, topRight, biasRight);
  storeBlock(group.z, m + ROWS / 2u, n, bottomLeft, biasLeft);
  storeBlock(group.z, m + ROWS / 2u, n + COLUMNS / 2u, bottomRight, biasRight);
}
