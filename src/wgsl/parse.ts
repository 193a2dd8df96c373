/** Tokens into a syntax tree, by recursive descent: one method per rule of WGSL's grammar. */
import { conflicting, SEVERITIES, severityIn, unknownRule } from './diagnostics.js';
import { WgslError } from './errors.js';
import type {
  AssertSyntax,
  AttributeSyntax,
  BlockSyntax,
  CaseSyntax,
  DeclarationSyntax,
  DiagnosticSyntax,
  ExpressionSyntax,
  FunctionSyntax,
  MemberSyntax,
  ModuleSyntax,
  NameSyntax,
  StatementSyntax,
  VariableSyntax,
} from './syntax.js';
import { type Token, tokenise } from './tokens.js';
import type { BinaryOperator, Position, Severity, UnaryOperator, Warning } from './tree.js';
import { KEYWORDS, RESERVED } from './words.js';

/** @param extensions may be enabled; default all known   @throws WgslError when the text breaks WGSL's grammar */
export function parse(text: string, extensions: readonly string[] = ENABLES): ModuleSyntax {
  return new Parser(text, extensions).module();
}

const BITWISE = ['&', '|', '^'];
const LOGICAL = ['&&', '||'];
const RELATIONAL = ['<', '>', '<=', '>=', '==', '!='];
const SHIFTS = ['<<', '>>'];
const ADDITIVE = ['+', '-'];
const MULTIPLICATIVE = ['*', '/', '%'];
const BINARY = [...BITWISE, ...LOGICAL, ...RELATIONAL, ...SHIFTS, ...ADDITIVE, ...MULTIPLICATIVE];
const COMPOUND = ['+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>='];

/** Extensions of the language that a kernel may enable. */
const ENABLES = ['subgroups', 'subgroup_size_control'];
/** Extensions that are not implemented, with a fix. */
const LEFT_OUT: Record<string, string> = {
  f16: 'write f32',
  chromium_experimental_subgroup_matrix: 'write the product with loops',
};
/** Language features that are always available; `requires` may name them. */
const FEATURES = [
  'packed_4x8_integer_dot_product',
  'unrestricted_pointer_parameters',
  'pointer_composite_access',
  'uniform_buffer_standard_layout',
  'subgroup_id',
  'subgroup_uniformity',
  'swizzle_assignment',
  'linear_indexing',
  // of what is not a compute kernel's: a module that names one of them may be read
  'readonly_and_readwrite_storage_textures',
  'texture_and_sampler_let',
  'texture_formats_tier1',
  'fragment_depth',
];

/** As in Dawn: deeper trees would overflow a stack. */
const MAX_DEPTH = 127;
const MAX_CHAIN = 512;

class Parser {
  private readonly tokens: Token[];
  private next = 0;
  /** nesting depth of the token in statements and expressions */
  private depth = 0;
  /** what the `diagnostic`s around say of subgroup operations that not all may reach */
  private severity: Severity | undefined;
  private readonly warnings: Warning[] = [];

  constructor(
    private readonly text: string,
    private readonly extensions: readonly string[],
  ) {
    this.tokens = tokenise(text);
  }

  // ---- tokens ----

  private get token(): Token {
    return this.tokens[this.next]!;
  }

  private fail(rule: string, at: Position = this.token.at): never {
    throw new WgslError(rule, at, this.text);
  }

  /** The next token is this symbol or keyword. */
  private sees(text: string): boolean {
    return this.token.text === text && this.token.kind !== 'end';
  }

  private accept(text: string): boolean {
    if (!this.sees(text)) return false;
    this.next++;
    return true;
  }

  private expect(text: string, where: string): Token {
    if (!this.sees(text)) this.fail(`expected '${text}' ${where}; found '${this.token.text}'`);
    return this.tokens[this.next++]!;
  }

  private name(what: string): string {
    const { kind, text } = this.token;
    if (kind !== 'name' || KEYWORDS.has(text)) this.fail(`expected ${what}; found '${text}'`);
    if (RESERVED.has(text)) this.fail(`'${text}' is a reserved word; choose another name`);
    if (text.startsWith('__')) this.fail(`'${text}': a name must not start with two underscores`);
    this.next++;
    return text;
  }

  /** Comma-separated items up to and including `close`; a comma may follow the last. */
  private list<T>(close: string, where: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.sees(close)) {
      items.push(item());
      if (!this.accept(',')) break;
    }
    this.expect(close, where);
    return items;
  }

  private nested<T>(parse: () => T, most = MAX_DEPTH): T {
    if (this.depth >= most) this.fail(`nested more than ${MAX_DEPTH} levels deep; split it up`);
    this.depth++;
    const parsed = parse();
    this.depth--;
    return parsed;
  }

  // ---- module ----

  module(): ModuleSyntax {
    const enables: string[] = [];
    const diagnostics: DiagnosticSyntax[] = [];
    while (this.directive(enables, diagnostics));
    this.severity = severityIn(diagnostics);
    const declarations: DeclarationSyntax[] = [];
    while (this.token.kind !== 'end') {
      if (!this.accept(';')) declarations.push(this.declaration());
    }
    return { enables, declarations, warnings: this.warnings };
  }

  private directive(enables: string[], diagnostics: DiagnosticSyntax[]): boolean {
    if (this.sees('enable')) {
      this.next++;
      const named = this.list(';', 'after the extensions', () => this.extension(enables));
      if (named.length === 0) this.fail("expected the name of an extension after 'enable'");
    } else if (this.sees('requires')) {
      this.next++;
      const named = this.list(';', 'after the language features', () => {
        const { text, at } = this.token;
        this.next++;
        if (!FEATURES.includes(text)) this.fail(`language feature '${text}' is not supported`, at);
        return text;
      });
      if (named.length === 0) this.fail("expected the name of a language feature after 'requires'");
    } else if (this.sees('diagnostic')) {
      this.next++;
      this.expect('(', "after 'diagnostic'");
      diagnostics.push(this.diagnosticControl());
      const other = conflicting(diagnostics);
      if (other) this.fail(`conflicting diagnostic directive for '${other.rule}'`, other.at);
      this.expect(';', 'after the diagnostic');
    } else return false;
    return true;
  }

  private extension(enables: string[]) {
    const { text, at } = this.token;
    if (Object.hasOwn(LEFT_OUT, text)) this.fail(`extension '${text}' is not supported; ${LEFT_OUT[text]}`, at);
    if (!ENABLES.includes(text)) this.fail(`unrecognized extension '${text}'; known: ${ENABLES.join(', ')}`, at);
    if (!this.extensions.includes(text)) {
      this.fail(`extension '${text}' is not allowed: the device was not requested with its feature`, at);
    }
    this.next++;
    if (!enables.includes(text)) enables.push(text);
  }

  /** `off, derivative_uniformity)` */
  private diagnosticControl(): DiagnosticSyntax {
    const { text: severity } = this.token;
    if (!SEVERITIES.includes(severity))
      this.fail(`expected a severity (${SEVERITIES.join(', ')}); found '${severity}'`);
    this.next++;
    this.expect(',', 'after the severity');
    const { at } = this.token;
    let rule = this.name('the name of a diagnostic rule');
    if (this.accept('.')) rule += `.${this.name('the name of a diagnostic rule')}`;
    this.accept(',');
    this.expect(')', 'after the diagnostic');
    const control: DiagnosticSyntax = { severity: severity as Severity, rule, at };
    this.warnings.push(...unknownRule(control));
    return control;
  }

  private attributes(): AttributeSyntax[] {
    const attributes: AttributeSyntax[] = [];
    while (this.sees('@')) {
      const { at } = this.token;
      this.next++;
      if (this.accept('diagnostic')) {
        this.expect('(', "after '@diagnostic'");
        attributes.push({ name: 'diagnostic', arguments: [], at, control: this.diagnosticControl() });
        continue;
      }
      const name = this.accept('const') ? 'const' : this.name("the name of an attribute after '@'");
      const hasList = this.accept('(');
      const given = hasList ? this.list(')', `after '@${name}('`, () => this.expression()) : [];
      if (hasList && given.length === 0) this.fail(`'@${name}' has empty parentheses`, at);
      attributes.push({ name, arguments: given, at });
    }
    return attributes;
  }

  /** What `parse` reads, under the diagnostics among the attributes before it. */
  private under<T>(attributes: readonly AttributeSyntax[], parse: () => T): T {
    const controls = attributes.flatMap(({ control }) => control ?? []);
    for (const [i, { rule, at }] of controls.entries()) {
      if (controls.findIndex((other) => other.rule === rule) === i) continue;
      this.fail(`${conflicting(controls) ? 'conflicting' : 'duplicate'} diagnostic attribute for '${rule}'`, at);
    }
    const outer = this.severity;
    this.severity = severityIn(controls) ?? outer;
    const parsed = parse();
    this.severity = outer;
    return parsed;
  }

  private declaration(): DeclarationSyntax {
    const attributes = this.attributes();
    const { at, text } = this.token;
    if (text === 'fn') return this.under(attributes, () => this.function(attributes));
    if (text === 'var' || text === 'override' || text === 'const') {
      const declared = this.variable(text, attributes);
      this.expect(';', `after the ${text} declaration`);
      return declared;
    }
    if (attributes.length > 0) this.fail(`expected a declaration after the attributes; found '${text}'`);
    switch (text) {
      case 'struct':
        return this.struct();
      case 'alias': {
        this.next++;
        const name = this.name('a name for the alias');
        this.expect('=', 'in the alias');
        const type = this.type();
        this.expect(';', 'after the alias');
        return { kind: 'alias', at, name, type };
      }
      case 'const_assert':
        return this.assert();
      case 'enable':
      case 'requires':
      case 'diagnostic':
        return this.fail(`'${text}' must come before all declarations`);
      case 'let':
        return this.fail("module-scope 'let' is invalid; use 'const'");
      default:
        return this.fail(`expected a declaration; found '${text}'`);
    }
  }

  private struct(): DeclarationSyntax {
    this.next++;
    const { at } = this.token;
    const name = this.name('a name for the struct');
    this.expect('{', 'after the name of the struct');
    const members = this.list('}', 'after the members', () => this.member('struct member'));
    return { kind: 'struct', at, name, members };
  }

  private member(what: string): MemberSyntax {
    const attributes = this.attributes();
    const { at } = this.token;
    const name = this.name(`a ${what}`);
    this.expect(':', `and a type after the ${what} '${name}'`);
    return { name, attributes, type: this.type(), at };
  }

  private function(attributes: readonly AttributeSyntax[]): FunctionSyntax {
    this.next++;
    const { at } = this.token;
    const name = this.name('a name for the function');
    this.expect('(', `after 'fn ${name}'`);
    const parameters = this.list(')', 'after the parameters', () => this.member('parameter'));
    const isReturning = this.accept('->');
    const returnAttributes = isReturning ? this.attributes() : [];
    const returns = isReturning ? { returns: this.type() } : {};
    return { kind: 'function', at, name, attributes, parameters, ...returns, returnAttributes, body: this.block() };
  }

  /** Up to, but not including, its `;`. */
  private variable(kind: 'var' | 'let' | 'const' | 'override', attributes: readonly AttributeSyntax[]): VariableSyntax {
    this.next++;
    const template = kind === 'var' ? this.template() : undefined;
    const { at } = this.token;
    const name = this.name(`a name after '${kind}'`);
    const type = this.accept(':') ? this.type() : undefined;
    if ((kind === 'let' || kind === 'const') && !this.sees('=')) {
      this.fail(`expected '=' and a value in the ${kind} declaration; found '${this.token.text}'`);
    }
    const value = this.accept('=') ? this.expression() : undefined;
    return {
      kind,
      at,
      name,
      attributes,
      ...(template && { template }),
      ...(type && { type }),
      ...(value && { value }),
    };
  }

  private assert(): AssertSyntax {
    const { at } = this.token;
    this.next++;
    const condition = this.expression();
    this.expect(';', 'after const_assert');
    return { kind: 'const_assert', at, condition };
  }

  private type(): NameSyntax {
    const { at } = this.token;
    const name = this.name('a type');
    const template = this.template();
    return { kind: 'name', at, name, ...(template && { template }) };
  }

  private template(): readonly ExpressionSyntax[] | undefined {
    const seesKind = (kind: Token['kind']) => this.token.kind === kind;
    if (!seesKind('template<')) return undefined;
    this.next++;
    const items: ExpressionSyntax[] = [];
    while (!seesKind('template>')) {
      items.push(this.expression());
      if (!this.accept(',')) break;
    }
    if (!seesKind('template>')) this.fail(`expected '>' after the template list; found '${this.token.text}'`);
    if (items.length === 0) this.fail('expected an expression in the template list');
    this.next++;
    return items;
  }

  // ---- statements ----

  private block(): BlockSyntax {
    return this.under(this.diagnostics(), () => this.blockItself());
  }

  private blockItself(): BlockSyntax {
    const { at } = this.expect('{', 'to open a block');
    const statements: StatementSyntax[] = [];
    while (!this.sees('}')) {
      if (this.token.kind === 'end') this.fail("expected '}' to close the block", at);
      if (!this.accept(';')) statements.push(this.statement());
    }
    this.next++;
    return { statements, at };
  }

  /** Attributes of statements and blocks, which are diagnostics only. */
  private diagnostics(): readonly AttributeSyntax[] {
    const attributes = this.attributes();
    const other = attributes.find(({ name }) => name !== 'diagnostic');
    if (other) this.fail(`'@${other.name}' is not for statements`, other.at);
    return attributes;
  }

  private statement(): StatementSyntax {
    return this.nested(() => this.oneStatement());
  }

  private oneStatement(): StatementSyntax {
    const attributes = this.diagnostics();
    const compound = this.under(attributes, () => this.compoundStatement());
    if (compound) return compound;
    const { text } = this.token;
    if (attributes.length > 0)
      this.fail(`expected a block, if, switch, loop, for or while after the attributes; found '${text}'`);
    if (text === 'const_assert') return this.assert();
    const simple = this.simpleStatement();
    this.expect(';', 'after the statement');
    return simple;
  }

  private compoundStatement(): StatementSyntax | undefined {
    const { at, text } = this.token;
    switch (text) {
      case '{':
        return { kind: 'block', at, body: this.blockItself() };
      case 'if':
        return this.if();
      case 'switch':
        return this.switch();
      case 'loop':
        return this.loop();
      case 'for':
        return this.for();
      case 'while': {
        this.next++;
        const condition = this.expression();
        return { kind: 'while', at, condition, body: this.block() };
      }
    }
    return undefined;
  }

  /** A statement up to, but not including, its `;`. */
  private simpleStatement(): StatementSyntax {
    const { at, text, kind } = this.token;
    switch (text) {
      case 'var':
      case 'let':
      case 'const':
        return this.variable(text, []);
      case 'break':
        this.next++;
        if (this.sees('if')) this.fail("'break if' must be the last statement of a continuing block");
        return { kind: 'break', at };
      case 'continue':
        this.next++;
        return { kind: 'continue', at };
      case 'return': {
        this.next++;
        return this.sees(';') ? { kind: 'return', at } : { kind: 'return', at, value: this.expression() };
      }
      case 'discard':
        this.next++;
        return { kind: 'discard', at };
    }
    if (kind === 'name' && !KEYWORDS.has(text)) return this.assignmentOrCall();
    if (kind === 'symbol' && ['_', '*', '&', '('].includes(text)) return this.assignment();
    return this.fail(`expected a statement; found '${text}'`);
  }

  private assignmentOrCall(): StatementSyntax {
    const start = this.next;
    const callee = this.type();
    if (this.sees('(')) {
      return { kind: 'call', at: callee.at, call: this.call(callee) };
    }
    this.next = start;
    return this.assignment();
  }

  private assignment(): StatementSyntax {
    const { at } = this.token;
    if (this.accept('_')) {
      this.expect('=', "after '_'");
      return { kind: 'assign', at, value: this.expression() };
    }
    const place = this.leftHandSide();
    const operator = this.token.text;
    if (operator === '++' || operator === '--') {
      this.next++;
      return { kind: 'step', at, place, operator: operator === '++' ? '+' : '-' };
    }
    if (operator === '=') {
      this.next++;
      return { kind: 'assign', at, place, value: this.expression() };
    }
    if (!COMPOUND.includes(operator)) this.fail(`expected '=' for assignment; found '${operator}'`);
    this.next++;
    return { kind: 'assign', at, place, operator: operator.slice(0, -1) as BinaryOperator, value: this.expression() };
  }

  /** `*p`, `a[i].b`, `(*p).x`: targets of assignments */
  private leftHandSide(): ExpressionSyntax {
    return this.nested(() => this.oneLeftHandSide());
  }

  private oneLeftHandSide(): ExpressionSyntax {
    const { at, text } = this.token;
    if (text === '*' || text === '&') {
      this.next++;
      return { kind: 'unary', at, operator: text, operand: this.leftHandSide() };
    }
    if (this.accept('(')) {
      const inner = this.leftHandSide();
      this.expect(')', "to match '('");
      return this.postfix(inner);
    }
    return this.postfix({ kind: 'name', at, name: this.name('a variable') });
  }

  private if(): StatementSyntax {
    const { at } = this.token;
    this.next++;
    const condition = this.expression();
    const then = this.block();
    if (!this.accept('else')) return { kind: 'if', at, condition, then };
    if (!this.sees('if')) return { kind: 'if', at, condition, then, else: this.block() };
    const nested = this.nested(() => this.if());
    return { kind: 'if', at, condition, then, else: { statements: [nested], at: nested.at } };
  }

  private switch(): StatementSyntax {
    const { at } = this.token;
    this.next++;
    const selector = this.expression();
    const cases = this.under(this.diagnostics(), () => {
      this.expect('{', 'after the selector of the switch');
      const read: CaseSyntax[] = [];
      while (!this.accept('}')) read.push(this.case());
      return read;
    });
    return { kind: 'switch', at, selector, cases };
  }

  private case(): CaseSyntax {
    const { at, text } = this.token;
    if (text !== 'case' && text !== 'default') this.fail(`expected 'case' or 'default'; found '${text}'`);
    this.next++;
    const values: (ExpressionSyntax | undefined)[] = [];
    if (text === 'default') values.push(undefined);
    else {
      do {
        if (this.sees(':') || this.sees('{') || this.sees('@')) break;
        values.push(this.accept('default') ? undefined : this.expression());
      } while (this.accept(','));
      if (values.length === 0) this.fail("expected a value after 'case'");
    }
    this.accept(':');
    return { values, body: this.block(), at };
  }

  private loop(): StatementSyntax {
    const { at } = this.token;
    this.next++;
    return this.under(this.diagnostics(), () => this.loopBody(at));
  }

  private loopBody(at: Position): StatementSyntax {
    const open = this.expect('{', "after 'loop'");
    const statements: StatementSyntax[] = [];
    while (!this.sees('}') && !this.sees('continuing')) {
      if (this.token.kind === 'end') this.fail("expected '}' to close the loop", open.at);
      if (!this.accept(';')) statements.push(this.statement());
    }
    const body = { statements, at: open.at };
    if (this.accept('}')) return { kind: 'loop', at, body };
    this.next++;
    const { continuing, breakIf } = this.under(this.diagnostics(), () => this.continuing());
    this.expect('}', 'after the continuing block, which ends a loop');
    return { kind: 'loop', at, body, continuing, ...(breakIf && { breakIf }) };
  }

  private continuing() {
    const { at } = this.expect('{', "after 'continuing'");
    const statements: StatementSyntax[] = [];
    let breakIf: ExpressionSyntax | undefined;
    while (!this.accept('}')) {
      if (this.token.kind === 'end') this.fail("expected '}' to close the continuing block", at);
      if (this.sees('break') && this.tokens[this.next + 1]!.text === 'if') {
        this.next += 2;
        breakIf = this.expression();
        this.expect(';', "after 'break if'");
        this.expect('}', "after 'break if', which ends a continuing block");
        break;
      }
      if (!this.accept(';')) statements.push(this.statement());
    }
    return { continuing: { statements, at }, breakIf };
  }

  private for(): StatementSyntax {
    const { at } = this.token;
    this.next++;
    this.expect('(', "after 'for'");
    const initial = this.sees(';') ? undefined : this.forPart(['var', 'let', 'const']);
    this.expect(';', 'after the start of the for');
    const condition = this.sees(';') ? undefined : this.expression();
    this.expect(';', 'after the condition of the for');
    const update = this.sees(')') ? undefined : this.forPart([]);
    this.expect(')', 'after the head of the for');
    const parts = { ...(initial && { initial }), ...(condition && { condition }), ...(update && { update }) };
    return { kind: 'for', at, ...parts, body: this.block() };
  }

  private forPart(allowed: readonly string[]): StatementSyntax {
    const { text } = this.token;
    if (KEYWORDS.has(text) && !allowed.includes(text)) this.fail(`'${text}' is not allowed in the head of a for`);
    return this.simpleStatement();
  }

  // ---- expressions ----

  /**
   * WGSL orders `*`, `+`, comparisons and `&&` as usual, and refuses ambiguous forms: shifts and bitwise operators take
   * single operands, comparisons do not chain, `&&` and `||` do not mix.
   */
  expression(): ExpressionSyntax {
    const first = this.unary();
    const { text } = this.token;
    if (BITWISE.includes(text)) return this.chain(first, [text], () => this.unary());
    const left = this.relational(first);
    const { text: logical } = this.token;
    return LOGICAL.includes(logical)
      ? this.chain(left, [logical], () => this.relational(this.unary()))
      : this.noMixing(left);
  }

  /** a op b op c …, from the left, without other operators */
  private chain(
    first: ExpressionSyntax,
    operators: readonly string[],
    operand: () => ExpressionSyntax,
  ): ExpressionSyntax {
    return this.noMixing(this.sequence(first, operators, operand));
  }

  private sequence(first: ExpressionSyntax, operators: readonly string[], operand: () => ExpressionSyntax) {
    let left = first;
    for (let length = 0; ; length++) {
      if (length > MAX_CHAIN) this.fail(`more than ${MAX_CHAIN} operators in a row; split them up`);
      this.splitMinuses();
      const { at, text, kind } = this.token;
      if (kind !== 'symbol' || !operators.includes(text)) return left;
      this.next++;
      left = { kind: 'binary', at, operator: text as BinaryOperator, left, right: operand() };
    }
  }

  /** In an expression `--` is two signs, not a decrement. */
  private splitMinuses() {
    const { at, text, kind } = this.token;
    if (text !== '--') return;
    const second = { line: at.line, column: at.column + 1 };
    this.tokens.splice(this.next, 1, { kind, text: '-', at }, { kind, text: '-', at: second });
  }

  private noMixing(left: ExpressionSyntax): ExpressionSyntax {
    const { kind, text } = this.token;
    if (kind !== 'symbol' || !BINARY.includes(text)) return left;
    const other = left.kind === 'binary' ? `'${left.operator}' and '${text}'` : `'${text}'`;
    return this.fail(`mixing ${other} requires parentheses`);
  }

  private relational(first: ExpressionSyntax): ExpressionSyntax {
    const left = this.shift(first);
    const { at, text, kind } = this.token;
    if (kind !== 'symbol' || !RELATIONAL.includes(text)) return left;
    this.next++;
    return { kind: 'binary', at, operator: text as BinaryOperator, left, right: this.shift(this.unary()) };
  }

  private shift(first: ExpressionSyntax): ExpressionSyntax {
    const { at, text, kind } = this.token;
    if (kind === 'symbol' && SHIFTS.includes(text)) {
      this.next++;
      return { kind: 'binary', at, operator: text as BinaryOperator, left: first, right: this.unary() };
    }
    const product = (start: ExpressionSyntax) => this.sequence(start, MULTIPLICATIVE, () => this.unary());
    return this.sequence(product(first), ADDITIVE, () => product(this.unary()));
  }

  private unary(): ExpressionSyntax {
    // As in Dawn, the operand inside all parentheses is no level.
    return this.nested(() => this.oneUnary(), MAX_DEPTH + 1);
  }

  private oneUnary(): ExpressionSyntax {
    this.splitMinuses();
    const { at, text, kind } = this.token;
    if (kind === 'symbol' && ['-', '!', '~', '*', '&'].includes(text)) {
      this.next++;
      return { kind: 'unary', at, operator: text as UnaryOperator | '*' | '&', operand: this.unary() };
    }
    return this.postfix(this.primary());
  }

  private primary(): ExpressionSyntax {
    const { at, text, kind } = this.token;
    if (kind === 'number') {
      this.next++;
      return { kind: 'number', at, text };
    }
    if (text === 'true' || text === 'false') {
      this.next++;
      return { kind: 'boolean', at, value: text === 'true' };
    }
    if (this.accept('(')) {
      const inner = this.expression();
      this.expect(')', "to match '('");
      return inner;
    }
    if (kind !== 'name' || KEYWORDS.has(text)) this.fail(`expected an expression; found '${text}'`);
    const callee = this.type();
    return this.sees('(') ? this.call(callee) : callee;
  }

  private call(callee: NameSyntax): ExpressionSyntax & { kind: 'call' } {
    const { at, name } = callee;
    const { severity } = this;
    return { kind: 'call', at, callee, arguments: this.arguments(name), ...(severity && { severity }) };
  }

  private arguments(name: string): ExpressionSyntax[] {
    this.expect('(', 'to open the arguments');
    return this.list(')', `after the arguments of '${name}'`, () => this.expression());
  }

  private postfix(start: ExpressionSyntax): ExpressionSyntax {
    let of = start;
    for (let length = 0; ; length++) {
      if (length > MAX_CHAIN) this.fail(`more than ${MAX_CHAIN} parts in a row; split them up`);
      const { at } = this.token;
      if (this.accept('[')) {
        const index = this.expression();
        this.expect(']', "to match '['");
        of = { kind: 'index', at, of, index };
      } else if (this.accept('.')) {
        const { at: nameAt } = this.token;
        of = { kind: 'member', at: nameAt, of, name: this.name("a member after '.'") };
      } else return of;
    }
  }
}
