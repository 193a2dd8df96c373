// LU factorisation with the largest pivot of each column: a workgroup per matrix, a square of invocations; then one invocation solves.
override N: u32 = 4;
struct Problem { rows: array<array<f32, 9>, 9>, b: array<f32, 9> }
struct Solution { x: array<f32, 9>, pivots: array<u32, 9>, determinant: f32 }
@group(0) @binding(0) var<storage, read> problems: array<Problem>;
@group(0) @binding(1) var<storage, read_write> solutions: array<Solution>;

var<workgroup> matrix: array<array<f32, 9>, 9>;
var<workgroup> order: array<u32, 9>;
var<workgroup> sign: f32;

fn exchange(place: ptr<workgroup, f32>, value: f32) -> f32 { let old = *place; *place = value; return old; }

fn pivot(column: u32) -> u32 {
  var best = column;
  for (var row = column + 1u; row < N; row++) {
    if (abs(matrix[row][column]) > abs(matrix[best][column])) { best = row; }
  }
  return best;
}

fn substitute(b: ptr<function, array<f32, 9>>) {
  for (var row = 1u; row < N; row++) {
    for (var k = 0u; k < row; k++) { (*b)[row] -= matrix[row][k] * (*b)[k]; }
  }
  for (var row = i32(N) - 1; row >= 0; row--) {
    for (var k = u32(row) + 1u; k < N; k++) { b[row] -= matrix[row][k] * b[k]; }
    b[row] /= matrix[row][row];
  }
}

@compute @workgroup_size(N, N)
fn main(@builtin(local_invocation_id) at: vec3u, @builtin(workgroup_id) group: vec3u) {
  let problem = &problems[group.x];
  matrix[at.y][at.x] = (*problem).rows[at.y][at.x];
  if (at.y == 0u) { order[at.x] = at.x; }
  if (all(at.xy == vec2u())) { sign = 1.0; }
  workgroupBarrier();
  for (var k = 0u; k < N; k++) {
    let chosen = pivot(k);
    workgroupBarrier();
    if (chosen != k && at.y == 0u) {
      matrix[k][at.x] = exchange(&matrix[chosen][at.x], matrix[k][at.x]);
      if (at.x == 0u) {
        let old = order[k];
        order[k] = order[chosen];
        order[chosen] = old;
        sign = -sign;
      }
    }
    workgroupBarrier();
    if (at.x == k && at.y > k) { matrix[at.y][k] /= matrix[k][k]; }
    workgroupBarrier();
    if (at.x > k && at.y > k) { matrix[at.y][at.x] -= matrix[at.y][k] * matrix[k][at.x]; }
    workgroupBarrier();
  }
  if (at.x + at.y > 0u) { return; }
  var x: array<f32, 9>;
  var determinant = sign;
  for (var i = 0u; i < N; i++) {
    x[i] = problem.b[order[i]];
    determinant *= matrix[i][i];
  }
  substitute(&x);
  solutions[group.x] = Solution(x, order, determinant);
}
