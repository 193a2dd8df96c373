// Indices of invocations and workgroups in a grid of three axes, and conversions of numbers that do not fit.
@group(0) @binding(0) var<storage, read_write> places: array<u32>;
@group(0) @binding(1) var<storage, read_write> groups: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> signed: array<i32>;
@group(0) @binding(4) var<storage, read_write> unsigned: array<u32>;

@compute @workgroup_size(3, 2, 2) fn main(
  @builtin(global_invocation_index) index: u32,
  @builtin(workgroup_index) group: u32,
  @builtin(local_invocation_index) local: u32,
  @builtin(global_invocation_id) id: vec3u,
) {
  places[index] = id.x + 10u * id.y + 100u * id.z;
  groups[index] = group * 100u + local;
  if (index < arrayLength(&x)) {
    signed[index] = i32(x[index]);
    unsigned[index] = u32(x[index]);
    let pair = vec2f(x[index], -x[index]);
    signed[index + arrayLength(&x)] = vec2i(pair).y;
    unsigned[index + arrayLength(&x)] = vec2u(pair).y;
  }
}
