// The Mandelbrot set in fixed point, so that every pixel is exact: 24 bits after the point, products from 16-bit parts.
override LIMIT: i32 = 64;
const POINT = 24u;
const ONE: i32 = 1 << POINT;
const SIDE = vec2u(21, 13);
@group(0) @binding(0) var<storage, read_write> rounds: array<array<i32, SIDE.x>, SIDE.y>;
@group(0) @binding(1) var<storage, read_write> periods: array<i32>;

fn multiply(a: i32, b: i32) -> i32 {
  let m = vec2u(abs(vec2(a, b)));
  let low = m & vec2(0xffffu);
  let high = m >> vec2(16u);
  let middle = high.x * low.y + low.x * high.y + ((low.x * low.y) >> 16u);
  let magnitude = i32(((high.x * high.y) << (32u - POINT)) + (middle >> (POINT - 16u)));
  return select(magnitude, -magnitude, (a < 0) != (b < 0));
}

fn square(z: vec2i) -> vec2i { return vec2(multiply(z.x, z.x) - multiply(z.y, z.y), 2 * multiply(z.x, z.y)); }

@compute @workgroup_size(4, 3)
fn main(@builtin(global_invocation_id) at: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let c = vec2(-2 * ONE, -ONE) + vec2i(at.xy) * vec2(3 * ONE, 2 * ONE) / vec2i(SIDE - 1);
  var z = vec2i();
  var slow = z;
  var period = 0;
  var i = 0;
  loop {
    if (i == LIMIT) { break; }
    z = square(z) + c;
    if (multiply(z.x, z.x) + multiply(z.y, z.y) > 4 * ONE) { break; }
    if (all(z == slow)) {
      period = i;
      continue;
    }
    if ((i & (i + 1)) == 0) { slow = z; }
    continuing {
      i += select(1, LIMIT - i, period > 0);
    }
  }
  if (any(at.xy >= SIDE)) { return; }
  rounds[at.y][at.x] = i;
  periods[at.y * SIDE.x + at.x] = period - i32(local.y) * 1000;
}
