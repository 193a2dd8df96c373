// hslFeatures.forward   the 27 channels of each byte (35 with raw bits), each the float32 nearest to its exact value
// Substrate: hsl-embedding by Jinhyun Woo; src/substrate/README.md. Twin: hslFeaturesReference in src/engine/ops/hslFeatures.ts
//
//   ids      [N]               u32; 256 (MASK) and 257 (EOS) are not bytes: their rows are zero
//   table    [256, 18]         value columns: dxor 0-7, Fourier 8-15, phase 16-17. Bits of float32, copied as they are
//   context  [44]              boundary by numerator: 0..27 over 18, then from 28 on 0..15 over 10. Bits of float32
//   wave     [65, 2]           2^44 sin(pi j / 128) in two words, for the scaled phase (MOMENTUM_PHASE)
//   y        [N, CHANNELS]     as bits of float32: integers throughout, so that no rounding depends on the driver
//
// Rows come in sequences of L. The first byte of a sequence, and a byte after a row that is not a byte, starts a new
// run: its predecessor is the anchor, a virtual 0x00 with no bits. No channel depends on a division, a sine or a cosine
// of the GPU.
//
// One invocation per byte. Workgroups: ceil(N / WORKGROUP), folded over y past 65535.
// const INCLUDE_BITS, MOMENTUM_PHASE, HSL_PHASE: u32, 0 or 1, precede this text; HSL_PHASE is 1 for HSL's own table

struct Params { N: u32, L: u32, columns0: u32, columns1: u32 } // columns: bit c is 1 where column c is kept, else zero

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read> context: array<u32>;
@group(0) @binding(4) var<storage, read> wave: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<u32>;

const ONE = 0x3f800000u; // 1.0
const BITS = 8u * INCLUDE_BITS;  // columns before dxor
const CHANNELS = 27u + BITS;
const FIRST_BYTE = 28u;  // where the five-bit window's values start in `context`

// Bits of the float32 nearest sin(pi j / 128) * m / 512 for j = 0..64, by integers only: the product is rounded once.
fn scaledSine(j: u32, m: u32) -> u32 {
  let product = wave[2u * j] * m + ((wave[2u * j + 1u] * m) >> 22u); // the 2^44-fold value over 2^22, at most 2^31
  if (product == 0u) { return 0u; }
  let top = firstLeadingBit(product); // its leading bit, worth 2^(top - 31)
  let drop = top - 23u;
  let mantissa = (product + (1u << (drop - 1u))) >> drop; // 24 bits, rounded half up; an exact half cannot occur
  // The mantissa's leading 1 adds one to the exponent field below it; rounded up to 2^24 it adds one more.
  return ((top + 95u) << 23u) + mantissa; // 95 = 126 - 31
}

// The same for cos(2 pi v / 256) * m / 512, v = 0..255, folded into the first quarter of the circle.
fn scaledCosine(v: u32, m: u32) -> u32 {
  let half = v & 127u;                           // cos(x + pi) = -cos(x)
  let negative = (v >= 128u) != (half > 64u);    // and cos(pi - x) = -cos(x)
  let bits = scaledSine(select(64u - half, half - 64u, half > 64u), m); // cos(x) = sin(pi/2 - x)
  return bits | select(0u, 0x80000000u, negative && bits != 0u);
}

// Bits of the float32 nearest x * m / 512 where `bits` are those of x: a control's table holds any number. m is 256..511.
fn scaled(bits: u32, m: u32) -> u32 {
  var e = (bits >> 23u) & 255u;
  if (e == 255u) { return bits; } // infinite or not a number: unchanged
  let significand = (bits & 0x7fffffu) | select(0u, 0x800000u, e > 0u); // a subnormal has no leading 1
  e = max(e, 1u);
  // significand * m = whole * 512 + part takes 33 bits, so it is multiplied in two parts.
  let low = (significand & 511u) * m;
  var whole = (significand >> 9u) * m + (low >> 9u);
  var part = low & 511u;
  if (whole < 0x800000u && e > 1u) { // the leading bit has moved down by one
    e -= 1u;
    whole = 2u * whole + (part >> 8u);
    part = (2u * part) & 511u;
  }
  if (part > 256u || (part == 256u && (whole & 1u) == 1u)) { whole += 1u; } // ties to even
  return (bits & 0x80000000u) | (((e - 1u) << 23u) + whole); // a leading 1 adds one to the exponent field, as above
}

fn isByte(n: u32) -> bool { return ids[n] < 256u; }

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = (group.x + group.y * 65535u) * WORKGROUP + lane;
  if (n >= params.N) { return; }
  let to = n * CHANNELS; // y[n, 0]
  if (!isByte(n)) {
    for (var c = 0u; c < CHANNELS; c++) { y[to + c] = 0u; }
    return;
  }
  let v = ids[n];
  let dxor = v ^ (v >> 1u); // Gray code; bit i counted from the top is dxor_i
  var previous = 0u;        // the anchor
  if (n % params.L > 0u) { if (isByte(n - 1u)) { previous = ids[n - 1u]; } }
  let starts = n % params.L == 0u || !isByte(n - 1u); // || stops at n = 0
  let dxorBefore = previous ^ (previous >> 1u);
  let d2xor = dxor ^ dxorBefore;

  // Boundary: 2 dxor + d2xor over the first five positions of this byte, and over the last four of the previous byte.
  var numerator = 2u * countOneBits(dxor >> 3u) + countOneBits(d2xor >> 3u);
  if (starts) {
    numerator += FIRST_BYTE;
  } else {
    var dxorTwoBefore = 0u; // dxor of the byte two back, for the d2xor of the previous byte
    if ((n - 1u) % params.L > 0u) {
      if (isByte(n - 2u)) { dxorTwoBefore = ids[n - 2u] ^ (ids[n - 2u] >> 1u); }
    }
    numerator += 2u * countOneBits(dxorBefore & 15u) + countOneBits((dxorBefore ^ dxorTwoBefore) & 15u);
  }

  let m = 256u + u32(abs(i32(v) - i32(previous))); // momentum: r = m / 512
  for (var c = 0u; c < CHANNELS; c++) {
    var bits = 0u;
    if (c < BITS) {
      bits = ((v >> (7u - c)) & 1u) * ONE;                // bit0..7
    } else {
      let k = c - BITS;                                   // column among the 27
      if (k < 8u) {
        bits = table[v * 18u + k];                        // dxor
      } else if (k < 16u) {
        bits = ((d2xor >> (15u - k)) & 1u) * ONE;         // d2xor
      } else if (k == 16u) {
        bits = context[numerator];                        // boundary
      } else if (k < 25u || MOMENTUM_PHASE == 0u) {
        bits = table[v * 18u + k - 9u];                   // Fourier 17-24 and phase 25-26 are entries 8-17
      } else if (HSL_PHASE == 1u) {
        bits = scaledCosine((v + select(0u, 192u, k == 26u)) & 255u, m); // sin(x) = cos(x - pi/2)
      } else {
        bits = scaled(table[v * 18u + k - 9u], m);
      }
    }
    let kept = select((params.columns0 >> c) & 1u, (params.columns1 >> (c - 32u)) & 1u, c >= 32u);
    y[to + c] = bits * kept;
  }
}
