/**
 * A checked run: the interpreter runs a dispatch, and the checker observes every access, barrier and subgroup
 * operation.
 *
 * Two accesses of different invocations to one word race when at least one writes and no barrier is between them. The
 * checker keeps, for every word, its readers and writers since the last barrier, and for storage also those of other
 * workgroups, since workgroups are not ordered. So it finds a race in either order of the two accesses.
 */
import { quote, WgslError } from './errors.js';
import { type BindingMemory, Dispatch, type RunOptions } from './interpret.js';
import type { Lane, Observer, Stop, Three, Use } from './lane.js';
import { type Memory, pathTo, scalarAt, type Value, valueText } from './memory.js';
import { fromBits } from './numeric.js';
import type { AddressSpace, Module, Position } from './tree.js';

/** An invocation by its position in the dispatch. */
export interface Invocation {
  readonly workgroup: Three;
  readonly localId: Three;
}

/** One access of a finding. */
export interface Access extends Invocation {
  readonly use: 'read' | 'write';
  readonly at: Position;
  /** the value read, or to be written; undefined for the earlier access of a race */
  readonly value?: Value | undefined;
}

interface FindingOf<Kind extends string> {
  readonly kind: Kind;
  readonly at: Position;
  /** number of occurrences at this place; the other fields describe the first one */
  readonly count: number;
}

/** A fault of a checked run: its kind, its place in the text, and the invocations and values involved. */
export type Finding =
  /** two accesses to one word, at least one of them a write, that no barrier orders */
  | (FindingOf<'race'> & {
      readonly space: AddressSpace;
      /** the word in the program's notation: `partial[3]` */
      readonly place: string;
      readonly earlier: Access;
      readonly later: Access;
    })
  /** a word of storage that neither the host nor an invocation wrote */
  | (FindingOf<'unwritten read'> & { readonly place: string; readonly access: Access })
  | (FindingOf<'out of bounds'> & {
      readonly use: Use;
      readonly name: string;
      readonly index: number;
      /** number of elements */
      readonly length: number;
      readonly invocation: Invocation;
    })
  /** a barrier that not all of a workgroup reach, or a subgroup operation that not all of a subgroup reach, together */
  | (FindingOf<'divergent barrier' | 'divergent subgroup operation'> & {
      readonly name: string;
      readonly present: readonly Invocation[];
      readonly absent: readonly Invocation[];
    })
  | (FindingOf<'endless loop'> & { readonly iterations: number; readonly invocation: Invocation });

/** Memory of the host whose words may be unwritten. */
export interface CheckedBinding extends BindingMemory {
  /**
   * one byte for each word, 1 for a written word; the run sets those that it writes. Without it, all words count as
   * written
   */
  readonly written?: Uint8Array;
}

/** How to run a checked dispatch: the options of a plain run, with bindings that may hold unwritten words. */
export interface CheckOptions extends Omit<RunOptions, 'observer' | 'stepping' | 'bindings'> {
  readonly bindings: readonly CheckedBinding[];
}

/** Maximum number of different findings of a run. */
const MAX_FINDINGS = 100;

/**
 * Run one dispatch like `run`, and return the findings, an empty list if there are none. Only an endless loop stops the
 * run. `iterationLimit` is 1 million by default.
 *
 * @throws WgslError when a binding is missing or too small
 */
export function check(module: Module, entryPoint: string, options: CheckOptions): Finding[] {
  const entry = module.entryPoints.find((candidate) => candidate.function.name === entryPoint);
  const watcher = new Watcher(entry?.workgroupSize ?? [1, 1, 1], options);
  const dispatch = new Dispatch(module, entryPoint, { iterationLimit: 1e6, ...options, observer: watcher });
  try {
    dispatch.steps().next();
  } catch (error) {
    if (!(error instanceof WgslError && watcher.isEndless)) throw error;
  }
  return watcher.findings;
}

/** A finding as text: the fault, the place, the invocations, and the lines of the program. @param text the module's */
export function findingText(finding: Finding, text: string): string {
  const times = finding.count > 1 ? ` (${finding.count} times)` : '';
  switch (finding.kind) {
    case 'race':
      return [
        `race in ${finding.space} memory at ${finding.place}: two invocations, at least one writes, no barrier between${times}`,
        accessText(finding.earlier, text),
        accessText(finding.later, text),
      ].join('\n');
    case 'unwritten read':
      return `${finding.place} is read, but was never written${times}\n${accessText(finding.access, text)}`;
    case 'out of bounds': {
      const { use, name, index, length } = finding;
      const verb = use === 'write' ? 'written' : use === 'read' ? 'read' : 'pointed to';
      return [
        `index ${index} of ${name} is ${verb}, which has ${length} elements; the run takes the last one${times}`,
        `by ${invocationText(finding.invocation)}`,
        quoted(finding.at, text),
      ].join('\n');
    }
    case 'divergent barrier':
    case 'divergent subgroup operation': {
      const { present, absent } = finding;
      const group = finding.kind === 'divergent barrier' ? 'workgroup' : 'subgroup';
      return [
        `${finding.name} is reached by ${present.length} of the ${group}'s ${present.length + absent.length} invocations${times}`,
        `by ${invocationText(present[0]!)}, not by ${invocationText(absent[0]!)}`,
        quoted(finding.at, text),
      ].join('\n');
    }
    case 'endless loop':
      return [
        `the loop does not end: an invocation took ${finding.iterations} iterations`,
        `by ${invocationText(finding.invocation)}`,
        quoted(finding.at, text),
      ].join('\n');
  }
}

function invocationText({ workgroup, localId }: Invocation): string {
  return `invocation (${localId.join(', ')}) of workgroup (${workgroup.join(', ')})`;
}

function accessText(access: Access, text: string): string {
  const value = access.value === undefined ? '' : `, value ${valueText(access.value)}`;
  const verb = access.use === 'write' ? 'written' : 'read';
  return `${verb} by ${invocationText(access)}${value}\n${quoted(access.at, text)}`;
}

const quoted = (at: Position, text: string) => `at ${at.line}:${at.column}\n${quote(text, at)}`;

// ---- watching ----

/** `Finding` without its count: of each member of the union. */
type NewFinding = Finding extends infer F ? (F extends Finding ? Omit<F, 'count'> : never) : never;

class Watcher implements Observer {
  readonly findings: Finding[] = [];
  isEndless = false;
  readonly #seen = new Map<string, number>();
  readonly #shadows = new Map<Memory, Shadow>();
  readonly #written = new Map<Memory, Uint8Array | undefined>();
  readonly #lanes: number;
  /** places in the text by number, so that an access is one number */
  readonly #sites: Position[] = [];
  readonly #siteOf = new Map<Position, number>();
  #workgroup: Three | undefined;
  #workgroupIndex = 0;
  /** counts barriers and workgroups: accesses of two phases are ordered within a workgroup */
  readonly #phase = { workgroup: 1, storage: 1 };

  constructor(
    readonly workgroupSize: Three,
    readonly options: CheckOptions,
  ) {
    this.#lanes = workgroupSize[0] * workgroupSize[1] * workgroupSize[2];
  }

  read(lane: Lane, memory: Memory, word: number, words: readonly number[], at: Position): void {
    const written = this.#writtenOf(memory);
    for (const offset of words) {
      if (written && written[word + offset] === 0) this.#unwritten(lane, memory, word + offset, at);
      this.#access(lane, 'read', memory, word + offset, at, undefined);
    }
  }

  write(lane: Lane, memory: Memory, word: number, words: readonly number[], value: Value, at: Position): void {
    const written = this.#writtenOf(memory);
    const values = scalarsOf(value);
    words.forEach((offset, i) => {
      this.#access(lane, 'write', memory, word + offset, at, values[i]);
      if (written) written[word + offset] = 1;
    });
  }

  outOfBounds(lane: Lane, use: Use, name: string, index: number, length: number, at: Position): void {
    this.#add(siteKey('out of bounds', at), {
      kind: 'out of bounds',
      at,
      use,
      name,
      index,
      length,
      invocation: invocationOf(lane),
    });
  }

  divergence(
    { kind, name, at }: Exclude<Stop, { kind: 'statement' }>,
    present: readonly Lane[],
    absent: readonly Lane[],
  ): void {
    const what = kind === 'barrier' ? 'divergent barrier' : 'divergent subgroup operation';
    this.#add(siteKey(what, at), {
      kind: what,
      at,
      name,
      present: present.map(invocationOf),
      absent: absent.map(invocationOf),
    });
  }

  barrier(name: string): void {
    // Each barrier orders one kind of memory; workgroupUniformLoad is a workgroupBarrier on both sides.
    this.#phase[name === 'storageBarrier' ? 'storage' : 'workgroup'] += 1;
  }

  endless(lane: Lane, iterations: number, at: Position): void {
    this.isEndless = true;
    this.#add(siteKey('endless', at), { kind: 'endless loop', at, iterations, invocation: invocationOf(lane) });
  }

  #unwritten(lane: Lane, memory: Memory, word: number, at: Position): void {
    this.#add(`${siteKey('unwritten', at)} ${memory.variable!.name}`, {
      kind: 'unwritten read',
      at,
      place: placeText(memory, word),
      access: { ...invocationOf(lane), use: 'read', at, value: valueAt(memory, word) },
    });
  }

  #access(lane: Lane, use: 'read' | 'write', memory: Memory, word: number, at: Position, value?: Value): void {
    if (memory.space === 'storage' && memory.variable!.access === 'read') return; // never written
    if (lane.workgroup !== this.#workgroup) {
      this.#workgroup = lane.workgroup;
      this.#workgroupIndex = indexOf(lane.workgroup, this.options.workgroups);
      this.#phase.workgroup += 1;
      this.#phase.storage += 1;
    }
    let shadow = this.#shadows.get(memory);
    if (!shadow) {
      shadow = new Shadow(memory);
      this.#shadows.set(memory, shadow);
    }
    const workgroup = this.#workgroupIndex;
    const invocation = workgroup * this.#lanes + lane.index;
    const space = memory.space as 'workgroup' | 'storage';
    const now = (invocation + 1) * SITES + this.#site(at);
    const other = shadow.access(word, use, now, this.#phase[space], workgroup + 1);
    if (other) this.#race(lane, use, memory, word, at, other, value ?? valueAt(memory, word));
  }

  #race(lane: Lane, use: 'read' | 'write', memory: Memory, word: number, at: Position, other: Used, value: Value) {
    const earlier = this.#decode(other);
    const later: Access = { ...invocationOf(lane), use, at, value };
    const pair = [`${earlier.use} ${siteKey('', earlier.at)}`, `${use} ${siteKey('', at)}`].sort().join(' and ');
    const place = placeText(memory, word);
    this.#add(`race ${memory.variable!.name} ${pair}`, {
      kind: 'race',
      at,
      space: memory.space,
      place,
      earlier,
      later,
    });
  }

  #add(key: string, finding: NewFinding): void {
    const known = this.#seen.get(key);
    if (known !== undefined) {
      const before = this.findings[known]!;
      this.findings[known] = { ...before, count: before.count + 1 };
    } else if (this.findings.length < MAX_FINDINGS) {
      this.#seen.set(key, this.findings.length);
      this.findings.push({ ...finding, count: 1 } as Finding);
    }
  }

  #site(at: Position): number {
    let site = this.#siteOf.get(at);
    if (site === undefined) {
      site = this.#sites.push(at) - 1;
      this.#siteOf.set(at, site);
    }
    return site;
  }

  #decode({ code, use }: Used): Access {
    const invocation = invocationIn(code) - 1;
    const group = Math.floor(invocation / this.#lanes);
    return {
      use,
      at: this.#sites[code % SITES]!,
      workgroup: unflatten(group, this.options.workgroups),
      localId: unflatten(invocation % this.#lanes, this.workgroupSize),
    };
  }

  #writtenOf(memory: Memory): Uint8Array | undefined {
    if (!this.#written.has(memory)) {
      const place = memory.variable?.binding;
      const bound = this.options.bindings.find(
        (each) => each.group === place?.group && each.binding === place?.binding,
      );
      this.#written.set(memory, memory.space === 'storage' ? bound?.written : undefined);
    }
    return this.#written.get(memory);
  }
}

const indexOf = ([x, y, z]: Three, [countX, countY]: Three) => x + countX * (y + countY * z);

/** An access as one number: (invocation + 1) * SITES + place in the text; 0 is none. */
const SITES = 2 ** 16;
const invocationIn = (code: number) => Math.floor(code / SITES);

interface Used {
  readonly code: number;
  readonly use: 'read' | 'write';
}

/** The readers and writers of each word of a memory. Fields of a word, one number each. */
enum Field {
  /** the phase of the next three */
  Phase,
  Writer,
  /** two readers, different invocations: one of them is not the writer to come */
  ReaderA,
  ReaderB,
  /** the workgroup of the next two, counted from 1 */
  Workgroup,
  WriterInWorkgroup,
  ReaderInWorkgroup,
  /** of workgroups before */
  EarlierWriter,
  EarlierReader,
}
const FIELDS = 9;

class Shadow {
  readonly #fields: Float64Array;
  readonly #isShared: boolean;

  constructor(memory: Memory) {
    this.#fields = new Float64Array(memory.words * FIELDS);
    this.#isShared = memory.space === 'storage';
  }

  /** Record an access, and return an earlier one that it races with. */
  access(word: number, use: 'read' | 'write', now: number, phase: number, workgroup: number): Used | undefined {
    const fields = this.#fields;
    const at = word * FIELDS;
    if (this.#isShared && fields[at + Field.Workgroup] !== workgroup) {
      fields[at + Field.EarlierWriter] ||= fields[at + Field.WriterInWorkgroup]!;
      fields[at + Field.EarlierReader] ||= fields[at + Field.ReaderInWorkgroup]!;
      fields[at + Field.WriterInWorkgroup] = 0;
      fields[at + Field.ReaderInWorkgroup] = 0;
      fields[at + Field.Workgroup] = workgroup;
    }
    if (fields[at + Field.Phase] !== phase) {
      fields[at + Field.Writer] = 0;
      fields[at + Field.ReaderA] = 0;
      fields[at + Field.ReaderB] = 0;
      fields[at + Field.Phase] = phase;
    }
    const other = this.#conflict(at, use, invocationIn(now));
    if (use === 'write') {
      fields[at + Field.Writer] = now;
      fields[at + Field.WriterInWorkgroup] = now;
    } else {
      const known = invocationIn(fields[at + Field.ReaderA]!);
      const field = known === 0 || known === invocationIn(now) ? Field.ReaderA : Field.ReaderB;
      fields[at + field] = now;
      fields[at + Field.ReaderInWorkgroup] = now;
    }
    return other;
  }

  #conflict(at: number, use: 'read' | 'write', invocation: number): Used | undefined {
    const writer = this.#by(at + Field.Writer, invocation) || this.#by(at + Field.EarlierWriter, invocation);
    if (writer) return { code: writer, use: 'write' };
    if (use === 'read') return undefined;
    const reader =
      this.#by(at + Field.ReaderA, invocation) ||
      this.#by(at + Field.ReaderB, invocation) ||
      this.#by(at + Field.EarlierReader, invocation);
    return reader ? { code: reader, use: 'read' } : undefined;
  }

  /** The access in a field if it is another invocation's; else 0. */
  #by(field: number, invocation: number): number {
    const code = this.#fields[field]!;
    return invocationIn(code) === invocation ? 0 : code;
  }
}

const siteKey = (kind: string, at: Position) => `${kind} ${at.line}:${at.column}`;
const invocationOf = ({ workgroup, localId }: Lane): Invocation => ({ workgroup, localId });

const unflatten = (i: number, [sizeX, sizeY]: Three): Three => [
  i % sizeX,
  Math.floor(i / sizeX) % sizeY,
  Math.floor(i / (sizeX * sizeY)),
];

const placeText = ({ variable }: Memory, word: number) => variable!.name + pathTo(variable!.type, word);

function valueAt(memory: Memory, word: number): Value {
  return fromBits(memory.u32[word]!, scalarAt(memory.variable!.type, word) ?? 'u32');
}

function scalarsOf(value: Value): Value[] {
  return Array.isArray(value) ? (value as readonly Value[]).flatMap(scalarsOf) : [value];
}
