/**
 * The uniformity analysis of WGSL: barriers and subgroup operations may be called only where all invocations come together.
 *
 * For each function a graph says what every value and the control flow depend on. An edge leads from what depends to that on which
 * it depends; a source is a value that may differ between invocations, such as `local_invocation_id`. A call that needs uniform
 * control flow is refused if a source can be reached from the control flow at the call. What leads to a parameter instead becomes a
 * rule for the callers. A value is as uniform as the control flow in which it is computed, so each depends on that too.
 *
 * There are two degrees, as in Dawn: barriers need control flow that is the same in the whole workgroup, subgroup operations that it
 * is the same in the subgroup, for which `subgroup_id` and the result of `subgroupAdd` are good enough.
 *
 * @see https://www.w3.org/TR/WGSL/#uniformity
 */
import { needsSubgroups } from './builtins.js';
import { WgslError } from './errors.js';
import type {
  Block,
  BuiltinValue,
  Expression,
  FunctionDeclaration,
  Place,
  PointerType,
  Position,
  Severity,
  Statement,
  Type,
  Variable,
  Warning,
} from './tree.js';

/** How far a value may differ: in no invocation of a workgroup, between subgroups, between any two invocations. */
type Degree = 0 | 1 | 2;

/** A value or a piece of control flow, and on what it depends. */
class Node {
  readonly from: Node[];
  /** the walk that came here last */
  seen = 0;
  /** of a source: how far it may differ */
  degree: Degree = 0;
  /** of a source: which value it is; of control flow: which statement decides it */
  what = '';
  at: Position | undefined;
  /** of a parameter: its number, and whether this is what it points to */
  parameter = -1;
  isContents = false;

  constructor(...from: Node[]) {
    this.from = from;
  }
}

/** What a call needs: that its control flow, or an argument, is the same in a workgroup or a subgroup. */
interface Rule {
  readonly scope: 'workgroup' | 'subgroup';
  readonly severity: Exclude<Severity, 'off'>;
  /** in words, with the functions that it was passed through */
  readonly text: string;
  /** of the call of the function of the language */
  readonly at: Position;
}

/** On what a result of a function depends. */
interface Flow {
  readonly degree: Degree;
  readonly values: readonly number[];
  readonly contents: readonly number[];
}

interface ParameterSummary {
  readonly rules: Rule[];
  readonly contentsRules: Rule[];
  /** on what the memory behind a pointer depends when the function returns */
  contents?: Flow;
}

/** What callers need to know of a function. */
interface Summary {
  /** for the control flow at its calls */
  readonly rules: Rule[];
  readonly parameters: readonly ParameterSummary[];
  readonly returns: Flow;
}

/**
 * Check every function of a module.
 *
 * @param functions callees before callers
 * @returns breaches of rules whose severity is below error
 * @throws WgslError at the first call, in the order of the functions, that may not be reached by all
 */
export function checkUniformity(functions: readonly FunctionDeclaration[], text: string): Warning[] {
  const summaries = new Map<FunctionDeclaration, Summary>();
  const warnings: Warning[] = [];
  for (const declaration of functions) {
    summaries.set(declaration, new FunctionGraph(declaration, summaries, warnings, text).summary());
  }
  return warnings;
}

/** Ways in which control leaves a statement, as bits. */
const [NEXT, BREAK, CONTINUE, RETURN] = [1, 2, 4, 8] as const;

interface After {
  /** the control flow after it */
  readonly flow: Node;
  readonly leaves: number;
}

/** What the memory of each function-scope variable, and behind each pointer parameter, depends on now. */
type Contents = Map<Variable, Node>;

/** A loop or a switch: what memory depends on where it is left, and where the next round starts. */
interface Around {
  readonly exits: Contents[];
  readonly continues: Contents[] | undefined;
}

interface Root {
  readonly variable: Variable;
  /** whether only a part of it is pointed to */
  readonly isPart: boolean;
}

let walks = 0;

class FunctionGraph {
  readonly #start = new Node();
  readonly #returned = new Node();
  readonly #parameters: Node[] = [];
  /** by parameter, where it points into function memory: what is there when the function returns */
  readonly #left = new Map<Variable, Node>();
  readonly #lets = new Map<Variable, Node>();
  readonly #pointers = new Map<Variable, Root>();
  readonly #needed: { readonly node: Node; readonly rule: Rule }[] = [];
  readonly #around: Around[] = [];
  #contents: Contents = new Map();

  constructor(
    private readonly declaration: FunctionDeclaration,
    private readonly summaries: ReadonlyMap<FunctionDeclaration, Summary>,
    private readonly warnings: Warning[],
    private readonly text: string,
  ) {
    for (const [i, parameter] of declaration.parameters.entries()) {
      const value = new Node();
      value.parameter = i;
      this.#parameters.push(value);
      this.#lets.set(parameter, value);
      const degree = degreeOfBuiltins(parameter);
      if (degree !== undefined) {
        value.degree = degree;
        value.what = `builtin '${parameter.name}' of '${declaration.name}'`;
      }
      if (!isFunctionPointer(parameter.type)) continue;
      const contents = new Node();
      contents.parameter = i;
      contents.isContents = true;
      this.#contents.set(parameter, contents);
      this.#pointers.set(parameter, { variable: parameter, isPart: false });
      this.#left.set(parameter, new Node());
    }
  }

  // ---- results ----

  summary(): Summary {
    const end = this.#block(this.declaration.body, this.#start);
    if (end.leaves & NEXT) this.#leave();
    const rules: Rule[] = [];
    const parameters = this.#parameters.map((): ParameterSummary => ({ rules: [], contentsRules: [] }));
    // Rules of one kind share a walk: where an earlier one came, nothing new is found.
    const byKind = new Map<string, number>();
    for (const { node, rule } of this.#needed) {
      const kind = `${rule.scope} ${rule.severity}`;
      if (!byKind.has(kind)) byKind.set(kind, ++walks);
      const found = this.#reach(node, byKind.get(kind)!);
      if (found.degree > (rule.scope === 'workgroup' ? 0 : 1)) this.#report(node, rule);
      if (found.hasStart) rules.push({ ...rule, text: `${rule.text} (called by '${this.declaration.name}')` });
      const passedOn = (i: number): Rule => {
        const { name } = this.declaration.parameters[i]!;
        return { ...rule, text: `${rule.text} (by parameter '${name}' of '${this.declaration.name}')` };
      };
      for (const i of found.values) parameters[i]!.rules.push(passedOn(i));
      for (const i of found.contents) parameters[i]!.contentsRules.push(passedOn(i));
    }
    for (const [i, parameter] of this.declaration.parameters.entries()) {
      const left = this.#left.get(parameter);
      if (left) parameters[i]!.contents = this.#reach(left, ++walks);
    }
    return { rules, parameters, returns: this.#reach(this.#returned, ++walks) };
  }

  /** Everything that a node depends on and that this walk has not come to yet. */
  #reach(from: Node, walk: number): Reached {
    const values: number[] = [];
    const contents: number[] = [];
    let degree: Degree = 0;
    let hasStart = false;
    const waiting = [from];
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      if (node.seen === walk) continue;
      node.seen = walk;
      if (node.degree > degree) degree = node.degree;
      if (node.parameter >= 0) (node.isContents ? contents : values).push(node.parameter);
      hasStart ||= node === this.#start;
      waiting.push(...node.from);
    }
    return { degree, values, contents, hasStart };
  }

  #report(node: Node, { text, at, severity, scope }: Rule): void {
    const { source, branch } = causeOf(node, scope === 'workgroup' ? 1 : 2);
    const decides = branch ? `${branch.what} at ${placeOf(branch)}` : 'this';
    const rule = `${text}; ${decides} depends on ${source.what}${source.at ? ` at ${placeOf(source)}` : ''}, which may be non-uniform`;
    if (severity === 'error') throw new WgslError(rule, at, this.text);
    this.warnings.push({ severity, rule, at });
  }

  #need(node: Node, rule: Rule): void {
    this.#needed.push({ node, rule });
  }

  // ---- statements ----

  #block({ statements }: Block, flow: Node): After {
    let here = flow;
    let leaves: number = NEXT;
    for (const statement of statements) {
      const after = this.#statement(statement, here);
      here = after.flow;
      leaves = (leaves & ~NEXT) | after.leaves;
      if (!(leaves & NEXT)) break; // the rest is never reached
    }
    return { flow: here, leaves };
  }

  #statement(statement: Statement, flow: Node): After {
    switch (statement.kind) {
      case 'declare': {
        const { variable, value } = statement;
        const node = value ? this.#value(value, flow) : flow;
        if (variable.kind === 'var') this.#contents.set(variable, node);
        else this.#lets.set(variable, node);
        if (value && variable.type.kind === 'pointer') {
          const root = this.#rootOf(value);
          if (root) this.#pointers.set(variable, root);
        }
        return { flow, leaves: NEXT };
      }
      case 'assign':
        this.#assign(statement, flow);
        return { flow, leaves: NEXT };
      case 'evaluate':
        this.#value(statement.expression, flow);
        return { flow, leaves: NEXT };
      case 'block': {
        const before = new Map(this.#contents);
        const after = this.#block(statement.body, flow);
        const last = statement.body.statements.at(-1);
        const isFor = last?.kind === 'loop' && last.written === 'for';
        if (!(after.leaves & NEXT) && !isFor) this.#contents = before;
        return after;
      }
      case 'if':
        return this.#if(statement, flow);
      case 'switch':
        return this.#switch(statement, flow);
      case 'loop':
        return this.#loop(statement, flow);
      case 'break':
        this.#around.at(-1)!.exits.push(new Map(this.#contents));
        return { flow, leaves: BREAK };
      case 'continue':
        this.#around.findLast(({ continues }) => continues)!.continues!.push(new Map(this.#contents));
        return { flow, leaves: CONTINUE };
      case 'return':
        if (statement.value) this.#returned.from.push(this.#value(statement.value, flow));
        this.#leave();
        return { flow, leaves: RETURN };
    }
  }

  /** The function returns here. */
  #leave(): void {
    for (const [parameter, left] of this.#left) left.from.push(this.#contents.get(parameter)!);
  }

  #assign({ place, operator, value }: Of<'assign'>, flow: Node): void {
    const node = new Node(this.#address(place, flow));
    if (operator) node.from.push(this.#read(place, flow));
    node.from.push(this.#value(value, flow));
    this.#store(this.#rootOfPlace(place), node);
  }

  /** Store new contents of memory; a partial store keeps the other parts. */
  #store(root: Root | undefined, node: Node): void {
    if (!root || !this.#contents.has(root.variable)) return;
    if (root.isPart) node.from.push(this.#contents.get(root.variable)!);
    this.#contents.set(root.variable, node);
  }

  #if({ condition, then, else: otherwise, at }: Of<'if'>, flow: Node): After {
    const decided = branch("the 'if'", at, this.#value(condition, flow));
    const before = this.#contents;
    this.#contents = new Map(before);
    const yes = this.#block(then, decided);
    const ends = yes.leaves & NEXT ? [this.#contents] : [];
    this.#contents = new Map(before);
    const no = otherwise ? this.#block(otherwise, decided) : { flow: decided, leaves: NEXT };
    if (no.leaves & NEXT) ends.push(this.#contents);
    this.#contents = merged(ends, before);
    const leaves = yes.leaves | no.leaves;
    return { flow: leaves === NEXT ? flow : new Node(yes.flow, no.flow), leaves };
  }

  #switch({ selector, cases, at }: Of<'switch'>, flow: Node): After {
    const decided = branch("the 'switch'", at, this.#value(selector, flow));
    const before = this.#contents;
    const exits: Contents[] = [];
    this.#around.push({ exits, continues: undefined });
    let leaves = 0;
    const flows = cases.map(({ body }) => {
      this.#contents = new Map(before);
      const after = this.#block(body, decided);
      if (after.leaves & NEXT) exits.push(this.#contents);
      leaves |= after.leaves;
      return after.flow;
    });
    this.#around.pop();
    this.#contents = merged(exits, before);
    if (leaves & BREAK) leaves = (leaves & ~BREAK) | NEXT;
    return { flow: leaves === NEXT ? flow : new Node(...flows), leaves };
  }

  #loop({ condition, body, continuing, breakIf, written, at }: Of<'loop'>, flow: Node): After {
    // Each round starts where the loop is entered, or where the round before ends.
    const start = new Node(flow);
    const entered: Contents = new Map([...this.#contents].map(([variable, node]) => [variable, new Node(node)]));
    this.#contents = new Map(entered);
    const exits: Contents[] = [];
    const continues: Contents[] = [];
    this.#around.push({ exits, continues });
    let here = start;
    const test = (what: string, tested: Expression) => {
      here = branch(what, at, this.#value(tested, here));
      exits.push(new Map(this.#contents));
    };
    if (condition) test('the loop', condition);
    const inside = this.#block(body, here);
    here = inside.flow;
    const { leaves } = inside;
    const goesRound = (leaves & (NEXT | CONTINUE)) !== 0;
    // As in Dawn, the end of a `loop` without a continuing block leads to the next round even if no invocation comes there.
    const isBare = written === 'loop' && !continuing && !breakIf;
    if (leaves & NEXT || isBare) continues.push(this.#contents);
    // What memory holds after a loop that is never left; only such an end asks for it.
    let end = leaves & NEXT ? this.#contents : entered;
    if (goesRound) {
      // The continuing block sees the variables of the body too.
      this.#contents = merged(continues, new Map(continues.flatMap((contents) => [...contents])));
      if (continuing) here = this.#block(continuing, here).flow;
      if (breakIf) test("the 'break if' of the loop", breakIf);
      for (const [variable, node] of entered) {
        const last = this.#contents.get(variable)!;
        if (last !== node) node.from.push(last);
      }
      if (continuing) end = this.#contents;
    }
    // A `while` leads back to its condition even if no round follows: the specification has it so, and Dawn.
    if (goesRound || written === 'while') start.from.push(here);
    this.#around.pop();
    this.#contents = merged(exits, end);
    const ends = condition !== undefined || (breakIf !== undefined && goesRound) || (leaves & BREAK) !== 0;
    const all = (ends ? NEXT : 0) | (leaves & RETURN);
    return { flow: all === NEXT ? flow : new Node(start, here), leaves: all };
  }

  // ---- values ----

  #value(expression: Expression, flow: Node): Node {
    switch (expression.kind) {
      case 'literal':
        return flow;
      case 'value': {
        const node = this.#lets.get(expression.variable)!;
        return node.degree > 0 ? source(node.degree, node.what, expression.at, flow) : new Node(flow, node);
      }
      case 'load':
        return this.#read(expression.place, flow);
      case 'pointer':
        return this.#address(expression.place, flow);
      case 'unary':
        return this.#value(expression.operand, flow);
      case 'binary':
        return new Node(this.#value(expression.left, flow), this.#value(expression.right, flow));
      case 'logical': {
        const left = branch(`the '${expression.operator}'`, expression.at, this.#value(expression.left, flow));
        return this.#value(expression.right, left);
      }
      case 'construct':
        if (expression.arguments.length === 0) return flow;
        return new Node(...expression.arguments.map((argument) => this.#value(argument, flow)));
      case 'index':
        return new Node(this.#value(expression.of, flow), this.#value(expression.index, flow));
      case 'member':
      case 'swizzle':
        return this.#value(expression.of, flow);
      case 'builtin':
        return this.#builtin(expression, flow);
      case 'call':
        return this.#call(expression, flow);
    }
  }

  #builtin({ name, arguments: given, severity = 'error', at }: OfValue<'builtin'>, flow: Node): Node {
    const values = given.map((argument) => this.#value(argument, flow));
    const result = new Node(flow, ...values);
    const needsArgument = (i: number) => `'${name}' requires argument ${i} to be uniform`;
    if (name === 'workgroupBarrier' || name === 'storageBarrier' || name === 'workgroupUniformLoad') {
      const rule = { scope: 'workgroup', severity: 'error', at } as const;
      this.#need(flow, { ...rule, text: `'${name}' must only be called from uniform control flow` });
      if (name === 'workgroupUniformLoad') {
        this.#need(values[0]!, { ...rule, at: startOf(given[0]!), text: needsArgument(0) });
      }
    } else if (needsSubgroups(name)) {
      if (severity !== 'off') {
        const rule = { scope: 'subgroup', severity, at } as const;
        this.#need(flow, { ...rule, text: `'${name}' must only be called from subgroup uniform control flow` });
        if (/^subgroupShuffle./.test(name)) {
          this.#need(values[1]!, { ...rule, at: startOf(given[1]!), text: needsArgument(1) });
        }
      }
      result.from.push(source(GIVES_ALL.test(name) ? 1 : 2, `the value of '${name}'`, at));
    }
    return result;
  }

  #call({ function: callee, arguments: given, at }: OfValue<'call'>, flow: Node): Node {
    const { rules, parameters, returns } = this.summaries.get(callee)!;
    const values = given.map((argument) => this.#value(argument, flow));
    const roots = given.map((argument) => (argument.type.kind === 'pointer' ? this.#rootOf(argument) : undefined));
    const contents = roots.map((root) => root && this.#contents.get(root.variable));
    const result = (what: string, { degree, values: from, contents: through }: Flow) => {
      const node = new Node(flow, ...from.map((i) => values[i]!), ...through.flatMap((i) => contents[i] ?? []));
      if (degree > 0) node.from.push(source(degree, what, at));
      return node;
    };
    for (const rule of rules) this.#need(flow, rule);
    for (const [i, parameter] of parameters.entries()) {
      for (const rule of parameter.rules) this.#need(values[i]!, rule);
      for (const rule of parameter.contentsRules) if (contents[i]) this.#need(contents[i], rule);
    }
    const returned = result(`the value of '${callee.name}'`, returns);
    for (const [i, { contents: left }] of parameters.entries()) {
      if (!left) continue;
      const node = result(`what '${callee.name}' stores`, left);
      node.from.push(values[i]!);
      this.#store(roots[i], node);
    }
    return returned;
  }

  // ---- memory ----

  /** What a place holds depends on where it is and on what was stored there. */
  #read(place: Place, flow: Node): Node {
    const address = this.#address(place, flow);
    const root = this.#rootOfPlace(place);
    const contents = root && this.#contents.get(root.variable);
    if (contents) return new Node(address, contents);
    const { space, access, name } = memoryOf(place);
    if (space === 'uniform' || (space === 'storage' && access === 'read')) return address;
    const kind = space === 'storage' ? `read_write storage '${name}'` : `${space} memory '${name}'`;
    return source(2, kind, place.at, address);
  }

  #address(place: Place, flow: Node): Node {
    switch (place.kind) {
      case 'variable':
        return flow;
      case 'deref':
        return this.#value(place.pointer, flow);
      case 'member':
        return this.#address(place.of, flow);
      case 'element':
        return new Node(this.#address(place.of, flow), this.#value(place.index, flow));
    }
  }

  /** The variable or pointer parameter that a pointer leads to. */
  #rootOf(pointer: Expression): Root | undefined {
    if (pointer.kind === 'value') return this.#pointers.get(pointer.variable);
    return pointer.kind === 'pointer' ? this.#rootOfPlace(pointer.place) : undefined;
  }

  #rootOfPlace(place: Place): Root | undefined {
    if (place.kind === 'variable') return { variable: place.variable, isPart: false };
    if (place.kind === 'deref') return this.#rootOf(place.pointer);
    const root = this.#rootOfPlace(place.of);
    return root && { ...root, isPart: true };
  }
}

type Of<Kind extends Statement['kind']> = Statement & { readonly kind: Kind };
type OfValue<Kind extends Expression['kind']> = Expression & { readonly kind: Kind };

/** Subgroup operations that give the same to the whole subgroup if their arguments are the same in it. */
const GIVES_ALL = /^subgroup(Add|Mul|Min|Max|And|Or|Xor|Any|All|Ballot|Broadcast|BroadcastFirst)$/;

const DEGREES: Readonly<Partial<Record<BuiltinValue, Degree>>> = {
  workgroup_id: 0,
  num_workgroups: 0,
  subgroup_size: 0,
  num_subgroups: 0,
  subgroup_id: 1,
};

/** How far a parameter of an entry point differs; a struct, as far as the member that differs most. */
function degreeOfBuiltins({ builtin, type }: Variable): Degree | undefined {
  const named = type.kind === 'struct' ? type.members.map((member) => member.builtin) : [builtin];
  const degrees = named.flatMap((name) => (name ? [DEGREES[name] ?? 2] : []));
  return degrees.length === 0 ? undefined : (Math.max(...degrees) as Degree);
}

const isFunctionPointer = (type: Type) => type.kind === 'pointer' && type.space === 'function';

function branch(what: string, at: Position, condition: Node): Node {
  const node = new Node(condition);
  node.what = what;
  node.at = at;
  return node;
}

function source(degree: Degree, what: string, at: Position, ...from: Node[]): Node {
  const node = new Node(...from);
  node.degree = degree;
  node.what = what;
  node.at = at;
  return node;
}

/** Memory of some variables at the join of several paths. */
function merged(ends: readonly Contents[], of: Contents): Contents {
  if (ends.length === 0) return of;
  if (ends.length === 1) return ends[0]!;
  const all: Contents = new Map();
  for (const variable of of.keys()) {
    const nodes = new Set(ends.flatMap((contents) => contents.get(variable) ?? []));
    all.set(variable, nodes.size === 1 ? [...nodes][0]! : new Node(...nodes));
  }
  return all;
}

/** The address space of a place outside functions. */
function memoryOf(place: Place): { space: string; access?: string; name: string } {
  if (place.kind === 'variable') return place.variable;
  if (place.kind !== 'deref') return memoryOf(place.of);
  const { space, access } = place.pointer.type as PointerType;
  return { space, access, name: place.pointer.kind === 'value' ? place.pointer.variable.name : '' };
}

interface Reached extends Flow {
  readonly hasStart: boolean;
}

/** The nearest source of that degree, and the control flow nearest to `from` on the way there. */
function causeOf(from: Node, least: Degree): { source: Node; branch: Node | undefined } {
  const came = new Map<Node, Node | undefined>([[from, undefined]]);
  for (const node of came.keys()) {
    if (node.degree >= least) {
      let decides: Node | undefined;
      for (let on: Node | undefined = node; on; on = came.get(on)) if (on.what && on.degree === 0) decides = on;
      return { source: node, branch: decides };
    }
    for (const next of node.from) if (!came.has(next)) came.set(next, node);
  }
  throw new TypeError('nothing differs');
}

/** Where an expression begins: `a` of `a.b[c]`. */
function startOf(expression: Expression): Position {
  switch (expression.kind) {
    case 'binary':
    case 'logical':
      return startOf(expression.left);
    case 'index':
    case 'member':
    case 'swizzle':
      return startOf(expression.of);
    case 'load': {
      let { place } = expression;
      while (place.kind === 'element' || place.kind === 'member') place = place.of;
      return place.at;
    }
    default:
      return expression.at;
  }
}

const placeOf = ({ at }: Node) => `${at!.line}:${at!.column}`;
