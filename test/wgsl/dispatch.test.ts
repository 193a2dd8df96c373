import { describe, expect, test } from 'vitest';
import { Dispatch, parseModule, type RunOptions, run, type SubgroupSize, valueText } from '../../src/wgsl/index.js';

const TEXT = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
var<workgroup> shared_: array<f32, 2>;
fn twice(v: f32) -> f32 {
  let result = v * 2.0;
  return result;
}
@compute @workgroup_size(2)
fn main(@builtin(local_invocation_index) i: u32) {
  var sum = 0.5;
  for (var k = 0u; k < 2u; k++) {
    sum += f32(k);
  }
  shared_[i] = sum;
  workgroupBarrier();
  y[i] = twice(shared_[1u - i]);
}`;

const bytes = (length: number) => new Uint8Array(length * 4);
const options = (more: Partial<RunOptions> = {}): RunOptions => ({
  bindings: [{ group: 0, binding: 0, bytes: bytes(2) }],
  workgroups: [1, 1, 1],
  ...more,
});

describe('a stepped dispatch', () => {
  test('stops before every statement, with lines, variables and memory', () => {
    const dispatch = new Dispatch(parseModule(TEXT), 'main', options({ stepping: true }));
    const seen: string[] = [];
    for (const lane of dispatch.steps()) {
      if (lane.index !== 0) continue;
      if (lane.done) {
        seen.push('done');
      } else if (lane.stop?.kind === 'barrier') {
        seen.push(lane.stop.name);
      } else {
        const frames = dispatch.variablesOf(lane).map(({ function: { name }, at, variables }) => {
          const values = variables.map((variable) => `${variable.name}=${valueText(dispatch.read(variable, lane))}`);
          return `${name}:${at.line} ${values.join(' ')}`;
        });
        seen.push(frames.join(' > '));
      }
    }
    expect(seen).toEqual([
      'main:9 i=0',
      'main:10 i=0 sum=0.5',
      'main:10 i=0 sum=0.5 k=0',
      'main:11 i=0 sum=0.5 k=0',
      'main:10 i=0 sum=0.5 k=0',
      'main:11 i=0 sum=0.5 k=1',
      'main:10 i=0 sum=1.5 k=1',
      'main:13 i=0 sum=1.5',
      'main:14 i=0 sum=1.5',
      'workgroupBarrier',
      'main:15 i=0 sum=1.5',
      'main:15 i=0 sum=1.5 > twice:4 v=1.5',
      'main:15 i=0 sum=1.5 > twice:5 v=1.5 result=3',
      'done',
    ]);
    const shared = [...dispatch.memories.keys()].find(({ name }) => name === 'shared_')!;
    expect(valueText(dispatch.read(shared, dispatch.lanes[0]!))).toBe('(1.5, 1.5)');
  });

  test('gives the results of a run', () => {
    const [stepped, whole] = [options({ stepping: true }), options()];
    for (const _ of new Dispatch(parseModule(TEXT), 'main', stepped).steps());
    run(parseModule(TEXT), 'main', whole);
    expect(stepped.bindings[0]!.bytes).toEqual(whole.bindings[0]!.bytes);
    expect(Array.from(new Float32Array(whole.bindings[0]!.bytes.buffer))).toEqual([3, 3]);
  });
});

describe('a run that cannot be', () => {
  const module = parseModule(TEXT);

  test('bindings that are missing or too small', () => {
    expect(() => run(module, 'main', options({ bindings: [] }))).toThrow(
      '1:48: @group(0) @binding(0) y has no memory bound to it\n    1 | @group(0)',
    );
    const short = [{ group: 0, binding: 0, bytes: bytes(0) }];
    expect(() => run(module, 'main', options({ bindings: short }))).toThrow(
      '@group(0) @binding(0) y needs 4 bytes; 0 are bound',
    );
  });

  test('an entry point or a subgroup size that there is not', () => {
    expect(() => run(module, 'other', options())).toThrow('the module has no entry point other; it has main');
    expect(() => run(module, 'main', options({ subgroupSize: 3 as SubgroupSize }))).toThrow(
      'the subgroup size must be one of 4, 8, 16, 32, 64; got 3',
    );
  });

  test('a barrier that some do not reach, a loop that does not end', () => {
    const divergent = parseModule(
      TEXT.replace('workgroupBarrier();', 'if (sum > f32(i) + 1.0) { workgroupBarrier(); }'),
      { allowNonUniform: true },
    );
    expect(() => run(divergent, 'main', options())).toThrow('workgroupBarrier is reached by 1 of 2 invocations only');
    const endless = parseModule(TEXT.replace('k++', 'k += 0u'));
    expect(() => run(endless, 'main', options({ iterationLimit: 50 }))).toThrow(
      'the loop does not end: an invocation took 50 iterations',
    );
  });
});
