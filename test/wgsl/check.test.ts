import { describe, expect, test } from 'vitest';
import { type Finding, findingText } from '../../src/wgsl/index.js';
import { findingsOf, type Memories, type WgslRun } from '../support/wgsl.js';

/** A fault, and the program without it. */
interface Planted {
  readonly name: string;
  readonly kind: Finding['kind'];
  readonly faulty: string;
  readonly fixed: string;
  readonly options?: WgslRun;
  /** what the finding's text contains */
  readonly says: readonly string[];
}

const HEADER = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
`;
const ENTRY = `@compute @workgroup_size(8) fn main(
  @builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
)`;
const program = (before: string, body: string) => `enable subgroups;\n${HEADER}${before}\n${ENTRY} {\n${body}\n}`;

const memories: Memories = { x: Float32Array.from({ length: 8 }, (_, i) => i + 1), y: new Float32Array(16) };

const PLANTED: readonly Planted[] = [
  {
    name: 'a barrier is missing between writing and reading workgroup memory',
    kind: 'race',
    faulty: program('var<workgroup> w: array<f32, 8>;', 'w[i] = x[i];\n y[i] = w[7u - i];'),
    fixed: program('var<workgroup> w: array<f32, 8>;', 'w[i] = x[i];\n workgroupBarrier();\n y[i] = w[7u - i];'),
    says: ['race in workgroup memory at w[', 'written by invocation', 'read by invocation', 'y[i] = w[7u - i];', '^'],
  },
  {
    name: 'a storage barrier does not order workgroup memory',
    kind: 'race',
    faulty: program('var<workgroup> w: array<f32, 8>;', 'w[i] = x[i];\n storageBarrier();\n y[i] = w[7u - i];'),
    fixed: program('var<workgroup> w: array<f32, 8>;', 'w[i] = x[i];\n workgroupBarrier();\n y[i] = w[7u - i];'),
    says: ['race in workgroup memory'],
  },
  {
    name: 'workgroup memory is overwritten while others still read the round before',
    kind: 'race',
    faulty: program(
      'var<workgroup> w: array<f32, 8>;',
      'for (var k = 0u; k < 2u; k++) { w[i] = x[i]; workgroupBarrier(); y[i] += w[7u - i]; }',
    ),
    fixed: program(
      'var<workgroup> w: array<f32, 8>;',
      'for (var k = 0u; k < 2u; k++) { w[i] = x[i]; workgroupBarrier(); y[i] += w[7u - i]; workgroupBarrier(); }',
    ),
    says: ['race in workgroup memory'],
  },
  {
    name: 'two workgroups write one word of storage, with the same value',
    kind: 'race',
    faulty: program('', 'y[i] = 1.0;'),
    fixed: program('', 'y[group.x * 8u + i] = 1.0;'),
    options: { workgroups: [2, 1, 1] },
    says: ['race in storage memory at y[', 'of workgroup (0, 0, 0)', 'of workgroup (1, 0, 0)', 'value 1'],
  },
  {
    name: 'a workgroup reads what another one writes, behind barriers of its own',
    kind: 'race',
    faulty: program('', 'y[group.x * 8u + i] = 1.0; storageBarrier(); let z = y[(1u - group.x) * 8u + i]; _ = z;'),
    fixed: program('', 'y[group.x * 8u + i] = 1.0; storageBarrier(); let z = y[group.x * 8u + (i ^ 1u)]; _ = z;'),
    options: { workgroups: [2, 1, 1] },
    says: ['race in storage memory at y['],
  },
  {
    name: 'a storage barrier is missing',
    kind: 'race',
    faulty: program('', 'y[i] = x[i];\n let z = y[i ^ 1u]; _ = z;'),
    fixed: program('', 'y[i] = x[i];\n storageBarrier();\n let z = y[i ^ 1u]; _ = z;'),
    says: ['race in storage memory at y['],
  },
  {
    name: 'one reads, then another writes',
    kind: 'race',
    faulty: program(
      'var<workgroup> w: array<f32, 8>;',
      'if (i == 0u) { y[0] = w[3]; }\n if (i == 7u) { w[3] = x[i]; }',
    ),
    fixed: program(
      'var<workgroup> w: array<f32, 8>;',
      'if (i == 0u) { y[0] = w[3]; }\n workgroupBarrier();\n if (i == 7u) { w[3] = x[i]; }',
    ),
    says: ['race in workgroup memory at w[3]', 'value 8'],
  },
  {
    name: 'a subgroup operation orders no memory: who read first writes, after others read',
    kind: 'race',
    faulty: program(
      'var<workgroup> w: f32;',
      'let sum = subgroupAdd(w);\n if (i == 0u) { w = sum + 1.0; }\n y[i] = sum;',
    ),
    fixed: program(
      'var<workgroup> w: f32;',
      'let sum = subgroupAdd(w);\n workgroupBarrier();\n if (i == 0u) { w = sum + 1.0; }\n y[i] = sum;',
    ),
    says: ['race in workgroup memory at w:', 'read by invocation (7, 0, 0)'],
  },
  {
    name: 'a workgroup reads what a later one writes',
    kind: 'race',
    faulty: program('', 'if (group.x == 0u) { y[i] = y[8]; } else if (i == 0u) { y[8] = 1.0; }'),
    fixed: program('', 'if (group.x == 0u) { y[i] = y[9]; } else if (i == 0u) { y[8] = 1.0; }'),
    options: { workgroups: [2, 1, 1] },
    says: [
      'race in storage memory at y[8]',
      'read by invocation',
      'written by invocation (0, 0, 0) of workgroup (1, 0, 0)',
    ],
  },
  {
    name: 'a word of storage that nobody wrote is read',
    kind: 'unwritten read',
    faulty: program('', 'let z = y[i]; _ = z;'),
    fixed: program('', 'y[i] = x[i]; let z = y[i]; _ = z;'),
    options: { unwritten: ['y'] },
    says: ['y[0] is read, but was never written', 'read by invocation (0, 0, 0)'],
  },
  {
    name: 'a read past the end of a binding',
    kind: 'out of bounds',
    faulty: program('', 'y[i] = x[i + 1u];'),
    fixed: program('', 'y[i] = x[min(i + 1u, arrayLength(&x) - 1u)];'),
    says: ['index 8 of x is read, which has 8 elements', 'by invocation (7, 0, 0)'],
  },
  {
    name: 'a write past the end of a private array',
    kind: 'out of bounds',
    faulty: program('', 'var a: array<f32, 4>; a[i] = 1.0; y[i] = a[0];'),
    fixed: program('', 'var a: array<f32, 8>; a[i] = 1.0; y[i] = a[0];'),
    says: ['index 4 of a is written, which has 4 elements'],
  },
  {
    name: 'a barrier in a branch',
    kind: 'divergent barrier',
    faulty: program('', 'if (x[i] < 4.0) { workgroupBarrier(); }\n y[i] = 1.0;'),
    fixed: program('', 'workgroupBarrier();\n if (x[i] < 4.0) { y[i] = 1.0; }'),
    says: ["workgroupBarrier is reached by 3 of the workgroup's 8 invocations", 'not by invocation (3, 0, 0)'],
  },
  {
    name: 'a barrier behind a return of some',
    kind: 'divergent barrier',
    faulty: program('', 'if (x[i] < 4.0) { return; }\n workgroupBarrier();\n y[i] = 1.0;'),
    fixed: program('', 'workgroupBarrier();\n if (x[i] < 4.0) { return; }\n y[i] = 1.0;'),
    says: ["workgroupBarrier is reached by 5 of the workgroup's 8 invocations"],
  },
  {
    name: 'a subgroup operation in a branch',
    kind: 'divergent subgroup operation',
    faulty: program('', 'if (lane < 2u) { y[i] = subgroupAdd(x[i]); }'),
    fixed: program('', 'let sum = subgroupAdd(x[i]); if (lane < 2u) { y[i] = sum; }'),
    options: { subgroupSize: 4 },
    says: ["subgroupAdd is reached by 2 of the subgroup's 4 invocations (2 times)"],
  },
  {
    name: 'a loop without an end',
    kind: 'endless loop',
    faulty: program('', 'var k = 0u;\n while (k < 8u) { y[i] = x[k]; }'),
    fixed: program('', 'var k = 0u;\n while (k < 8u) { y[i] = x[k]; k++; }'),
    options: { iterationLimit: 100 },
    says: ['the loop does not end: an invocation took 100 iterations', 'while (k < 8u)'],
  },
];

describe.each(PLANTED)('$name', ({ kind, faulty, fixed, options, says }) => {
  test.each([undefined, 1, 2])('is found with seed %s', (seed) => {
    const found = findingsOf(faulty, memories, { ...options, ...(seed !== undefined && { seed }) });
    expect(found.map((finding) => finding.kind)).toContain(kind);
    const texts = found.map((finding) => findingText(finding, faulty)).join('\n');
    if (seed === undefined) for (const words of says) expect(texts).toContain(words);
  });

  test('the repaired program has no finding', () => {
    const found = findingsOf(fixed, memories, options);
    expect(found.map((finding) => findingText(finding, fixed))).toEqual([]);
  });
});
