// Numbers taken apart and put together: every result is exact.
alias Words = array<u32, 24>;
struct Row { input: vec4f, bits: vec4u }
struct Parts { f: array<f32, 20>, i: array<i32, 12>, u: Words }
@group(0) @binding(0) var<storage, read> rows: array<Row>;
@group(0) @binding(1) var<storage, read_write> parts: array<Parts>;
const SCALE = 3;
const TABLE = array(1, 2.5, SCALE * 2);
const_assert TABLE[2] == 6;

fn kind(x: f32) -> u32 {
  switch u32(abs(x)) % 7 {
    case 0, 1: { return 10u; }
    default: { if (x < 0) { return 11u; } return 12u; }
    case 5: { return 13u; }
    case SCALE: { }
  }
  return 14u;
}

fn floats(x: vec4f, out: ptr<function, array<f32, 20>>) -> vec4i {
  let split = frexp(x);
  let parts = modf(x);
  for (var k = 0; k < 4; k++) {
    out[k] = split.fract[k];
    (*out)[k + 4] = parts.whole[k];
    (*out)[k + 8] = abs(parts.fract[k]); // the sign of a zero is free
    out[k + 12] = ldexp(x[k], split.exp[3 - k] / 4);
  }
  return split.exp;
}

@compute @workgroup_size(2, 2)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = id.y * groups.x * 2u + id.x;
  if (at >= arrayLength(&rows)) { return; }
  let row = rows[at];
  var out: Parts;
  let exponents = floats(row.input, &out.f);
  var m = mat2x4f(row.input, row.input.wzyx);
  m[1] *= f32(TABLE[1]);
  let column = &m[0];
  (*column).y = 0.5;
  m[at & 1].z = -1.0;
  let SCALE = transpose(m)[1]; // another SCALE
  { let SCALE = SCALE.y; out.f[16] = SCALE; }
  out.f[17] = SCALE.x;
  out.f[18] = dot(sign(m[0]), trunc(m[1] / 64.0));
  out.f[19] = quantizeToF16(row.input.x);
  let bits = row.bits;
  out.i[0] = exponents.x; out.i[1] = exponents.w;
  out.i[2] = extractBits(bitcast<i32>(bits.x), 3, 11);
  out.i[3] = insertBits(-1, bitcast<i32>(bits.y), 20, 12);
  out.i[4] = dot4I8Packed(bits.x, bits.y);
  out.i[5] = firstLeadingBit(bitcast<i32>(bits.z));
  let four = unpack4xI8(bits.w);
  out.i[6] = four.x * four.y - four.z * four.w;
  out.i[7] = bitcast<vec2i>(bits.xy).y >> (bits.z & 31);
  out.i[8] = i32(row.input.x) % -7; out.i[9] = bitcast<i32>(bits.x) / (bitcast<i32>(bits.y) | 1);
  out.u[0] = pack4xU8(bits); out.u[1] = pack4xI8Clamp(bitcast<vec4i>(bits)); out.u[2] = pack4xU8Clamp(bits);
  out.u[3] = dot4U8Packed(bits.z, bits.w);
  out.u[4] = extractBits(bits.x, bits.y & 31, 7); out.u[5] = insertBits(bits.x, bits.y, bits.z & 31, 9);
  out.u[6] = countOneBits(bits.x); out.u[7] = countLeadingZeros(bits.y >> 5); out.u[8] = countTrailingZeros(bits.z << 6);
  out.u[9] = reverseBits(bits.w); out.u[10] = kind(row.input.x); out.u[11] = kind(row.input.y);
  let halves = unpack2x16float(bits.x & 0xbbffbbff);
  out.u[12] = pack2x16float(halves.yx);
  out.u[13] = pack4x8unorm(vec4(0.0, 0.5, 1.0, 2.0)); out.u[14] = pack4x8snorm(vec4(-2.0, -1.0, 0.0, 1.0));
  out.u[15] = u32(all(unpack4x8unorm(0xff00ff00) == vec4f(0, 1, 0, 1)));
  out.u[16] = pack2x16unorm(vec2(0.0, 1.0)); out.u[17] = pack2x16snorm(vec2(-1.0, 1.0));
  out.u[18] = bits.x << (bits.y & 31); out.u[19] = dot(bits, bits.wzyx);
  out.u[20] = select(bits, ~bits, bits > bits.yxwz)[at % 4]; out.u[21] = firstTrailingBit(bits.x);
  out.u[22] = u32(row.input.z) & bitcast<u32>(row.input.w); out.u[23] = max(bits.x, min(bits.y, bits.z));
  parts[at] = out;
}
