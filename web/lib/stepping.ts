import { shortNumber } from '../../src/cli/inspect/signs.js';
import type { CapturedDispatch } from '../../src/inspect/capture.js';
import {
  type Memory,
  pathTo,
  type Stepper,
  type Touch,
  type Type,
  type Value,
  type Variable,
  WRITTEN,
} from '../../src/wgsl/index.js';

/** Workgroup or storage memory as a picture: rows of words. */
export interface MemoryGrid {
  readonly variable: Variable;
  readonly memory: Memory;
  readonly columns: number;
  readonly rows: number;
  /** `[40, 128]`, if a tensor is bound */
  readonly shape: readonly number[] | undefined;
}

/**
 * The memories of a stepped dispatch that a picture helps with: all but its parameters. Workgroup memory comes first.
 */
export function gridsOf(stepper: Stepper, { bindings }: CapturedDispatch): MemoryGrid[] {
  return [...stepper.memories]
    .filter(([{ space }]) => space !== 'uniform')
    .map(([variable, memory]) => {
      const shape = bindings.find(({ binding }) => binding === variable.binding?.binding)?.shape;
      const columns = Math.max(1, Math.min(memory.words, shape?.at(-1) ?? rowOf(variable.type) ?? 32));
      return { variable, memory, columns, rows: Math.ceil(memory.words / columns), shape };
    })
    .sort((a, b) => Number(b.variable.space === 'workgroup') - Number(a.variable.space === 'workgroup'));
}

/** Words of a row of a small array of vectors or arrays. */
function rowOf(type: Type): number | undefined {
  return type.kind === 'array' && type.of.kind === 'array' && type.of.count !== undefined ? type.of.count : undefined;
}

/** The type of the numbers in a variable. */
function scalarOf(type: Type): string {
  if (type.kind === 'scalar') return type.name;
  if (type.kind === 'vector' || type.kind === 'matrix' || type.kind === 'array') return scalarOf(type.of);
  return 'f32';
}

/** A word of a memory as a number. */
export function numberAt({ variable, memory }: Pick<MemoryGrid, 'variable' | 'memory'>, word: number): number {
  const type = scalarOf(variable.type);
  return type === 'f32' ? memory.f32[word]! : type === 'i32' ? memory.i32[word]! : memory.u32[word]!;
}

/** A value in a few characters: `0.1235`, `(1, 2, 3)`, `0.1, 0.2, 0.3, 0.4, … (16)` for a matrix. */
export function valueWords(value: Value, most = 4): string {
  if (typeof value === 'number') return shortNumber(value);
  if (typeof value === 'boolean') return String(value);
  if (!Array.isArray(value)) return 'a pointer';
  const parts = (value as readonly unknown[]).flat(Number.POSITIVE_INFINITY) as Value[];
  const said = parts.slice(0, most).map((part) => valueWords(part, most));
  return parts.length > most ? `${said.join(', ')}, … (${parts.length})` : `(${said.join(', ')})`;
}

/** `read a[131] = 0.123` */
export function touchWords({ use, variable, word }: Touch, stepper: Stepper): string {
  const memory = stepper.memories.get(variable)!;
  return `${use === 'read' ? 'read' : 'wrote'} ${variable.name}${pathTo(variable.type, word)} = ${shortNumber(numberAt({ variable, memory }, word))}`;
}

/** Comparison of a workgroup's numbers with those of the run on the device. */
export interface Agreement {
  readonly count: number;
  readonly different: number;
  /** the largest difference */
  readonly error: number;
}

/** Compare every word that a stepper wrote, from its start to its end, with the run. */
export function agreement(stepper: Stepper, { bindings, after }: CapturedDispatch): Agreement {
  let [count, different, error] = [0, 0, 0];
  for (const [variable, memory] of stepper.memories) {
    const name = bindings.find(({ binding }) => binding === variable.binding?.binding)?.name;
    const device = name === undefined ? undefined : after.get(name);
    const flags = stepper.everTouched.get(variable);
    if (device === undefined || flags === undefined || variable.access === 'read') continue;
    const bits = new Uint32Array(device.buffer, device.byteOffset, device.length);
    for (let word = 0; word < device.length; word++) {
      if (!(flags[word]! & WRITTEN)) continue;
      count += 1;
      if (memory.u32[word] === bits[word]) continue;
      different += 1;
      error = Math.max(error, Math.abs(numberAt({ variable, memory }, word) - device[word]!));
    }
  }
  return { count, different, error };
}
