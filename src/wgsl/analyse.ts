/**
 * A syntax tree into a typed tree: declarations of the module.
 *
 * They may come in any order, so each is analysed when its name is first needed. A declaration that is needed during
 * its own analysis depends on itself, which WGSL refuses. A function is finished after those that it calls.
 */
import { KNOWN_ATTRIBUTES, OF_RENDERING } from './attributes.js';
import { type ConstantValue, convertScalar, type ScalarValue } from './constants.js';
import { WgslError } from './errors.js';
import { constantOf, overrideOf } from './expressions.js';
import { alignOf, sizeOf } from './layout.js';
import { type ConstantOperand, converted, expressionOf } from './operands.js';
import { type AnalysedFunction, type Analysis, type Entity, type Known, Scope, type Uses } from './scope.js';
import { assertConstant, constantEntity, functionBody, initialValue } from './statements.js';
import type {
  AttributeSyntax,
  DeclarationSyntax,
  FunctionSyntax,
  MemberSyntax,
  ModuleSyntax,
  VariableSyntax,
} from './syntax.js';
import type {
  AddressSpace,
  BuiltinValue,
  EntryPoint,
  FunctionDeclaration,
  Module,
  OverrideDeclaration,
  Position,
  ScalarType,
  StructType,
  Type,
  Variable,
} from './tree.js';
import { accessOf, checkStore, endOf, OVERRIDE_SIZED, spaceOf, typeOf } from './typeNames.js';
import {
  ABSTRACT_FLOAT,
  ABSTRACT_INT,
  BOOL,
  F32,
  I32,
  isConstructible,
  isOverrideSized,
  layOut,
  sameType,
  typeName,
  U32,
  VOID,
} from './types.js';
import { checkUniformity } from './uniformity.js';

/** Values of `override`s, given when a module is read. */
export interface ParseOptions {
  /** extensions that the module may enable; default all known */
  readonly extensions?: readonly string[];
  /** values of `override`s, by name or by `@id` */
  readonly overrides?: Readonly<Record<string, number>>;
  /**
   * An `override` without a value is 1 at first, so that a module can be checked before its pipeline gives values.
   * Without `overrides`, those with a default may still change too.
   */
  readonly optionalOverrides?: boolean;
  /**
   * Analyse only this entry point and the declarations that it uses: values are needed only for the overrides among
   * them. The whole module must have been analysed before.
   */
  readonly entryPoint?: string;
  /**
   * Do not check that all invocations reach each barrier and subgroup operation: for the interpreter and the checker,
   * which detect missing invocations at run time. Such a module cannot be compiled.
   */
  readonly allowNonUniform?: boolean;
}

/** @throws WgslError when the module breaks a rule */
export function analyse(syntax: ModuleSyntax, text: string, options: ParseOptions = {}): Module {
  return new ModuleAnalyser(syntax, text, options).module();
}

/** The stage of an entry point. */
function stageOf(syntax: DeclarationSyntax): string | undefined {
  if (syntax.kind !== 'function') return undefined;
  return syntax.attributes.find(({ name }) => /^(compute|vertex|fragment)$/.test(name))?.name;
}

interface Entry {
  readonly syntax: FunctionSyntax;
  readonly workgroupSize: EntryPoint['workgroupSize'];
}

class ModuleAnalyser {
  private readonly scope: Scope;
  private readonly globals = new Map<VariableSyntax, Variable>();
  private readonly functions: AnalysedFunction[] = [];
  private readonly entries = new Map<AnalysedFunction, Entry>();
  private readonly overrides = new Map<VariableSyntax, OverrideDeclaration>();
  /** the overrides on which each declaration depends */
  private readonly overridesOf = new Map<DeclarationSyntax, Set<OverrideDeclaration>>();
  private readonly overrideIds = new Map<number, string>();
  /** declarations being analysed, the outermost first */
  private readonly pending: (DeclarationSyntax & { name: string })[] = [];
  private hasOptionalOverrides: boolean;
  /** 1 while declarations are analysed whose constants are not needed */
  private skipped = 0;

  constructor(
    private readonly syntax: ModuleSyntax,
    text: string,
    private readonly options: ParseOptions,
  ) {
    this.hasOptionalOverrides = options.optionalOverrides ?? false;
    const analysis: Analysis = {
      text,
      enables: syntax.enables,
      nextId: 0,
      skipped: 0,
      isCooperative: false,
    };
    this.scope = Scope.ofModule(analysis);
  }

  private fail(rule: string, at: Position): never {
    return this.scope.fail(rule, at);
  }

  module(): Module {
    const { declarations } = this.syntax;
    for (const declaration of declarations) {
      if (declaration.kind === 'const_assert') continue;
      this.scope.declare(declaration.name, declaration.at, this.onceNeeded(declaration));
    }
    const { entryPoint } = this.options;
    const kernels = declarations.filter((one) => stageOf(one) === 'compute');
    const isDrawing = declarations.some((one) => stageOf(one) !== undefined && stageOf(one) !== 'compute');
    if (entryPoint !== undefined) {
      this.analyseAll(kernels.filter((one) => 'name' in one && one.name === entryPoint));
      // Only given values of the others are checked.
      this.hasOptionalOverrides = true;
      this.skipped = 1;
      this.analyseAll(declarations.filter(({ kind }) => kind === 'override'));
    } else if (kernels.length > 0 && isDrawing) {
      // What only the other stages use is not read: textures, locations, their own functions.
      this.analyseAll(kernels);
      this.analyseAll(declarations.filter(({ kind }) => kind === 'override' || kind === 'const_assert'));
    } else this.analyseAll(declarations);
    this.checkOverrideNames();
    const inOrder = <Node, Value>(found: ReadonlyMap<Node, Value>) =>
      declarations.flatMap((declaration) => found.get(declaration as Node) ?? []);
    const globals = inOrder(this.globals);
    const entryPoints = [...this.entries].map(([analysed, entry]) => this.entryPoint(analysed, entry, globals));
    const { text, isCooperative } = this.scope.analysis;
    const functions = this.functions.map(({ declaration }) => declaration);
    const isUniform = !this.options.allowNonUniform;
    // This is known for a module that is analysed again for an entry point.
    const isChecked = !isCooperative || !isUniform || entryPoint !== undefined;
    return {
      text,
      entryPoints,
      functions,
      globals,
      overrides: inOrder(this.overrides),
      enables: this.syntax.enables,
      warnings: [...this.syntax.warnings, ...(isChecked ? [] : checkUniformity(functions, text))],
      isUniform,
    };
  }

  private analyseAll(declarations: readonly DeclarationSyntax[]) {
    for (const declaration of declarations) {
      if (declaration.kind === 'const_assert') assertConstant(declaration.condition, declaration.at, this.scope);
      else this.analyseNamed(declaration.name, declaration.at);
    }
  }

  private analyseNamed(name: string, at: Position) {
    try {
      this.scope.find(name);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.fail(`'${name}' depends on too long a chain of later declarations; put them before it`, at);
    }
  }

  private onceNeeded(declaration: DeclarationSyntax & { name: string }): () => Entity {
    let entity: Entity | undefined;
    return () => {
      if (entity) return this.needed(declaration, entity);
      const from = this.pending.indexOf(declaration);
      if (from !== -1) {
        const names = [...this.pending.slice(from), declaration].map(({ name }) => `'${name}'`).join(' -> ');
        this.fail(`cyclic dependency found: ${names}`, declaration.at);
      }
      this.pending.push(declaration);
      this.overridesOf.set(declaration, new Set());
      const { skipped } = this.scope.analysis;
      this.scope.analysis.skipped = this.skipped;
      entity = this.declare(declaration);
      this.scope.analysis.skipped = skipped;
      this.pending.pop();
      return this.needed(declaration, entity);
    };
  }

  /** A user of a declaration also needs its overrides. */
  private needed(declaration: DeclarationSyntax, entity: Entity): Entity {
    const by = this.pending.at(-1);
    if (by) for (const override of this.overridesOf.get(declaration)!) this.overridesOf.get(by)!.add(override);
    return entity;
  }

  private declare(syntax: DeclarationSyntax): Entity {
    this.checkAttributes(syntax);
    switch (syntax.kind) {
      case 'alias':
        return { kind: 'type', type: typeOf(syntax.type, this.scope) };
      case 'struct':
        return { kind: 'type', type: this.struct(syntax.name, syntax.members, syntax.at) };
      case 'const':
        return constantEntity(syntax, this.scope);
      case 'override':
        return this.override(syntax);
      case 'var':
        return { kind: 'variable', variable: this.variable(syntax) };
      case 'function':
        return { kind: 'function', function: this.function(syntax) };
      default:
        throw new TypeError(`${syntax.kind} is not a declaration`);
    }
  }

  // ---- attributes ----

  private checkAttributes(syntax: DeclarationSyntax) {
    if (!('attributes' in syntax)) return;
    this.allow(syntax.attributes, syntax.kind);
  }

  private allow(attributes: readonly AttributeSyntax[], where: keyof typeof KNOWN_ATTRIBUTES) {
    const seen = new Set<string>();
    for (const { name, at, arguments: given } of attributes) {
      const counts = KNOWN_ATTRIBUTES[where][name];
      if (!counts) {
        const isRendering = OF_RENDERING.includes(name);
        this.fail(
          isRendering ? `'@${name}' is not supported; only @compute runs` : `'@${name}' is not valid for a ${where}`,
          at,
        );
      }
      if (seen.has(name) && name !== 'diagnostic') this.fail(`duplicate ${name} attribute`, at);
      seen.add(name);
      const [least, most] = counts;
      if (given.length < least || given.length > most) {
        this.fail(
          `'@${name}' takes ${least === most ? least : `${least} to ${most}`} arguments; found ${given.length}`,
          at,
        );
      }
    }
  }

  private find(attributes: readonly AttributeSyntax[], name: string): AttributeSyntax | undefined {
    return attributes.find((attribute) => attribute.name === name);
  }

  /** The number in `@binding(2)`. */
  private number({ name, arguments: [given] }: AttributeSyntax): number {
    const operand = constantOf(given!, this.scope, `'@${name}'`);
    return this.integer(operand, `'@${name}'`);
  }

  private integer(operand: ConstantOperand, what: string): number {
    const integer = converted(operand, I32, this.scope) ?? converted(operand, U32, this.scope);
    if (integer?.kind !== 'constant') return this.fail(`${what} must be an i32 or u32 value`, operand.at);
    return integer.value as number;
  }

  /** The builtin value of a member or parameter; undefined for one of a render stage, which only a member can be. */
  private builtinOf({ attributes, at }: MemberSyntax, type: Type, isMember: boolean): BuiltinValue | undefined {
    const attribute = this.find(attributes, 'builtin');
    if (!attribute) return undefined;
    const [given] = attribute.arguments;
    const name = given!.kind === 'name' ? given!.name : '';
    const isRendering = isMember && Object.hasOwn(RENDER_VALUES, name);
    if (!Object.hasOwn(BUILTIN_VALUES, name) && !isRendering) {
      const known = Object.keys(BUILTIN_VALUES).join(', ');
      this.fail(`'${name}' is no builtin value of a compute shader; there are ${known}`, given!.at);
    }
    if (/subgroup/.test(name) && !this.syntax.enables.includes('subgroups')) {
      this.fail(
        `use of '@builtin(${name})' requires enabling extension 'subgroups'; write enable subgroups; first`,
        given!.at,
      );
    }
    const wanted = isRendering ? RENDER_VALUES[name]! : BUILTIN_VALUES[name as BuiltinValue];
    if (!sameType(type, wanted)) this.fail(`store type of '@builtin(${name})' must be '${typeName(wanted)}'`, at);
    return isRendering ? undefined : (name as BuiltinValue);
  }

  // ---- structs ----

  private struct(name: string, members: readonly MemberSyntax[], at: Position): StructType {
    if (members.length === 0) this.fail('structures must have at least one member', at);
    const seen = new Set<string>();
    const placed = members.map((member, i) => {
      if (seen.has(member.name)) this.fail(`redefinition of '${member.name}'`, member.at);
      seen.add(member.name);
      this.allow(member.attributes, 'member');
      const type = typeOf(member.type, this.scope);
      const isRuntimeArray = type.kind === 'array' && type.count === undefined;
      if (isRuntimeArray && i < members.length - 1) {
        this.fail('runtime arrays may only appear as the last member of a struct', member.at);
      }
      if (!isRuntimeArray && !isConstructible(type)) {
        this.fail(`a struct cannot contain a '${typeName(type)}'${endOf(type)}`, member.at);
      }
      if (isOverrideSized(type)) this.fail(OVERRIDE_SIZED, member.at);
      const builtin = this.builtinOf(member, type, true);
      return { name: member.name, type, ...this.placement(member, type), ...(builtin && { builtin }) };
    });
    return layOut(name, placed);
  }

  /** `@align` and `@size` of a member. */
  private placement({ attributes }: MemberSyntax, type: Type): { align?: number; size?: number } {
    const alignAttribute = this.find(attributes, 'align');
    const sizeAttribute = this.find(attributes, 'size');
    const align = alignAttribute && this.number(alignAttribute);
    if (align !== undefined && (align <= 0 || !Number.isInteger(Math.log2(align)))) {
      this.fail(`'@align' value must be a positive, power-of-two integer; found ${align}`, alignAttribute!.at);
    }
    if (align !== undefined && align % alignOf(type) !== 0) {
      this.fail(
        `'@align' must be a multiple of ${alignOf(type)}, the alignment of '${typeName(type)}'`,
        alignAttribute!.at,
      );
    }
    const size = sizeAttribute && this.number(sizeAttribute);
    if (size !== undefined && !isConstructible(type)) {
      this.fail("'@size' is for types of a fixed size, not for a runtime-sized array", sizeAttribute!.at);
    }
    if (size !== undefined && size < sizeOf(type)) {
      this.fail(
        `'@size' must be at least as big as the type's size (${sizeOf(type)}); found ${size}`,
        sizeAttribute!.at,
      );
    }
    return { ...(align !== undefined && { align }), ...(size !== undefined && { size }) };
  }

  // ---- overrides ----

  private override(syntax: VariableSyntax): Entity {
    const { name, at, attributes } = syntax;
    const idAttribute = this.find(attributes, 'id');
    const id = idAttribute && this.number(idAttribute);
    if (id !== undefined) {
      if (id < 0 || id > 65535) this.fail(`'@id' value must be between 0 and 65535; found ${id}`, idAttribute!.at);
      const other = this.overrideIds.get(id);
      if (other) this.fail(`'@id' values must be unique; ${id} is that of '${other}' too`, idAttribute!.at);
      this.overrideIds.set(id, name);
    }
    const declared = syntax.type && typeOf(syntax.type, this.scope);
    if (declared && declared.kind !== 'scalar') {
      this.fail(`'override' must be a bool, i32, u32 or f32; found '${typeName(declared)}'`, at);
    }
    if (!syntax.type && !syntax.value) this.fail("'override' declaration requires a type or initializer", at);
    const initial =
      syntax.value &&
      initialValue(overrideOf(syntax.value, this.scope, 'override initializer'), declared, 'override', this.scope);
    const type = (declared ?? initial!.type) as ScalarType;
    if (type.kind !== 'scalar') this.fail(`'override' must be a bool, i32, u32 or f32; found '${typeName(type)}'`, at);
    const override: OverrideDeclaration = { name, id, type, required: initial === undefined };
    this.overrides.set(syntax, override);
    this.overridesOf.get(syntax)!.add(override);
    return this.overrideValue(override, initial as ConstantOperand | undefined, at);
  }

  private overrideValue(
    { name, id, type }: OverrideDeclaration,
    initial: ConstantOperand | undefined,
    at: Position,
  ): Entity {
    const { overrides } = this.options;
    const values = overrides ?? {};
    const key = [name, String(id)].find((candidate) => Object.hasOwn(values, candidate));
    const entity = (value: ConstantValue, known: Known): Entity => ({
      kind: 'constant',
      constant: { type, value },
      known,
    });
    if (key !== undefined) return entity(this.given(values[key]!, name, type, at), 'pipeline');
    if (initial) {
      const isFinal = initial.known !== 'later' && (overrides !== undefined || !this.hasOptionalOverrides);
      return entity(initial.value, isFinal ? 'pipeline' : 'later');
    }
    if (!this.hasOptionalOverrides)
      this.fail(`override '${name}' has no value; give one when the pipeline is made`, at);
    return entity(type.name === 'bool' ? true : 1, 'later');
  }

  /** A given number as a value of the override's type. */
  private given(value: number, name: string, type: ScalarType, at: Position): ScalarValue {
    const number = Number(value);
    if (type.name === 'bool') return number !== 0 && !Number.isNaN(number);
    const isInteger = type.name !== 'f32';
    if (!Number.isFinite(number)) this.fail(`override '${name}' is of type ${type.name}; ${value} is none`, at);
    const exact = isInteger ? BigInt(Math.trunc(number)) : number; // as WebGPU converts numbers
    const from = isInteger ? ABSTRACT_INT : ABSTRACT_FLOAT;
    try {
      return convertScalar(exact, from, type);
    } catch (error) {
      return this.fail((error as Error).message, at);
    }
  }

  private checkOverrideNames() {
    const known = [...this.overrides.values()].flatMap(({ name, id }) =>
      id === undefined ? [name] : [name, String(id)],
    );
    const unknown = Object.keys(this.options.overrides ?? {}).find((key) => !known.includes(key));
    if (unknown === undefined) return;
    const list = known.length > 0 ? `there are ${known.join(', ')}` : 'there are none';
    throw new WgslError(
      `the module has no override '${unknown}'; ${list}`,
      { line: 1, column: 1 },
      this.scope.analysis.text,
    );
  }

  // ---- variables ----

  private variable(syntax: VariableSyntax): Variable {
    const { name, at, template } = syntax;
    // A texture or a sampler has no address space; it is refused by its type.
    if (!template && syntax.type) typeOf(syntax.type, this.scope);
    if (!template)
      this.fail(`module-scope 'var' declarations require an address space; write var<private> or var<workgroup>`, at);
    const [spaceName, accessName] = template;
    const space = spaceOf(spaceName!, this.scope);
    if (space === 'function')
      this.fail("module-scope 'var' must not use address space 'function'; write var<private>", at);
    const access = accessOf(accessName, space, this.scope);
    const initial = syntax.value && this.initialOf(syntax, space);
    if (!syntax.type && !initial) this.fail("'var' declaration requires a type or initializer", at);
    const type = syntax.type ? typeOf(syntax.type, this.scope) : (initial!.type as Type);
    checkStore(type, space, at, this.scope);
    const binding = this.bindingOf(syntax, space);
    const variable: Variable = {
      id: this.scope.newId(),
      kind: 'var',
      name,
      type,
      at,
      space,
      ...(binding && { binding }),
      ...(space === 'storage' && { access }),
      ...(initial && { initial: expressionOf(initial, this.scope) }),
    };
    this.globals.set(syntax, variable);
    return variable;
  }

  private initialOf(syntax: VariableSyntax, space: AddressSpace): ConstantOperand {
    if (space !== 'private') {
      this.fail(`'var' initializer is only for <private> and <function>; <${space}> cannot have one`, syntax.at);
    }
    const declared = syntax.type && typeOf(syntax.type, this.scope);
    const operand = overrideOf(syntax.value!, this.scope, "module-scope 'var' initializer");
    return initialValue(operand, declared, 'var', this.scope) as ConstantOperand;
  }

  private bindingOf({ attributes, at }: VariableSyntax, space: AddressSpace): Variable['binding'] {
    const group = this.find(attributes, 'group');
    const binding = this.find(attributes, 'binding');
    if (space !== 'storage' && space !== 'uniform') {
      const stray = group ?? binding;
      if (stray) this.fail("only resource variables may have '@group' and '@binding'", stray.at);
      return undefined;
    }
    if (!group || !binding) return this.fail("resource variables require '@group' and '@binding' attributes", at);
    const found = { group: this.number(group), binding: this.number(binding) };
    if (found.group < 0) this.fail("'@group' value must be non-negative", group.at);
    if (found.binding < 0) this.fail("'@binding' value must be non-negative", binding.at);
    return found;
  }

  // ---- functions ----

  private function(syntax: FunctionSyntax): AnalysedFunction {
    const { name, at, attributes } = syntax;
    const compute = this.find(attributes, 'compute');
    const sizeAttribute = this.find(attributes, 'workgroup_size');
    if (compute && !sizeAttribute) {
      this.fail("a compute shader must include '@workgroup_size' in its attributes", compute.at);
    }
    if (sizeAttribute && !compute) this.fail("'@workgroup_size' is only valid for compute stages", sizeAttribute.at);
    const uses: Uses = { globals: new Set(), reads: new Set(), writes: new Set() };
    const scope = this.scope.ofFunction(uses);
    const workgroupSize = sizeAttribute && this.workgroupSize(sizeAttribute, scope);
    const lanesAttribute = this.find(attributes, 'subgroup_size');
    if (lanesAttribute && !compute) this.fail("'@subgroup_size' is only valid for compute stages", lanesAttribute.at);
    if (lanesAttribute) this.checkSubgroupSize(lanesAttribute, scope);
    const parameters = syntax.parameters.map((parameter) => this.parameter(parameter, compute !== undefined, scope));
    if (compute) this.checkBuiltinsOnce(parameters);
    const returns = this.returnType(syntax, compute !== undefined);
    const mustUse = this.find(attributes, 'must_use');
    if (mustUse && returns.kind === 'void')
      this.fail("'@must_use' can only be applied to functions that return a value", mustUse.at);
    const body = functionBody(syntax.body, returns, at, name, scope);
    const declaration: FunctionDeclaration = { name, parameters, returns, body, at };
    const analysed = { declaration, isEntryPoint: compute !== undefined, mustUse: mustUse !== undefined, uses };
    this.functions.push(analysed);
    if (workgroupSize) this.entries.set(analysed, { syntax, workgroupSize });
    return analysed;
  }

  private parameter(syntax: MemberSyntax, ofEntryPoint: boolean, scope: Scope): Variable {
    const { name, at, attributes } = syntax;
    this.allow(attributes, 'parameter');
    const type = typeOf(syntax.type, this.scope);
    if (!isConstructible(type) && type.kind !== 'pointer') {
      this.fail(`a parameter cannot be a '${typeName(type)}'${endOf(type)}`, at);
    }
    if (type.kind !== 'pointer') checkStore(type, 'function', at, this.scope);
    const builtin = this.builtinOf(syntax, type, false);
    if (!ofEntryPoint && builtin) this.fail("'@builtin' is not valid for non-entry point function parameters", at);
    if (ofEntryPoint && !builtin) {
      const missing = type.kind === 'struct' ? type.members.find((member) => !member.builtin)?.name : name;
      if (missing !== undefined)
        this.fail(`missing entry point IO attribute on '${missing}'; write a @builtin(…) of compute shaders`, at);
    }
    const variable: Variable = {
      id: this.scope.newId(),
      kind: 'parameter',
      name,
      type,
      at,
      space: 'function',
      ...(builtin && { builtin }),
    };
    scope.declare(name, at, { kind: 'variable', variable, ...(type.kind === 'pointer' && { root: variable }) });
    return variable;
  }

  private checkBuiltinsOnce(parameters: readonly Variable[]) {
    const seen = new Set<BuiltinValue>();
    for (const { builtin, type, at } of parameters) {
      const named = type.kind === 'struct' ? type.members.map((member) => member.builtin) : [builtin];
      for (const name of named) {
        if (name && seen.has(name)) this.fail(`'@builtin(${name})' appears multiple times as pipeline input`, at);
        if (name) seen.add(name);
      }
    }
  }

  private returnType({ returns: syntax, returnAttributes, at }: FunctionSyntax, ofEntryPoint: boolean): Type {
    if (!syntax) return VOID;
    const [attribute] = returnAttributes;
    if (attribute) this.fail(`'@${attribute.name}' is not for what a compute entry point returns`, attribute.at);
    const type = typeOf(syntax, this.scope);
    if (ofEntryPoint) this.fail('a compute entry point returns nothing; write results to storage', at);
    if (!isConstructible(type))
      this.fail(`function return type must be a constructible type; found '${typeName(type)}'`, syntax.at);
    checkStore(type, 'function', syntax.at, this.scope);
    return type;
  }

  private workgroupSize({ arguments: given }: AttributeSyntax, scope: Scope): EntryPoint['workgroupSize'] {
    const operands = given.map((syntax) => overrideOf(syntax, scope, "'@workgroup_size'"));
    const types = new Set(operands.map(({ type }) => typeName(type)).filter((type) => type !== typeName(ABSTRACT_INT)));
    if (types.size > 1)
      this.fail("'@workgroup_size' arguments must be of the same type, either i32 or u32", given[0]!.at);
    const sizes = operands.map((operand) => {
      const size = this.integer(operand, "'@workgroup_size' argument");
      if (size < 1 && operand.known !== 'later') {
        this.fail("'@workgroup_size' argument must be at least 1", operand.at);
      }
      return size;
    });
    const [x = 1, y = 1, z = 1] = sizes;
    return [x, y, z];
  }

  /**
   * Asks a GPU for subgroups of so many lanes. Here their number is the caller's, so that only the rules are checked.
   */
  private checkSubgroupSize({ arguments: given, at }: AttributeSyntax, scope: Scope): void {
    if (!this.syntax.enables.includes('subgroup_size_control')) {
      this.fail("use of '@subgroup_size' requires enabling extension 'subgroup_size_control'", at);
    }
    const operand = overrideOf(given[0]!, scope, "'@subgroup_size'");
    const lanes = this.integer(operand, "'@subgroup_size' argument");
    if (operand.known === 'later') return;
    if (lanes < 1) this.fail("'@subgroup_size' argument must be at least 1", operand.at);
    if (!Number.isInteger(Math.log2(lanes))) this.fail("'@subgroup_size' argument must be a power of 2", operand.at);
  }

  private entryPoint(
    { declaration, uses }: AnalysedFunction,
    { syntax, workgroupSize }: Entry,
    globals: readonly Variable[],
  ): EntryPoint {
    const needed = this.overridesOf.get(syntax)!;
    const used = globals.filter((variable) => uses.globals.has(variable));
    const seen = new Map<string, Variable>();
    for (const variable of used) {
      if (!variable.binding) continue;
      const { group, binding } = variable.binding;
      const key = `@group(${group}) @binding(${binding})`;
      const other = seen.get(key);
      if (other) {
        const rule = `entry point '${declaration.name}' references multiple variables that use the same resource binding ${key}`;
        this.fail(`${rule}: '${other.name}' and '${variable.name}'`, variable.at);
      }
      seen.set(key, variable);
    }
    return {
      function: declaration,
      workgroupSize,
      globals: used,
      overrides: [...this.overrides.values()].filter((override) => needed.has(override)),
    };
  }
}

/** Builtin values of render stages, with which a struct that a compute stage shares may be marked. */
const RENDER_VALUES: Readonly<Record<string, Type>> = {
  position: { kind: 'vector', size: 4, of: F32 },
  vertex_index: U32,
  instance_index: U32,
  front_facing: BOOL,
  frag_depth: F32,
  sample_index: U32,
  sample_mask: U32,
};

const VEC3U: Type = { kind: 'vector', size: 3, of: U32 };

const BUILTIN_VALUES: Readonly<Record<BuiltinValue, Type>> = {
  local_invocation_id: VEC3U,
  local_invocation_index: U32,
  global_invocation_id: VEC3U,
  global_invocation_index: U32,
  workgroup_id: VEC3U,
  workgroup_index: U32,
  num_workgroups: VEC3U,
  subgroup_invocation_id: U32,
  subgroup_size: U32,
  subgroup_id: U32,
  num_subgroups: U32,
};
