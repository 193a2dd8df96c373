import { describe, expect, test } from 'vitest';
import { interpret, type Memories, runOnDawn, type WgslRun } from '../support/wgsl.js';

// Programs whose bits WGSL pins, or leaves to choices that the driver of the tests makes as we do: the interpreter and
// Dawn
// give the same bits. Values that can be computed by hand are checked too.

const HEADER = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
`;
const ENTRY = '@compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u)';

interface Example {
  readonly name: string;
  readonly text: string;
  /** what y starts with, where it is known by heart */
  readonly gives?: readonly number[];
  readonly options?: WgslRun;
}

const x = Float32Array.from({ length: 16 }, (_, i) => Math.fround((i - 6) * 0.75));
const ZEROS = () => new Float32Array(32);

const EXAMPLES: readonly Example[] = [
  {
    name: 'continue in a switch in a loop goes to continuing',
    text: `${HEADER} ${ENTRY} {
      let i = id.x;
      var sum = 0.0;
      for (var k = 0u; k < 6u; k++) {
        switch (k) {
          case 1u, 2u: { continue; }
          case 4u: { break; }
          default: { sum += f32(k) * 10.0; }
        }
        sum += 1.0;
      }
      y[i] = sum + x[i] * 0.0;
    }`,
    gives: [84, 84], // k = 0, 3, 5 add 0 + 30 + 50, and k = 0, 3, 4, 5 add 1
  },
  {
    name: 'break if sees what the body and continuing declare',
    text: `${HEADER} ${ENTRY} {
      var n = 0u;
      loop {
        let twice = n * 2u;
        if (twice == 6u) { n += 10u; continue; }
        continuing {
          n += 1u;
          let limit = 19u + id.x;
          break if twice + n > limit;
        }
      }
      y[id.x] = f32(n) + x[id.x] * 0.0;
    }`,
    gives: [14, 15],
  },
  {
    name: 'an early return of a function called in a branch',
    text: `${HEADER}
    fn clipped(v: f32) -> f32 {
      if (v < 0.0) { return -1.0; }
      for (var k = 0; k < 3; k++) { if (v < f32(k)) { return f32(k); } }
      return 100.0;
    }
    ${ENTRY} {
      let i = id.x;
      if (i % 2u == 0u) { y[i] = clipped(x[i]); } else { y[i] = 7.0; }
      y[i] += 0.5;
    }`,
    gives: [-0.5, 7.5, -0.5, 7.5, -0.5, 7.5, 1.5, 7.5],
  },
  {
    name: 'pointers to variables and to their elements as parameters',
    text: `${HEADER}
    fn bump(p: ptr<function, f32>, by: f32) -> f32 { *p += by; return *p; }
    fn fill(p: ptr<function, array<f32, 4>>, base: f32) { for (var k = 0; k < 4; k++) { (*p)[k] = base + f32(k); } }
    ${ENTRY} {
      var a: array<f32, 4>;
      fill(&a, x[id.x]);
      var total = a[1];
      let q = &a[id.x % 4u];
      *q = *q * 2.0;
      total += bump(&total, a[3]) + bump(&total, a[id.x % 4u]);
      y[id.x] = total;
    }`,
  },
  {
    name: 'short-circuit leaves the right side out, & does not',
    text: `${HEADER}
    var<private> calls: u32;
    fn count(value: bool) -> bool { calls += 1u; return value; }
    ${ENTRY} {
      let positive = x[id.x] > 0.0;
      if (positive && count(true)) { calls += 10u; }
      if (positive || count(false)) { calls += 100u; }
      if (count(false) & count(true)) { calls += 1000u; }
      y[id.x] = f32(calls);
    }`,
    gives: [3, 3, 3, 3, 3, 3, 3, 113],
  },
  {
    name: 'arrays of structs of arrays and vectors, copied as values',
    text: `${HEADER}
    struct Inner { v: vec3f, n: u32, list: array<vec2f, 2> }
    struct Outer { inner: array<Inner, 2>, m: mat2x3f }
    var<workgroup> shared_: array<Outer, 2>;
    ${ENTRY} {
      var o: Outer;
      let i = id.x;
      o.inner[i % 2u].v = vec3f(x[i], 2.0, 3.0);
      o.inner[1].list[i % 2u].y = 5.0 + x[i];
      o.m[1][i % 3u] = x[i];
      let copy = o;
      o.inner[0].v.x = 99.0;
      o.inner[1] = copy.inner[i % 2u];
      if (i == 0u) { shared_[1] = o; }
      workgroupBarrier();
      y[i] = copy.inner[0].v.x + o.inner[1].v.x * 2.0 + o.inner[1].list[1].y + copy.m[1][i % 3u];
      y[i + 8u] = shared_[1].inner[0].v.x + shared_[1].m[1].x + shared_[0].inner[1].v.z;
    }`,
  },
  {
    name: 'matrices: products, columns, transpose, determinant',
    text: `${HEADER} ${ENTRY} {
      let a = x[id.x];
      let m = mat2x3f(1.0, a, 3.0, 4.0, 5.0, a * 0.5);
      let n = mat3x2f(vec2f(a, 1.0), vec2f(2.0, 0.25), vec2f(-1.0, a));
      let v = m * vec2f(a, 2.0);
      let w = vec3f(1.0, a, 2.0) * m;
      let p = n * m;
      let q = (m + m) * 0.5 - 2.0 * m;
      let t = transpose(m);
      y[id.x] = v.x + v.y + v.z;
      y[id.x + 8u] = w.x + w.y;
      y[id.x + 16u] = determinant(p) + p[0][1] + p[1].x;
      y[id.x + 24u] = q[1].z + t[2][0] + f32(all(t[0] == vec2f(1.0, 4.0)));
    }`,
  },
  {
    name: 'indices out of bounds take the last element',
    text: `${HEADER} ${ENTRY} {
      var a = array<f32, 3>(1.0, 2.0, 3.0);
      var v = vec4f(1.0, 2.0, 3.0, 4.0);
      let i = id.x;
      let j = i32(i) - 2;
      a[i] += 10.0;
      v[j] = 9.0;
      y[i] = a[2] * 100.0 + v[3] * 10.0 + a[j] + v[i];
      y[i + 8u] = x[i + 12u];
    }`,
  },
  {
    name: 'private variables are initialised again, lets shadow, compound assignments',
    text: `${HEADER}
    var<private> seed: u32 = 5u;
    var<private> table: array<i32, 3> = array<i32, 3>(1, -2, 3);
    ${ENTRY} {
      let i = id.x;
      seed += i; seed *= 3u; seed ^= 0xffu; seed <<= 2u; seed >>= 1u; seed %= 1000u; seed |= 1u; seed &= 0xfffu;
      table[i % 3u] -= 4; table[1] /= 2;
      var k = 1;
      { let k = 10; table[0] += k; }
      k++; k--; k -= 3;
      y[i] = f32(seed);
      y[i + 8u] = f32(table[0] * 10000 + table[1] * 100 + table[2] + k) + x[i] * 0.0;
    }`,
  },
  {
    name: 'workgroup memory and barriers: a tree of sums, workgroup by workgroup',
    text: `${HEADER}
    var<workgroup> sums: array<f32, 8>;
    var<workgroup> flag: u32;
    @compute @workgroup_size(4, 2) fn main(
      @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) i: u32,
      @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
    ) {
      let at = (group.y * groups.x + group.x) * 8u + i;
      sums[i] = x[at % 16u];
      if (i == 3u) { flag = group.x + 1u; }
      for (var half = 4u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (i < half) { sums[i] += sums[i + half]; }
      }
      let seen = workgroupUniformLoad(&flag);
      y[at] = sums[0] + f32(seen) * 1000.0 + f32(local.y * 4u + local.x - i);
    }`,
    options: { workgroups: [2, 2, 1] },
  },
  {
    name: 'workgroup memory is zero at the start of every workgroup',
    text: `${HEADER}
    var<workgroup> w: array<f32, 8>;
    @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u) {
      y[group.x * 8u + i] = w[i] + abs(x[i]) * 0.0;
      workgroupBarrier();
      w[7u - i] = 5.0;
    }`,
    gives: new Array(24).fill(0),
    options: { workgroups: [3, 1, 1] },
  },
  {
    name: 'integers wrap and divide as pinned',
    text: `${HEADER} ${ENTRY} {
      let i = id.x;
      let a = i32(x[i]) * 715827883;
      let b = u32(i) * 2863311531u;
      let zero = i - id.x;
      y[i] = bitcast<f32>((a * a + a / (i32(i) - 3)) & 0x7effffff);
      y[i + 8u] = bitcast<f32>((b % (b >> 7u) + b / (zero + 3u)) & 0x7effffffu);
      y[i + 16u] = f32(a % 1000) + f32(b >> (i + 30u)) + f32(a >> (i + 30u));
      y[i + 24u] = f32(7 / i32(zero)) + f32(7u % zero) + f32((-2147483647 - 1 + i32(zero)) / (i32(zero) - 1));
    }`,
  },
  {
    name: 'conversions and bits of floats',
    text: `${HEADER} ${ENTRY} {
      let i = id.x;
      y[i] = f32(i32(x[i])) + f32(u32(max(x[i], 0.0))) + f32(bool(x[i])) + f32(i > 3u);
      y[i + 8u] = bitcast<f32>(bitcast<u32>(x[i]) ^ 0x80000000u);
      y[i + 16u] = f32(u32(i32(i) - 4)) + f32(bitcast<i32>(i * 0x30000000u));
      let v = vec4i(vec4f(x[i], x[i + 1u], 2.5, -2.5));
      y[i + 24u] = f32(v.x) + f32(v.y * 10) + f32(v.z * 100 + v.wzyx.x);
    }`,
  },
  {
    name: 'floats are rounded after every operation',
    text: `${HEADER} ${ENTRY} {
      let i = id.x;
      var s = 0.1;
      for (var k = 0u; k < 50u + i; k++) { s = s * 1.0001 + x[k % 16u] / 3.0; s -= s * s * 0.001; }
      y[i] = s;
      y[i + 8u] = x[i] % 1.3;
      y[i + 16u] = fract(x[i]) + floor(x[i]) * 3.0 + ceil(x[i] * 1.1) + trunc(x[i]) + round(x[i] * 2.0);
      y[i + 24u] = sqrt(abs(x[i])) + dot(vec3f(x[i], 0.1, 0.2), vec3f(0.3, x[i + 1u], 0.7));
    }`,
  },
];

const bitsOf = (numbers: ArrayLike<number>) => Array.from(new Uint32Array(Float32Array.from(numbers).buffer));

describe.each(EXAMPLES)('$name', ({ text, gives, options }) => {
  const memories = (): Memories => ({ x, y: ZEROS() });

  test('the interpreter and Dawn give the same bits', async () => {
    const mine = interpret(text, memories(), options);
    if (gives) expect(Array.from(mine.y!.slice(0, gives.length))).toEqual(gives);
    const theirs = await runOnDawn(text, memories(), options);
    expect(Array.from(mine.y!)).toEqual(Array.from(theirs.y!));
    expect(bitsOf(mine.y!)).toEqual(bitsOf(theirs.y!));
  });

  test('the order of invocations changes nothing', () => {
    const plain = interpret(text, memories(), options);
    for (const seed of [1, 2, 3]) expect(interpret(text, memories(), { ...options, seed })).toEqual(plain);
  });
});
