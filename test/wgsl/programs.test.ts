import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { wgslCompiler } from '../../src/device/wgslCompiler.js';
import { openCpu } from '../support/cpuDevice.js';
import { type Memories, runOnDawn, runOnDevice, type WgslRun } from '../support/wgsl.js';

// Whole compute programs of kinds that are well known elsewhere, on the CPU device and on Dawn.

/** A program of the folder `programs`: its run, and those of its results that are computed here as well. */
interface Program extends WgslRun {
  readonly memories: Memories;
  readonly wanted?: Memories;
  /** of floats, relative; WGSL allows sin and cos an absolute error of 2^-11 */
  readonly tolerance?: number;
}

/** Numbers between 0 and 1 that are the same in every run. */
const noise = (i: number) => ((Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(i + 7, 0x85ebca6b)) >>> 8) / 2 ** 24;
const floats = (length: number, value: (i: number) => number = (i) => noise(i) * 2 - 1) =>
  Float32Array.from({ length }, (_, i) => value(i));
const words = (length: number, value: (i: number) => number = (i) => noise(i) * 2 ** 32) =>
  Uint32Array.from({ length }, (_, i) => value(i));
const bitsOf = (...values: number[]) => [...new Uint32Array(Float32Array.from(values).buffer)];

/** Symmetric matrices whose diagonal is larger than the rest of each row. */
function positiveMatrices(count: number, size: number): Float32Array {
  return floats(count * size * size, (i) => {
    const [row, column] = [Math.floor(i / size) % size, i % size];
    return row === column
      ? size
      : noise(Math.min(row, column) * size + Math.max(row, column) + Math.floor(i / size / size));
  });
}

function bitonicSort(): Program {
  const keys = Int32Array.from({ length: 1024 }, (_, i) => Math.floor((noise(i) - 0.5) * 600));
  const rows = [...keys].map((key, i) => [key, i] as const);
  const sorted = [rows.slice(0, 512), rows.slice(512)].flatMap((half) =>
    half.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]),
  );
  return {
    workgroups: [2, 1, 1],
    memories: { pairs: Int32Array.from(rows.flat()) },
    wanted: { pairs: Int32Array.from(sorted.flat()) },
  };
}

function radixPass(): Program {
  const keys = words(256);
  const digit = (key: number) => (key >>> 12) & 15;
  return {
    overrides: { SHIFT: 12 },
    memories: { keys, sorted: new Uint32Array(256) },
    wanted: { sorted: Uint32Array.from([...keys].toSorted((a, b) => digit(a) - digit(b))) },
  };
}

function blellochScan(): Program {
  const x = words(768);
  const y = new Uint32Array(768);
  for (let i = 0; i < 768; i++) y[i] = i % 256 === 0 ? 0 : y[i - 1]! + x[i - 1]!;
  return { workgroups: [3, 1, 1], memories: { x, y: new Uint32Array(768), sums: new Uint32Array(3) }, wanted: { y } };
}

function order(): Program {
  const x = words(16, (i) => i);
  return {
    memories: { x, uniforms: new Uint32Array(64), calls: new Uint32Array(15) },
    wanted: {
      uniforms: words(64, (at) => {
        const i = at >> 2;
        // sum is of lane 15 − i, which stores at its mirror image
        return [i + 10, 5 * (1015 - i), Math.min(2015 - i, 5000), 9][at & 3]!;
      }),
      calls: Uint32Array.of(2, 1, 120, 30, 4, 5, 6, 8, 8, 9, 10, 11, 12, 2, 2),
    },
  };
}

function sha256(): Program {
  const messages = [0, 3, 4, 55, 56, 61, 63, 64, 65, 100, 119].map((length) =>
    Buffer.alloc(length, 'a text to hash, '),
  );
  const text = Buffer.alloc(messages.length * 128);
  for (const [i, message] of messages.entries()) message.copy(text, i * 128);
  const digests = Buffer.concat(messages.map((message) => createHash('sha256').update(message).digest())).swap32();
  return {
    memories: {
      lengths: Uint32Array.from(messages, ({ length }) => length),
      text: new Uint32Array(text.buffer.slice(text.byteOffset, text.byteOffset + text.length)),
      digests: new Uint32Array(messages.length * 8),
    },
    wanted: { digests: new Uint32Array(digests.buffer.slice(digests.byteOffset, digests.byteOffset + digests.length)) },
  };
}

function pathTracer(): Program {
  const sphere = (x: number, y: number, z: number, radius: number, red: number, emission: number, kind: number) => [
    ...bitsOf(x, y, z, radius, red, 0.6, 0.4, emission),
    ...[kind, 0, 0, 0],
  ];
  const spheres = [
    sphere(-1.1, 0, -1, 1, 0.9, 0, 0),
    sphere(1.1, 0, -0.5, 1, 0.8, 0, 1),
    sphere(0.2, -0.6, 0.9, 0.4, 1, 0, 2),
    sphere(0, 3, 0, 0.8, 1, 4, 0),
  ];
  return {
    workgroups: [2, 3, 1],
    memories: {
      scene: Uint32Array.from([12, 11, 4, 0, 4, 0, 0, 0, ...spheres.flat()]),
      image: new Float32Array(12 * 11 * 4),
      packed: new Uint32Array(12 * 11),
    },
  };
}

function sph(): Program {
  const cellOf = (p: readonly number[]) => p.reduceRight((sum, value) => sum * 4 + Math.floor(value / 0.25), 0);
  const positions = Array.from({ length: 200 }, (_, i) => [noise(3 * i), noise(3 * i + 1), noise(3 * i + 2)]).toSorted(
    (a, b) => cellOf(a) - cellOf(b),
  );
  const start = (cell: number) => positions.filter((p) => cellOf(p) < cell).length;
  const ranges = Array.from({ length: 64 }, (_, cell) => [start(cell), start(cell + 1)]);
  return {
    workgroups: [4, 1, 1],
    memories: {
      particles: Float32Array.from(positions.flatMap((p) => [...p, 0, 0, 0, 0, 0])),
      fluid: Uint32Array.from([...bitsOf(0.25, 2, 30, 1000), 4, 4, 4, 0]),
      cells: Uint32Array.from([64, 0, ...ranges.flat()]),
      force: new Float32Array(800),
    },
  };
}

function levenshtein(): Program {
  const pairs = [
    ['kitten', 'sitting'],
    ['', 'abc'],
    ['a workgroup walks the diagonals of the table', 'the workgroup walked over diagonals of one table'],
    ['same', 'same'],
  ] as const;
  const strings = Buffer.alloc(pairs.length * 264);
  for (const [i, [a, b]] of pairs.entries()) {
    strings.writeUInt32LE(a.length, i * 264);
    strings.writeUInt32LE(b.length, i * 264 + 4);
    strings.write(a, i * 264 + 8);
    strings.write(b, i * 264 + 136);
  }
  return {
    workgroups: [4, 1, 1],
    memories: {
      strings: new Uint32Array(strings.buffer.slice(strings.byteOffset, strings.byteOffset + strings.length)),
      distances: new Uint32Array(4),
    },
    wanted: { distances: Uint32Array.from([3, 3, 10, 0]) },
  };
}

function skinning(): Program {
  const bones = Array.from({ length: 4 }, (_, bone) => [
    ...Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : noise(bone * 16 + i) - 0.5)),
    ...[1, 1.5, 0.5 + bone, 0, 0, 0, 0, 0],
    ...Array<number>(8).fill(0),
  ]);
  const vertex = (i: number) => [
    ...bitsOf(noise(i), noise(i + 99), -noise(i + 7)),
    ...words(5, (k) => noise(i * 5 + k) * 2 ** 32),
  ];
  return {
    workgroups: [2, 1, 1],
    memories: {
      bones: Float32Array.from(bones.flat()),
      mesh: Uint32Array.from([
        40,
        ...Array<number>(7).fill(0),
        ...Array.from({ length: 48 }, (_, i) => vertex(i)).flat(),
      ]),
      skinned: new Float32Array(40 * 12),
    },
  };
}

function bytecode(): Program {
  const op = (operation: number, operand = 0) => ((operand << 8) | operation) >>> 0;
  const [push, jump] = [(value: number) => op(0, value), (by: number) => op(5, by)];
  const [add, mul, div, dup, swap, halt, shift, rem] = [1, 2, 3, 4, 6, 7, 8, 9].map((operation) => op(operation)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const programs = [
    [push(6), push(7), mul, halt],
    [push(1), push(9), swap, push(2), mul, swap, push(-1), add, dup, jump(-8), halt],
    [add, halt],
    [push(3), push(1), jump(-3), halt],
    [push(-7), push(2), div, push(-7), push(2), rem, halt],
    [push(5), push(0), div, push(5), push(0), rem, halt],
    [push(1), push(31), shift, dup, push(-1), div, swap, push(-1), rem, halt],
    [push(1), push(35), shift, push(8_000_000), dup, mul, halt],
    [push(1), jump(-2), halt],
  ];
  const starts = programs.map((_, i) => programs.slice(0, i).flat().length);
  return {
    workgroups: [2, 1, 1],
    memories: { code: Uint32Array.from(programs.flat()), starts: Uint32Array.from(starts), out: new Int32Array(36) },
  };
}

function bvh(): Program {
  const triangles = Array.from({ length: 16 }, (_, i) => {
    const at = [i / 4 - 2 + noise(i), noise(i + 40) * 3 - 1.5, noise(i + 80) * 2];
    return [0, 1, 2].map((corner) => at.map((value, axis) => value + (noise(i * 9 + corner * 3 + axis) - 0.5) * 1.5));
  });
  type Box = readonly [low: number[], high: number[]];
  const boxOf = (from: number, to: number): Box => {
    const corners = triangles.slice(from, to).flat();
    const side = (pick: (...values: number[]) => number) =>
      [0, 1, 2].map((axis) => pick(...corners.map((p) => p[axis]!)));
    return [side(Math.min), side(Math.max)];
  };
  // a whole tree, level by level: leaves of two triangles
  const nodes = Array.from({ length: 15 }, (_, i) => {
    const level = Math.floor(Math.log2(i + 1));
    const size = 16 >> level;
    const from = (i + 1 - 2 ** level) * size;
    const [low, high] = boxOf(from, from + size);
    const [first, count] = level === 3 ? [from, 2] : [2 * i + 1, 0];
    return [...bitsOf(...low), first!, ...bitsOf(...high), count!];
  });
  return {
    workgroups: [2, 2, 1],
    memories: {
      nodes: Uint32Array.from(nodes.flat()),
      triangles: Float32Array.from(triangles.flatMap((corners) => corners.flatMap((p) => [...p, 0]))),
      hits: new Float32Array(16 * 16 * 4),
    },
  };
}

function life(): Program {
  const [width, height, rounds] = [20, 9, 2];
  let cells = words(width * height, (i) => Math.round(noise(i)));
  const board = (of: Uint32Array) => Uint32Array.of(width, height, ...of);
  const before = board(cells);
  for (let round = 0; round < rounds; round++) {
    cells = cells.map((cell, i) => {
      let neighbours = -cell;
      for (const dy of [-1, 0, 1]) {
        for (const dx of [-1, 0, 1]) {
          const [x, y] = [(i + dx + width) % width, (Math.floor(i / width) + dy + height) % height];
          neighbours += cells[y * width + x]!;
        }
      }
      return neighbours === 3 || (neighbours === 2 && cell === 1) ? 1 : 0;
    });
  }
  return {
    workgroups: [3, 3, 1],
    overrides: { ROUNDS: rounds },
    memories: { before, after: board(new Uint32Array(width * height)) },
    wanted: { after: board(cells) },
  };
}

/** Two sequences of symbols, four to a word, 24 at most. */
function alignments(): Program {
  const pairs = [
    ['GATTACAGATTACA', 'GCATGCUGATTA'],
    ['ACGTACGTACGTACGTACGTACGT', 'ACGTACGTACGTACGTACGTACGT'],
    ['AAAACCCCGGGGTTTT', 'AAAAGGGGTTTTAAAA'],
    ['', 'ACG'],
  ] as const;
  const bytes = Buffer.alloc(pairs.length * 56);
  for (const [i, sequences] of pairs.entries()) {
    for (const [k, sequence] of sequences.entries()) {
      bytes.writeUInt32LE(sequence.length, i * 56 + k * 4);
      bytes.write(sequence, i * 56 + 8 + k * 24);
    }
  }
  return {
    workgroups: [4, 1, 1],
    memories: {
      pairs: new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
      scores: new Int32Array(4),
      ways: new Uint32Array(4 * 48),
    },
  };
}

function sparse(): Program {
  const lengths = [0, 3, 17, 1, 8, 0, 9, 5, 2, 20, 7, 0, 6];
  const starts = [...lengths.keys(), 13].map((row) => lengths.slice(0, row).reduce((sum, length) => sum + length, 0));
  return {
    workgroups: [2, 1, 1],
    memories: {
      sparse: Uint32Array.of(13, ...starts, ...words(96, (i) => noise(i) * 40)),
      values: floats(96),
      x: floats(40),
      y: new Float32Array(13),
    },
  };
}

function stringSearch(): Program {
  const text = Buffer.from('abacabadabacabaaabababacabacabadabacabaaaabbaabaacaab'.repeat(5).slice(0, 256));
  const patterns = ['abacaba', 'aa', 'cabadabacaba'];
  const bytes = Buffer.alloc(patterns.length * 24);
  for (const [i, pattern] of patterns.entries()) {
    bytes.writeUInt32LE(pattern.length, i * 24);
    bytes.write(pattern, i * 24 + 8);
  }
  // each of 16 invocations finds the matches that end in its piece, or begin in it and end in the next
  const found = patterns.flatMap((pattern) =>
    Array.from({ length: 16 }, (_, lane) => {
      const piece = text.toString().slice(lane * 16, lane * 16 + 16 + pattern.length - 1);
      const at = [...piece].flatMap((_, i) => (piece.startsWith(pattern, i) ? [lane * 16 + i] : []));
      return [at.length, at[0] ?? 0, at.at(-1) ?? 0];
    }).flat(),
  );
  const wordsOf = (of: Buffer) => new Uint32Array(of.buffer.slice(of.byteOffset, of.byteOffset + of.length));
  return {
    workgroups: [1, 2, 2],
    memories: { text: wordsOf(text), patterns: wordsOf(bytes), found: new Uint32Array(found.length) },
    wanted: { found: Uint32Array.from(found) },
  };
}

const PROGRAMS: Record<string, () => Program> = {
  bitonicSort,
  radixPass,
  blellochScan,
  fft: () => ({
    workgroups: [2, 1, 1],
    tolerance: 2e-3,
    memories: { signal: floats(1024), params: Float32Array.of(1, 1 / 16) },
  }),
  order,
  sha256,
  pathTracer,
  sph,
  levenshtein,
  cholesky: () => ({
    workgroups: [2, 1, 1],
    overrides: { N: 12 },
    memories: {
      matrices: positiveMatrices(2, 12),
      b: floats(24),
      factors: new Float32Array(288),
      x: new Float32Array(24),
    },
  }),
  winograd: () => ({
    workgroups: [2, 1, 1],
    memories: {
      size: Uint32Array.of(11, 7, 3),
      image: floats(231),
      filters: floats(36),
      out: new Float32Array(77),
    },
  }),
  kMeans: () => ({
    workgroups: [3, 1, 1],
    memories: {
      points: floats(150 * 6),
      centres: floats(30, (i) => noise(i + 5000) - 0.5),
      nearest: new Uint32Array(150),
      partial: new Float32Array(3 * 5 * 7),
    },
  }),
  philox: () => ({
    workgroups: [2, 1, 2],
    tolerance: 2e-3,
    memories: {
      // the counter of all ones is a test vector of the paper's library
      seeds: Uint32Array.from([...Array<number>(6).fill(0xffffffff), 0, 0, ...words(8)]),
      bits: new Uint32Array(500),
      normal: new Float32Array(500),
    },
  }),
  marchingCubes: () => ({
    workgroups: [2, 2, 2],
    overrides: { ISO: 0.375 },
    memories: {
      field: floats(
        729,
        (i) => Math.hypot((i % 9) - 4.2, (Math.floor(i / 9) % 9) - 3.9, Math.floor(i / 81) - 4.1) / 4 - 0.4,
      ),
      classes: new Uint32Array(512),
      crossed: new Uint32Array(512),
      points: new Float32Array(2048),
    },
  }),
  skinning,
  bytecode,
  bvh,
  softmaxSubgroups: () => ({
    workgroups: [3, 1, 1],
    memories: { x: floats(300, (i) => noise(i) * 20 - 10), y: new Float32Array(300), width: Uint32Array.of(100) },
  }),
  life,
  lu: () => ({
    workgroups: [3, 1, 1],
    overrides: { N: 9 },
    memories: { problems: floats(3 * 90), solutions: new Float32Array(3 * 19) },
  }),
  alignments,
  mersenne: () => ({
    memories: { seeds: Uint32Array.of(42), twisted: new Uint32Array(700), permuted: new Uint32Array(6) },
    // as the demonstration of the generator's authors prints them
    wanted: { permuted: Uint32Array.of(0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e) },
  }),
  sparse,
  mandelbrot: () => ({
    workgroups: [6, 5, 1],
    memories: { rounds: new Int32Array(273), periods: new Int32Array(273) },
  }),
  stringSearch,
  numbers: () => ({
    workgroups: [2, 3, 1],
    memories: {
      rows: words(21 * 8, (i) =>
        i % 8 < 4 ? bitsOf(Math.round((noise(i) - 0.5) * 2000) / 4)[0]! : noise(i) * 2 ** 32,
      ),
      parts: new Uint32Array(21 * 56),
    },
  }),
  jacobi: () => ({
    workgroups: [1, 2, 1],
    memories: {
      matrices: floats(16 * 12, (i) => {
        const [row, column] = [i % 4, Math.floor(i / 4) % 3];
        return noise(Math.floor(i / 12) * 9 + Math.min(row, column) * 3 + Math.max(row, column)) * 4 - 2;
      }),
      pairs: new Float32Array(16 * 16),
    },
  }),
  indices: () => {
    const x = Float32Array.of(0, -0.5, 2 ** 31, 3e9, 2 ** 32, 1e20, -3e9, 2147483520, 4294967040, 1e38, 2.75, -2.75);
    const places = Uint32Array.from(
      { length: 6 * 4 * 6 },
      (_, i) => (i % 6) + 10 * (Math.floor(i / 6) % 4) + 100 * Math.floor(i / 24),
    );
    const [signed, unsigned] = [new Int32Array(2 * x.length), new Uint32Array(2 * x.length)];
    return {
      workgroups: [2, 2, 3],
      memories: { places: new Uint32Array(144), groups: new Uint32Array(144), x, signed, unsigned },
      wanted: { places },
    };
  },
  boids: () => ({
    workgroups: [3, 1, 1],
    memories: {
      rules: Float32Array.of(0.04, 0.6, 0.02, 0.05, 0.1),
      before: floats(4 * 40),
      after: new Float32Array(4 * 40),
    },
  }),
  queens: () => ({
    memories: { ways: new Uint32Array(7) },
    wanted: { ways: Uint32Array.of(4, 7, 6, 6, 6, 7, 4) },
  }),
};

/** Integers are equal; float32 numbers are equal or close. A word of a struct that is small as an integer is compared as one. */
function apart(got: Memories, wanted: Memories, tolerance = 1e-4): string[] {
  return Object.entries(wanted).flatMap(([name, numbers]) => {
    const [a, b] = [got[name]!, numbers].map((of) => new Uint32Array(of.buffer, of.byteOffset, of.length));
    return [...numbers].flatMap((value, i) => {
      const other = got[name]![i]!;
      const isFloat = numbers instanceof Float32Array && [value, other].every((x) => x === 0 || Math.abs(x) > 1e-30);
      const isClose = isFloat && Math.abs(value - other) <= tolerance * Math.max(1, Math.abs(value));
      return a![i] === b![i] || isClose ? [] : [`${name}[${i}]: ${other}, not ${value}`];
    });
  });
}

let cpu: GPUDevice;
beforeAll(async () => {
  cpu = await openCpu({ compiler: wgslCompiler });
});

test.each(Object.keys(PROGRAMS))('%s', async (name) => {
  const text = readFileSync(new URL(`programs/${name}.wgsl`, import.meta.url), 'utf8');
  const { memories, wanted, tolerance, ...options } = PROGRAMS[name]!();
  const ours = await runOnDevice(cpu, text, memories, options);
  expect(apart(ours, await runOnDawn(text, memories, options), tolerance).slice(0, 5)).toEqual([]);
  expect(Object.keys(memories).filter((key) => ours[key]!.some((word, i) => word !== memories[key]![i]))).not.toEqual(
    [],
  );
  if (wanted) expect(apart(ours, wanted)).toEqual([]);
});
