// A sparse matrix in rows (CSR) times a vector: a row of the workgroup takes a row of the matrix, and adds up in halves.
override LANES = 8u;
override ROWS = 4u;
override CELLS = LANES * ROWS;
struct Sparse { rows: u32, starts: array<u32, 14>, columns: array<u32, 96> }
@group(0) @binding(0) var<storage, read> sparse: Sparse;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
var<workgroup> sums: array<f32, CELLS>;

fn total(row: ptr<workgroup, array<f32, CELLS>>, local: vec3u) {
  let at = local.y * LANES + local.x;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (local.x < half) { (*row)[at] += row[at + half]; }
    workgroupBarrier();
  }
}

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  // A stride over the grid: the number of rounds is the same for all, the last rows are empty.
  for (var first = group.x * ROWS; first < sparse.rows; first += groups.x * ROWS) {
    let row = first + local.y;
    var sum = 0.0;
    if (row < sparse.rows) {
      for (var k = sparse.starts[row] + local.x; k < sparse.starts[row + 1u]; k += LANES) {
        sum = fma(values[k], x[sparse.columns[k]], sum);
      }
    }
    sums[local.y * LANES + local.x] = sum;
    workgroupBarrier();
    total(&sums, local);
    if (local.x == 0u && row < sparse.rows) { y[row] = sums[local.y * LANES]; }
    workgroupBarrier();
  }
}
