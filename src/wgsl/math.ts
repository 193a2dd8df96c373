/** `exp`, `log`, `tanh`, `sin` and similar functions as float32 polynomials, each written once.
 *
 * A recipe is written over an abstract `Arithmetic`. The interpreter runs it on numbers that are rounded after every operation; the
 * compiler runs it on expressions, and so writes the same operations into WebAssembly. Both give the same bits by construction, on
 * every machine. The comment of each recipe gives its worst error against float64, measured over every 1021st float32 and
 * checked by test/wgsl/math.test.ts; `ulp` is the distance of two float32 at the exact result. WGSL's bounds are in chapter
 * 15.7.4 of its specification.
 *
 * Range reductions and polynomials: Cephes, by Stephen Moshier (single precision: expf, logf, sinf, tanhf, asinf, atanf).
 */

/** Operations on 32-bit values; `V` is a value and `M` the outcome of a comparison. */
export interface Arithmetic<V, M> {
  f32(value: number): V;
  i32(value: number): V;
  add(a: V, b: V): V;
  sub(a: V, b: V): V;
  mul(a: V, b: V): V;
  div(a: V, b: V): V;
  sqrt(a: V): V;
  abs(a: V): V;
  /** to the nearest whole number, halves to even */
  nearest(a: V): V;
  /** `b < a ? b : a` */
  min(a: V, b: V): V;
  /** `a < b ? b : a` */
  max(a: V, b: V): V;
  /** to an i32, truncated and saturated */
  toInt(a: V): V;
  /** of an i32 */
  toFloat(a: V): V;
  /** the bits of a float as an i32, and back */
  asInt(a: V): V;
  asFloat(a: V): V;
  addInt(a: V, b: V): V;
  subInt(a: V, b: V): V;
  and(a: V, b: V): V;
  or(a: V, b: V): V;
  shl(a: V, bits: number): V;
  /** arithmetic */
  shr(a: V, bits: number): V;
  lt(a: V, b: V): M;
  eq(a: V, b: V): M;
  eqInt(a: V, b: V): M;
  /** `condition ? yes : no`, both already computed */
  select(condition: M, yes: V, no: V): V;
}

const LN2_HIGH = 0.693359375; // 355/512: n * LN2_HIGH is exact for |n| < 2^15
const LN2_LOW = -2.1219444e-4;
const LOG2_E = Math.LOG2E;
const SIGN = 0x80000000 | 0;

/** One function with a recipe: its number of arguments, and the recipe. */
interface Recipe {
  readonly parameters: 1 | 2;
  build<V, M>(a: Arithmetic<V, M>, x: V, y: V): V;
}

/** `((c0 * x + c1) * x + c2) * x …` */
function polynomial<V, M>(a: Arithmetic<V, M>, x: V, coefficients: readonly number[]): V {
  const [first, ...rest] = coefficients;
  return rest.reduce((sum, c) => a.add(a.mul(sum, x), a.f32(c)), a.f32(first!));
}

/** `y * 2^n`, in two steps so that results below and above the normal range are correct. n from -250 to 250. */
function scale<V, M>(a: Arithmetic<V, M>, y: V, n: V): V {
  const half = a.shr(n, 1);
  const power = (k: V) => a.asFloat(a.shl(a.addInt(k, a.i32(127)), 23));
  return a.mul(a.mul(y, power(half)), power(a.subInt(n, half)));
}

/** e^x. Worst: 0.94 ulp. */
function exp<V, M>(a: Arithmetic<V, M>, given: V): V {
  const x = a.min(a.max(given, a.f32(-104)), a.f32(89)); // beyond: 0 and infinity by the scaling
  const n = a.nearest(a.mul(x, a.f32(LOG2_E)));
  const r = a.sub(a.sub(x, a.mul(n, a.f32(LN2_HIGH))), a.mul(n, a.f32(LN2_LOW))); // |r| ≤ ln 2 / 2
  const p = polynomial(
    a,
    r,
    [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1],
  );
  const y = a.add(a.add(a.mul(p, a.mul(r, r)), r), a.f32(1));
  return scale(a, y, a.toInt(n));
}

/** 2^x. Worst: 1.13 ulp. */
function exp2<V, M>(a: Arithmetic<V, M>, given: V): V {
  const x = a.min(a.max(given, a.f32(-151)), a.f32(129));
  const n = a.nearest(x);
  const r = a.sub(x, n);
  const y = polynomial(
    a,
    r,
    [
      1.5353361883195e-4, 1.339887440266574e-3, 9.61843735767464e-3, 5.550332471162809e-2, 2.402264791363012e-1,
      6.931472028550421e-1, 1,
    ],
  );
  return scale(a, y, a.toInt(n));
}

/** x = m * 2^e with m from √½ to √2: m - 1, e as a float, and the polynomial part of log(m) that follows m - 1. */
function splitLog<V, M>(a: Arithmetic<V, M>, x: V): { m: V; e: V; tail: V } {
  const tiny = a.lt(x, a.f32(2 ** -126));
  const normal = a.select(tiny, a.mul(x, a.f32(2 ** 23)), x);
  const bits = a.asInt(normal);
  // Counting the exponent from √½'s bits puts m between √½ and √2.
  const root = a.i32(0x3f3504f3);
  const steps = a.shr(a.subInt(bits, root), 23);
  const m = a.sub(a.asFloat(a.subInt(bits, a.shl(steps, 23))), a.f32(1));
  const e = a.sub(a.toFloat(steps), a.select(tiny, a.f32(23), a.f32(0)));
  const p = polynomial(
    a,
    m,
    [
      7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
      2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    ],
  );
  return { m, e, tail: a.mul(a.mul(p, m), a.mul(m, m)) };
}

/** log outside the range of the polynomial: -∞ at 0, NaN below, ∞ at ∞, NaN at NaN. */
function edgesOfLog<V, M>(a: Arithmetic<V, M>, x: V, y: V): V {
  const above = a.select(a.lt(x, a.f32(Number.POSITIVE_INFINITY)), y, x);
  const negative = a.select(a.lt(x, a.f32(0)), a.asFloat(a.i32(0x7fc00000)), above);
  return a.select(a.eq(x, a.f32(0)), a.f32(Number.NEGATIVE_INFINITY), negative);
}

/** Natural logarithm. Worst: 0.77 ulp. */
function log<V, M>(a: Arithmetic<V, M>, x: V): V {
  const { m, e, tail } = splitLog(a, x);
  const low = a.sub(a.add(tail, a.mul(e, a.f32(LN2_LOW))), a.mul(a.f32(0.5), a.mul(m, m)));
  return edgesOfLog(a, x, a.add(a.add(m, low), a.mul(e, a.f32(LN2_HIGH))));
}

/** Logarithm to base 2. Worst: 1.21 ulp. */
function log2<V, M>(a: Arithmetic<V, M>, x: V): V {
  const { m, e, tail } = splitLog(a, x);
  const y = a.sub(tail, a.mul(a.f32(0.5), a.mul(m, m)));
  const over = a.f32(LOG2_E - 1); // log2(e) = 1 + over: the 1 is added exactly
  const sum = a.add(a.add(a.add(a.mul(y, over), a.mul(m, over)), y), m);
  return edgesOfLog(a, x, a.add(sum, e));
}

/** x^y = 2^(y log2 x), as WGSL defines its error; x^0 = 1. */
function pow<V, M>(a: Arithmetic<V, M>, x: V, y: V): V {
  return a.select(a.eq(y, a.f32(0)), a.f32(1), exp2(a, a.mul(y, log2(a, x))));
}

/** |x| with the sign of `of`. */
function withSign<V, M>(a: Arithmetic<V, M>, magnitude: V, of: V): V {
  return a.asFloat(a.or(a.asInt(magnitude), a.and(a.asInt(of), a.i32(SIGN))));
}

/** Worst: 1.25 ulp. Near 0 a polynomial keeps the digits that 1 - 2 / (e^2x + 1) would lose. */
function tanh<V, M>(a: Arithmetic<V, M>, x: V): V {
  const size = a.abs(x);
  const z = a.mul(x, x);
  const p = polynomial(
    a,
    z,
    [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1],
  );
  const near = a.add(a.mul(a.mul(p, z), x), x);
  const far = a.sub(a.f32(1), a.div(a.f32(2), a.add(exp(a, a.add(size, size)), a.f32(1))));
  return a.select(a.lt(size, a.f32(0.625)), near, withSign(a, far, x));
}

/** Sine and cosine of |x|, and its octant: |x| = r + octant * π/4, octant even. Digits fade beyond |x| = 8192. */
function reduceAngle<V, M>(a: Arithmetic<V, M>, x: V): { sine: V; cosine: V; octant: V } {
  const size = a.abs(x);
  const floor = a.toInt(a.min(a.mul(size, a.f32(4 / Math.PI)), a.f32(1e9)));
  const octant = a.and(a.addInt(floor, a.i32(1)), a.i32(-2));
  const n = a.toFloat(octant);
  // π/4 in three parts, so that the first products are exact.
  const reduced = a.sub(
    a.sub(a.sub(size, a.mul(n, a.f32(0.78515625))), a.mul(n, a.f32(2.4187564849853516e-4))),
    a.mul(n, a.f32(3.77489497744594e-8)),
  );
  // beyond π/4 only if |x| is large: sine and cosine stay in [-1, 1]
  const r = a.max(a.min(reduced, a.f32(1)), a.f32(-1));
  const z = a.mul(r, r);
  const sine = a.add(a.mul(a.mul(polynomial(a, z, [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]), z), r), r);
  const cosine = a.add(
    a.sub(
      a.mul(polynomial(a, z, [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]), a.mul(z, z)),
      a.mul(a.f32(0.5), z),
    ),
    a.f32(1),
  );
  return { sine, cosine, octant };
}

/** Worst: 7.6e-8 absolute on [-π, π], 1.3e-7 on [-8192, 8192]. */
function sin<V, M>(a: Arithmetic<V, M>, x: V): V {
  const { sine, cosine, octant } = reduceAngle(a, x);
  const turned = a.eqInt(a.and(octant, a.i32(2)), a.i32(0));
  const value = a.select(turned, sine, cosine);
  // Octants 4 to 7 are the lower half of the circle; sin(-x) = -sin(x).
  const sign = a.shl(a.and(octant, a.i32(4)), 29);
  const flipped = xorSign(a, xorSign(a, value, sign), a.and(a.asInt(x), a.i32(SIGN)));
  return nanOutside(a, x, flipped);
}

/** Worst: 7.6e-8 absolute on [-π, π], 1.3e-7 on [-8192, 8192]. */
function cos<V, M>(a: Arithmetic<V, M>, x: V): V {
  const { sine, cosine, octant } = reduceAngle(a, x);
  const turned = a.eqInt(a.and(octant, a.i32(2)), a.i32(0));
  const value = a.select(turned, cosine, sine);
  // Negative in octants 2 to 5, where bit 2 of octant + 2 is set.
  const sign = a.shl(a.and(a.addInt(octant, a.i32(2)), a.i32(4)), 29);
  return nanOutside(a, x, xorSign(a, value, sign));
}

/**
 * Flips the sign where `sign` is the sign bit. Bit 31 added to bit 31 overflows away: the addition acts as exclusive
 * or.
 */
function xorSign<V, M>(a: Arithmetic<V, M>, value: V, sign: V): V {
  return a.asFloat(a.addInt(a.asInt(value), sign));
}

/** NaN for infinite x and NaN. */
function nanOutside<V, M>(a: Arithmetic<V, M>, x: V, y: V): V {
  const nothing = a.asFloat(a.i32(0x7fc00000));
  return a.select(a.lt(a.abs(x), a.f32(Number.POSITIVE_INFINITY)), y, nothing);
}

/** sin / cos. Worst: 3.2 ulp on [-1.5, 1.5]. */
function tan<V, M>(a: Arithmetic<V, M>, x: V): V {
  return a.div(sin(a, x), cos(a, x));
}

/** Worst: 2.3 ulp. */
function asin<V, M>(a: Arithmetic<V, M>, x: V): V {
  const size = a.abs(x);
  const outer = a.lt(a.f32(0.5), size);
  const half = a.mul(a.f32(0.5), a.sub(a.f32(1), size));
  const z = a.select(outer, half, a.mul(size, size));
  const s = a.select(outer, a.sqrt(half), size);
  const p = polynomial(a, z, [4.2163199048e-2, 2.4181311049e-2, 4.5470025998e-2, 7.4953002686e-2, 1.6666752422e-1]);
  const y = a.add(a.mul(a.mul(p, z), s), s);
  return withSign(a, a.select(outer, a.sub(a.f32(Math.PI / 2), a.add(y, y)), y), x);
}

/** π/2 - asin x. Worst: 3.3e-7 absolute. */
function acos<V, M>(a: Arithmetic<V, M>, x: V): V {
  return a.sub(a.f32(Math.PI / 2), asin(a, x));
}

/** Worst: 2.8 ulp. */
function atan<V, M>(a: Arithmetic<V, M>, x: V): V {
  const size = a.abs(x);
  const steep = a.lt(a.f32(2.414213562373095), size);
  const middle = a.lt(a.f32(0.414213562373095), size);
  const inner = a.select(middle, a.div(a.sub(size, a.f32(1)), a.add(size, a.f32(1))), size);
  const r = a.select(steep, a.div(a.f32(-1), size), inner);
  const from = a.select(steep, a.f32(Math.PI / 2), a.select(middle, a.f32(Math.PI / 4), a.f32(0)));
  const z = a.mul(r, r);
  const p = polynomial(a, z, [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1]);
  return withSign(a, a.add(from, a.add(a.mul(a.mul(p, z), r), r)), x);
}

/** The angle of (x, y), from -π to π. Worst: 4 ulp. */
function atan2<V, M>(a: Arithmetic<V, M>, y: V, x: V): V {
  const angle = atan(a, a.div(y, x));
  const zero = a.eq(x, a.f32(0));
  const half = withSign(a, a.f32(Math.PI / 2), y);
  const upright = a.select(a.eq(y, a.f32(0)), y, half);
  const behind = a.add(angle, withSign(a, a.f32(Math.PI), y));
  return a.select(zero, upright, a.select(a.lt(x, a.f32(0)), behind, angle));
}

/** (e^x - e^-x) / 2: the digits that cancel near 0 are lost. Worst: 2 ulp from |x| = 1 on, 1.5e-7 absolute below. */
function sinh<V, M>(a: Arithmetic<V, M>, x: V): V {
  return a.mul(a.sub(exp(a, x), exp(a, a.sub(a.f32(0), x))), a.f32(0.5));
}

/** (e^x + e^-x) / 2. Worst: 1.5 ulp. */
function cosh<V, M>(a: Arithmetic<V, M>, x: V): V {
  return a.mul(a.add(exp(a, x), exp(a, a.sub(a.f32(0), x))), a.f32(0.5));
}

/** log(x + √(x² + 1)). Worst: 2e-6 absolute up to |x| = 1e18; infinite if x² is. */
function asinh<V, M>(a: Arithmetic<V, M>, x: V): V {
  const size = a.abs(x);
  return withSign(a, log(a, a.add(size, a.sqrt(a.add(a.mul(x, x), a.f32(1))))), x);
}

/** log(x + √(x² - 1)). Worst: 2e-6 absolute up to x = 1e18; infinite if x² is. */
function acosh<V, M>(a: Arithmetic<V, M>, x: V): V {
  return log(a, a.add(x, a.sqrt(a.sub(a.mul(x, x), a.f32(1)))));
}

/** log((1 + x) / (1 - x)) / 2. Worst: 2.8e-7 absolute. */
function atanh<V, M>(a: Arithmetic<V, M>, x: V): V {
  return a.mul(log(a, a.div(a.add(a.f32(1), x), a.sub(a.f32(1), x))), a.f32(0.5));
}

const of = (build: <V, M>(a: Arithmetic<V, M>, x: V, y: V) => V, parameters: 1 | 2 = 1): Recipe => ({
  build,
  parameters,
});

/** By the name of the WGSL function. */
export const RECIPES: Readonly<Record<string, Recipe>> = {
  exp: of(exp),
  exp2: of(exp2),
  log: of(log),
  log2: of(log2),
  pow: of(pow, 2),
  tanh: of(tanh),
  sin: of(sin),
  cos: of(cos),
  tan: of(tan),
  asin: of(asin),
  acos: of(acos),
  atan: of(atan),
  atan2: of(atan2, 2),
  sinh: of(sinh),
  cosh: of(cosh),
  asinh: of(asinh),
  acosh: of(acosh),
  atanh: of(atanh),
};

const word = new DataView(new ArrayBuffer(4));

/** Numbers in JavaScript, rounded to float32 after every operation. */
export const NUMBERS: Arithmetic<number, boolean> = {
  f32: Math.fround,
  i32: (value) => value | 0,
  add: (a, b) => Math.fround(a + b),
  sub: (a, b) => Math.fround(a - b),
  mul: (a, b) => Math.fround(a * b),
  div: (a, b) => Math.fround(a / b),
  sqrt: (a) => Math.fround(Math.sqrt(a)),
  abs: Math.abs,
  nearest: roundHalfEven,
  // Like WebAssembly's pmin and pmax; Math.min and Math.max differ if a is NaN.
  // biome-ignore lint/complexity/useMathMinMax: see above
  min: (a, b) => (b < a ? b : a),
  // biome-ignore lint/complexity/useMathMinMax: see above
  max: (a, b) => (a < b ? b : a),
  toInt: (a) => (Number.isNaN(a) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(a)))) | 0,
  toFloat: Math.fround,
  asInt: (a) => {
    word.setFloat32(0, a);
    return word.getInt32(0);
  },
  asFloat: (a) => {
    word.setInt32(0, a);
    return word.getFloat32(0);
  },
  addInt: (a, b) => (a + b) | 0,
  subInt: (a, b) => (a - b) | 0,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  shl: (a, bits) => a << bits,
  shr: (a, bits) => a >> bits,
  lt: (a, b) => a < b,
  eq: (a, b) => a === b,
  eqInt: (a, b) => a === b,
  select: (condition, yes, no) => (condition ? yes : no),
};

/** roundHalfEven(2.5) // 2; keeps the sign of zero, as IEEE 754's roundToIntegralTiesToEven */
export function roundHalfEven(x: number): number {
  if (Math.abs(x) >= 2 ** 23 || Number.isNaN(x)) return x;
  const down = Math.floor(x);
  const part = x - down;
  const rounded = part < 0.5 ? down : part > 0.5 ? down + 1 : down % 2 === 0 ? down : down + 1;
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
}

/** jsMath('exp', 1) // 2.7182817459106445 */
export function jsMath(name: string, x: number, y = 0): number {
  const recipe = RECIPES[name];
  if (recipe === undefined) throw new Error(`no recipe for ${name}`);
  return recipe.build(NUMBERS, Math.fround(x), Math.fround(y));
}
