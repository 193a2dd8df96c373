import { describe, expect, test } from 'vitest';
import { jsMath, RECIPES } from '../../src/wgsl/math.js';

/** Every n-th float32 is tested; MATH_STRIDE=1021 gives the numbers in the comments of the recipes. */
const STRIDE = Number(process.env.MATH_STRIDE ?? 65537);

const word = new DataView(new ArrayBuffer(4));
const PI = Math.PI;

function floatOf(bits: number): number {
  word.setUint32(0, bits);
  return word.getFloat32(0);
}

/** Distance of two float32 at x. */
const ulp = (x: number) => 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(x)))) - 23);
/** Where the results of WGSL may be rounded to zero or anything. */
const isNormal = (x: number) => Math.abs(x) >= 2 ** -126 && Math.abs(x) < 2 ** 127.99999;

/** Float32 of a range, ends and neighbours of the ends included. */
function* floats(from: number, to: number): Generator<number> {
  yield* [from, to, Math.fround((from + to) / 2)];
  for (let bits = 0; bits < 2 ** 32; bits += STRIDE) {
    const x = floatOf(bits);
    if (x >= from && x <= to) yield x;
  }
}

interface Claim {
  readonly exact: (x: number) => number;
  readonly from: number;
  readonly to: number;
  /** what the docstring says */
  readonly worst: { readonly ulp: number } | { readonly absolute: number };
  /** absolute error that WGSL allows; where it inherits an error from a formula, that formula is ours */
  readonly allowed?: (x: number, exact: number) => number;
}

const BIG = 3.4028234663852886e38;
const expError = (x: number, exact: number) => (3 + 2 * Math.abs(x)) * ulp(exact);
const logError = (x: number, exact: number) => (x >= 0.5 && x <= 2 ? 2 ** -21 : 3 * ulp(exact));
const turn = () => 2 ** -11;

const CLAIMS: readonly (readonly [string, Claim])[] = [
  ['exp', { exact: Math.exp, from: -104, to: 88.72, worst: { ulp: 0.94 }, allowed: expError }],
  ['exp2', { exact: (x) => 2 ** x, from: -150, to: 127.99, worst: { ulp: 1.13 }, allowed: expError }],
  ['log', { exact: Math.log, from: 2 ** -149, to: BIG, worst: { ulp: 0.77 }, allowed: logError }],
  ['log2', { exact: Math.log2, from: 2 ** -149, to: BIG, worst: { ulp: 1.21 }, allowed: logError }],
  ['sin', { exact: Math.sin, from: -PI, to: PI, worst: { absolute: 7.6e-8 }, allowed: turn }],
  ['cos', { exact: Math.cos, from: -PI, to: PI, worst: { absolute: 7.6e-8 }, allowed: turn }],
  ['sin', { exact: Math.sin, from: -8192, to: 8192, worst: { absolute: 1.3e-7 } }],
  ['cos', { exact: Math.cos, from: -8192, to: 8192, worst: { absolute: 1.3e-7 } }],
  ['tan', { exact: Math.tan, from: -1.5, to: 1.5, worst: { ulp: 3.2 } }],
  ['asin', { exact: Math.asin, from: -1, to: 1, worst: { ulp: 2.3 }, allowed: () => 6.77e-5 }],
  ['acos', { exact: Math.acos, from: -1, to: 1, worst: { absolute: 3.3e-7 }, allowed: () => 6.77e-5 }],
  ['atan', { exact: Math.atan, from: -BIG, to: BIG, worst: { ulp: 2.8 }, allowed: (_, y) => 4096 * ulp(y) }],
  ['sinh', { exact: Math.sinh, from: 1, to: 88, worst: { ulp: 2 } }],
  ['sinh', { exact: Math.sinh, from: -88, to: -1, worst: { ulp: 2 } }],
  ['sinh', { exact: Math.sinh, from: -1, to: 1, worst: { absolute: 1.5e-7 } }],
  ['cosh', { exact: Math.cosh, from: -88, to: 88, worst: { ulp: 1.5 } }],
  ['tanh', { exact: Math.tanh, from: -BIG, to: BIG, worst: { ulp: 1.25 }, allowed: () => 1e-5 }],
  ['asinh', { exact: Math.asinh, from: -1e18, to: 1e18, worst: { absolute: 2e-6 } }],
  ['acosh', { exact: Math.acosh, from: 1, to: 1e18, worst: { absolute: 2e-6 } }],
  ['atanh', { exact: Math.atanh, from: -0.99999994, to: 0.99999994, worst: { absolute: 2.8e-7 } }],
];

describe('worst errors are those in the comments of the recipes, and within the bounds of WGSL', () => {
  test.each(CLAIMS)('%s', (name, { exact, from, to, worst, allowed }) => {
    let [most, at] = [0, 0];
    for (const given of floats(from, to)) {
      const x = Math.fround(given);
      const wanted = exact(x);
      if (!isNormal(wanted)) continue;
      const error = Math.abs(jsMath(name, x) - wanted);
      if (allowed !== undefined && !(error <= allowed(x, wanted))) {
        expect.fail(`${name}(${x}) is ${jsMath(name, x)}; WGSL allows ${allowed(x, wanted)} from ${wanted}`);
      }
      const scaled = 'ulp' in worst ? error / ulp(wanted) : error;
      if (!(scaled <= most)) [most, at] = [scaled, x];
    }
    expect(most, `worst at ${at}`).toBeLessThanOrEqual('ulp' in worst ? worst.ulp : worst.absolute);
    // A docstring that promises too little is wrong as well.
    expect(most, `worst at ${at}`).toBeGreaterThan(0.4 * ('ulp' in worst ? worst.ulp : worst.absolute));
  });

  test('atan2: all quadrants', () => {
    let most = 0;
    for (let i = 0; i < 20_000; i++) {
      const [x, y] = [((i * 7919) % 9973) / 9973, ((i * 104729) % 9949) / 9949].map((t) =>
        Math.fround(2 ** (6 * t - 3)),
      );
      for (const [a, b] of [
        [y!, x!],
        [y!, -x!],
        [-y!, x!],
        [-y!, -x!],
      ] as const) {
        const wanted = Math.atan2(a, b);
        if (!isNormal(wanted) || !isNormal(a / b)) continue;
        most = Math.max(most, Math.abs(jsMath('atan2', a, b) - wanted) / ulp(wanted));
      }
    }
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  test('pow: as far off as 2^(y log2 x) may be', () => {
    let most = 0;
    for (let i = 1; i < 30_000; i++) {
      const x = Math.fround(2 ** ((((i * 37) % 4001) / 4001) * 40 - 20));
      const y = Math.fround((((i * 101) % 3001) / 3001) * 12 - 6);
      const wanted = x ** y;
      if (!isNormal(wanted)) continue;
      const power = y * Math.log2(x);
      // log2 is off by 3 ulp, or by 2^-21; the product rounds once more; and exp2 adds its own.
      const inner = Math.abs(y) * Math.max(2 ** -21, 3 * ulp(Math.log2(x))) + ulp(power);
      const allowed = wanted * Math.LN2 * inner * 1.01 + (3 + 2 * Math.abs(power)) * ulp(wanted);
      const error = Math.abs(jsMath('pow', x, y) - wanted);
      if (error > allowed)
        expect.fail(`pow(${x}, ${y}) is ${jsMath('pow', x, y)}; WGSL allows ${allowed} from ${wanted}`);
      most = Math.max(most, error / wanted);
    }
    expect(most).toBeGreaterThan(0);
  });
});

describe('edges', () => {
  const { POSITIVE_INFINITY: INF, NaN: NAN } = Number;
  test.each([
    [
      'exp',
      [
        [0, 1],
        [-0, 1],
        [INF, INF],
        [-INF, 0],
        [89, INF],
        [-104, 0],
        [2 ** -149, 1],
      ],
    ],
    [
      'exp2',
      [
        [0, 1],
        [INF, INF],
        [-INF, 0],
        [128, INF],
        [-149, 2 ** -149],
        [-126, 2 ** -126],
        [10, 1024],
        [-151, 0],
      ],
    ],
    [
      'log',
      [
        [1, 0],
        [0, -INF],
        [-0, -INF],
        [INF, INF],
        [2 ** -149, Math.fround(Math.log(2 ** -149))],
      ],
    ],
    [
      'log2',
      [
        [1, 0],
        [0, -INF],
        [INF, INF],
        [8, 3],
        [2 ** -149, -149],
        [2 ** 127, 127],
      ],
    ],
    [
      'sin',
      [
        [0, 0],
        [-0, -0],
        [2 ** -149, 2 ** -149],
      ],
    ],
    [
      'cos',
      [
        [0, 1],
        [-0, 1],
        [2 ** -149, 1],
      ],
    ],
    [
      'tan',
      [
        [0, 0],
        [-0, -0],
      ],
    ],
    [
      'asin',
      [
        [0, 0],
        [-0, -0],
        [1, Math.fround(PI / 2)],
        [-1, Math.fround(-PI / 2)],
      ],
    ],
    [
      'acos',
      [
        [1, 0],
        [0, Math.fround(PI / 2)],
        [-1, Math.fround(PI)],
      ],
    ],
    [
      'atan',
      [
        [0, 0],
        [-0, -0],
        [INF, Math.fround(PI / 2)],
        [-INF, Math.fround(-PI / 2)],
        [2 ** -149, 2 ** -149],
      ],
    ],
    [
      'sinh',
      [
        [0, 0],
        [INF, INF],
        [-INF, -INF],
      ],
    ],
    [
      'cosh',
      [
        [0, 1],
        [INF, INF],
        [-INF, INF],
      ],
    ],
    [
      'tanh',
      [
        [0, 0],
        [INF, 1],
        [-INF, -1],
        [50, 1],
        [-50, -1],
        [2 ** -149, 2 ** -149],
      ],
    ],
    [
      'asinh',
      [
        [0, 0],
        [-0, -0],
        [INF, INF],
        [-INF, -INF],
      ],
    ],
    [
      'acosh',
      [
        [1, 0],
        [INF, INF],
      ],
    ],
    [
      'atanh',
      [
        [0, 0],
        [1, INF],
        [-1, -INF],
      ],
    ],
  ] as const)('%s', (name, pairs) => {
    for (const [x, y] of pairs) expect(jsMath(name, x), `${name}(${x})`).toBe(y);
    expect(jsMath(name, NAN), `${name}(NaN)`).toBeNaN();
  });

  test('outside of the domain: NaN', () => {
    for (const name of ['log', 'log2', 'asin', 'acos', 'acosh', 'atanh']) expect(jsMath(name, -2), name).toBeNaN();
    for (const name of ['sin', 'cos', 'tan']) {
      expect(jsMath(name, Number.POSITIVE_INFINITY), name).toBeNaN();
      expect(jsMath(name, Number.NEGATIVE_INFINITY), name).toBeNaN();
    }
  });

  test('sine and cosine of large angles stay within [-1, 1]', () => {
    for (const x of floats(8192, BIG)) {
      const [sine, cosine] = [jsMath('sin', x), jsMath('cos', -x)];
      if (!(Math.abs(sine) <= 1 && Math.abs(cosine) <= 1)) expect.fail(`of ${x}: sine ${sine}, cosine ${cosine}`);
    }
    expect(jsMath('sin', 1e30)).not.toBeNaN();
  });

  test('atan2 and pow', () => {
    const half = Math.fround(PI / 2);
    const whole = Math.fround(PI);
    for (const [y, x, angle] of [
      [0, 1, 0],
      [-0, 1, -0],
      [0, -1, whole],
      [-0, -1, -whole],
      [1, 0, half],
      [-1, 0, -half],
      [0, 0, 0],
      [INF, 1, half],
      [1, -INF, whole],
    ] as const) {
      expect(jsMath('atan2', y, x), `atan2(${y}, ${x})`).toBe(angle);
    }
    for (const [x, y, power] of [
      [2, 10, 1024],
      [4, 0.5, 2],
      [0, 2, 0],
      [0, -1, INF],
      [INF, 2, INF],
      [INF, -2, 0],
      [7, 0, 1],
      [1, 1e30, 1],
    ] as const) {
      expect(jsMath('pow', x, y), `pow(${x}, ${y})`).toBe(power);
    }
    expect(jsMath('pow', -1, 3)).toBeNaN();
  });

  test('every recipe is covered', () => {
    const covered = new Set([...CLAIMS.map(([name]) => name), 'atan2', 'pow']);
    expect(Object.keys(RECIPES).filter((name) => !covered.has(name))).toEqual([]);
  });
});
