// Operands, indices and pointers are evaluated from left to right, also where a later one changes what an earlier one reads.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> uniforms: array<u32>;
@group(0) @binding(2) var<storage, read_write> calls: array<u32>;

var<workgroup> tile: array<u32, 16>;
var<workgroup> n: u32;
var<workgroup> chosen: array<u32, 4>;

fn bump(p: ptr<function, u32>) -> u32 {
  *p += 1u;
  return *p;
}

fn choose(i: u32) -> u32 {
  if (i == 15u) { chosen[0] = 9u; }
  return 0u;
}

struct Row { cells: array<u32, 4> }

@compute @workgroup_size(16) fn main(@builtin(local_invocation_index) i: u32) {
  tile[i] = x[i];
  if (i == 0u) { n = 5u; }
  workgroupBarrier();
  let sum = tile[15u - i] + workgroupUniformLoad(&n);
  tile[i] = 1000u + i;
  workgroupBarrier();
  let pair = vec2u(tile[15u - i], workgroupUniformLoad(&n));
  tile[i] = 2000u + i;
  workgroupBarrier();
  let least = min(tile[15u - i], workgroupUniformLoad(&n) * 1000u);
  tile[i] = i;
  workgroupBarrier();
  uniforms[4u * tile[15u - i]] = workgroupUniformLoad(&n) + sum;
  tile[i] = 3000u;
  uniforms[4u * i + 1u] = pair.x * pair.y;
  uniforms[4u * i + 2u] = least;
  uniforms[4u * i + 3u] = workgroupUniformLoad(&chosen[choose(i)]);
  if (i > 0u) { return; }

  var rows = array(array(1u, 2u, 3u, 4u), array(5u, 6u, 7u, 8u), array(9u, 10u, 11u, 12u));
  var k = 0u;
  calls[0] = rows[k][bump(&k)];
  k = 0u;
  rows[k][bump(&k)] = 20u;
  k = 0u;
  rows[k][bump(&k)] += 100u;
  k = 1u;
  rows[k][bump(&k)]++;
  k = 0u;
  let third = &rows[k][bump(&k) + 1u];
  *third = 30u;
  for (var j = 0u; j < 12u; j++) { calls[j + 1u] = rows[j / 4u][j % 4u]; }
  var table = array<Row, 2>(Row(array(1u, 2u, 3u, 4u)), Row(array(5u, 6u, 7u, 8u)));
  k = 0u;
  calls[13] = table[k].cells[bump(&k)];
  var vectors = array(vec3u(1u, 2u, 3u), vec3u(4u, 5u, 6u));
  k = 0u;
  calls[14] = vectors[k][bump(&k)];
}
