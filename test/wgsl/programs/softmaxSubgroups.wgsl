// Rows normalised by subgroups, then by the workgroup.
enable subgroups;
diagnostic(off, subgroup_uniformity);
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> width: u32;
var<workgroup> partial: array<f32, 64>;
fn combine(value: f32, isMax: bool, lane: u32, group: u32, groups: u32) -> f32 {
  let own = select(subgroupAdd(value), subgroupMax(value), isMax);
  workgroupBarrier();
  if (lane == 0u) { partial[group] = own; }
  workgroupBarrier();
  var all = partial[0];
  for (var i = 1u; i < groups; i++) { all = select(all + partial[i], max(all, partial[i]), isMax); }
  return all;
}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) row: vec3u, @builtin(local_invocation_index) t: u32, @builtin(subgroup_invocation_id) lane: u32,
        @builtin(subgroup_size) size: u32) {
  let group = t / size;
  let groups = (64u + size - 1u) / size;
  var most = -3.4e38;
  for (var i = t; i < width; i += 64u) { most = max(most, x[row.x * width + i]); }
  most = combine(most, true, lane, group, groups);
  var sum = 0.0;
  for (var i = t; i < width; i += 64u) { sum += exp(x[row.x * width + i] - most); }
  sum = combine(sum, false, lane, group, groups);
  for (var i = t; i < width; i += 64u) { y[row.x * width + i] = exp(x[row.x * width + i] - most) / sum; }
}
