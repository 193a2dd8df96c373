/**
 * Memory of WGSL's variables: bytes, viewed as 32-bit words, since every type here consists of words.
 * An address is a memory and the number of a word in it.
 */
import { sizeOf, strideOf } from './layout.js';
import type { Scalar } from './numeric.js';
import type { AddressSpace, ScalarName, Type, Variable } from './tree.js';

/** The value of an expression: a scalar; components, columns, elements or members in order; or a pointer. */
export type Value = Scalar | readonly Value[] | Reference;

/** A pointer at run time. */
export interface Reference {
  readonly memory: Memory;
  /** the first word of its target */
  readonly word: number;
}

/** Memory of a variable, or of all variables of one invocation. */
export class Memory {
  readonly f32: Float32Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;

  /**
   * @param bytes their number and offset are multiples of 4; not copied
   * @param variable its variable; undefined for an invocation's own memory
   */
  constructor(
    readonly space: AddressSpace,
    bytes: Uint8Array,
    readonly variable?: Variable,
  ) {
    const words = Math.floor(bytes.byteLength / 4);
    this.f32 = new Float32Array(bytes.buffer, bytes.byteOffset, words);
    this.i32 = new Int32Array(bytes.buffer, bytes.byteOffset, words);
    this.u32 = new Uint32Array(bytes.buffer, bytes.byteOffset, words);
  }

  /** Number of words. */
  get words(): number {
    return this.u32.length;
  }
}

/** Words of a type, and from one element of an array or column of a matrix to the next. */
export const wordsOf = (type: Type): number => sizeOf(type) / 4;
/** Words from one element of an array, or column of a matrix, to the next. */
export const strideWords = (type: Type): number => strideOf(type) / 4;

/**
 * Elements of an array, components of a vector, columns of a matrix; undefined for an array whose length is its
 * binding's.
 */
export function countOf(type: Type): number | undefined {
  if (type.kind === 'vector') return type.size;
  if (type.kind === 'matrix') return type.columns;
  if (type.kind === 'array') return type.count;
  throw new TypeError(`${type.kind} has no elements`);
}

/** Elements from a word to the end of a memory: the length of an array without a count. */
export function arrayLength(type: Type, { memory, word }: Reference): number {
  return Math.floor((memory.words - word) / strideWords(type));
}

// ---- loads and stores of whole values ----

/** Reads a value of one type, which starts at a word. */
export type Load = (memory: Memory, word: number) => Value;
/** Writes a value of one type, which starts at a word. */
export type Store = (memory: Memory, word: number, value: Value) => void;

const LOAD: Record<ScalarName, Load> = {
  bool: (memory, word) => memory.u32[word] !== 0,
  i32: (memory, word) => memory.i32[word]!,
  u32: (memory, word) => memory.u32[word]!,
  f32: (memory, word) => memory.f32[word]!,
};

const STORE: Record<ScalarName, Store> = {
  bool: (memory, word, value) => {
    memory.u32[word] = value ? 1 : 0;
  },
  i32: (memory, word, value) => {
    memory.i32[word] = value as number;
  },
  u32: (memory, word, value) => {
    memory.u32[word] = value as number;
  },
  f32: (memory, word, value) => {
    memory.f32[word] = value as number;
  },
};

interface Part {
  /** words from the start of the whole */
  readonly word: number;
  readonly type: Type;
}

/** Components, columns, elements or members, and where each starts. */
export function partsOf(type: Type): Part[] {
  if (type.kind === 'struct') return type.members.map(({ offset, type }) => ({ word: offset / 4, type }));
  const repeat = (count: number, part: Type, stride: number) =>
    Array.from({ length: count }, (_, i) => ({ word: i * stride, type: part }));
  if (type.kind === 'vector') return repeat(type.size, type.of, 1);
  if (type.kind === 'matrix') return repeat(type.columns, columnOf(type), strideWords(type));
  if (type.kind === 'array' && type.count !== undefined) return repeat(type.count, type.of, strideWords(type));
  throw new TypeError(`${type.kind} is not a value of fixed size`);
}

/** The type of a matrix's columns. */
export function columnOf(type: Extract<Type, { kind: 'matrix' }>): Type {
  return { kind: 'vector', size: type.rows, of: type.of };
}

/** The reader for values of a type. */
export function loadOf(type: Type): Load {
  if (type.kind === 'scalar') return LOAD[type.name];
  if (type.kind === 'vector') return loadVector(LOAD[type.of.name], type.size);
  const parts = partsOf(type).map((part) => ({ word: part.word, load: loadOf(part.type) }));
  return (memory, word) => parts.map((part) => part.load(memory, word + part.word));
}

/** Vectors are read more often than anything else of parts. */
function loadVector(load: Load, size: number): Load {
  if (size === 2) return (memory, word) => [load(memory, word), load(memory, word + 1)];
  if (size === 3) return (memory, word) => [load(memory, word), load(memory, word + 1), load(memory, word + 2)];
  return (memory, word) => [load(memory, word), load(memory, word + 1), load(memory, word + 2), load(memory, word + 3)];
}

/** The writer for values of a type. Padding is not written. */
export function storeOf(type: Type): Store {
  if (type.kind === 'scalar') return STORE[type.name];
  const parts = partsOf(type).map((part) => ({ word: part.word, store: storeOf(part.type) }));
  return (memory, word, value) => {
    for (let i = 0; i < parts.length; i++) {
      parts[i]!.store(memory, word + parts[i]!.word, (value as readonly Value[])[i]!);
    }
  };
}

/** The words that a value of a type uses, from its first: all but padding. `vec3u` // [0, 1, 2] */
export function usedWords(type: Type): number[] {
  if (type.kind === 'scalar') return [0];
  return partsOf(type).flatMap((part) => usedWords(part.type).map((word) => part.word + word));
}

/** The value that a type has before anything is written. */
export function zeroOf(type: Type): Value {
  if (type.kind === 'scalar') return type.name === 'bool' ? false : 0;
  return partsOf(type).map((part) => zeroOf(part.type));
}

// ---- text, for findings and the stepper ----

/** A word of a variable in the program's notation. `pathTo(type, 7) // [1].position.y` */
export function pathTo(type: Type, word: number): string {
  if (type.kind === 'vector') return `.${'xyzw'[word]}`;
  if (type.kind === 'matrix' || type.kind === 'array') {
    const stride = strideWords(type);
    const element = type.kind === 'matrix' ? columnOf(type) : type.of;
    return `[${Math.floor(word / stride)}]${pathTo(element, word % stride)}`;
  }
  if (type.kind === 'struct') {
    const member = type.members.findLast((candidate) => candidate.offset / 4 <= word);
    return member ? `.${member.name}${pathTo(member.type, word - member.offset / 4)}` : '';
  }
  return '';
}

/** The scalar type at a word of a variable; undefined for padding. */
export function scalarAt(type: Type, word: number): ScalarName | undefined {
  if (type.kind === 'scalar') return word === 0 ? type.name : undefined;
  if (type.kind === 'array') return scalarAt(type.of, word % strideWords(type));
  if (type.kind === 'struct') {
    const member = type.members.findLast((candidate) => candidate.offset / 4 <= word);
    return member && scalarAt(member.type, word - member.offset / 4);
  }
  const part = partsOf(type).findLast((candidate) => candidate.word <= word);
  return part && scalarAt(part.type, word - part.word);
}

/** A value in a notation close to WGSL: `(1, 2.5, 3)`. */
export function valueText(value: Value): string {
  if (Array.isArray(value)) return `(${value.map(valueText).join(', ')})`;
  if (typeof value === 'object') {
    const { memory, word } = value as Reference;
    return `&${memory.variable ? memory.variable.name + pathTo(memory.variable.type, word) : `function memory ${word}`}`;
  }
  return typeof value === 'number' && !Number.isInteger(value) ? String(Number(value.toPrecision(8))) : String(value);
}
