import type { Block, Expression, Module, Place, Statement } from '../../src/wgsl/index.js';
import { typeName } from '../../src/wgsl/index.js';

/** A typed tree as text near to WGSL, with every conversion and load written out: what tests compare. */
export function printFunction(module: Module, name: string): string {
  const found = module.functions.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`the module has no function ${name}`);
  return printBlock(found.body).join('\n');
}

/** The statements of a block as text, a line each. */
export function printBlock({ statements }: Block): string[] {
  return statements.flatMap(printStatement);
}

const indented = (block: Block) => printBlock(block).map((line) => `  ${line}`);

function printStatement(statement: Statement): string[] {
  switch (statement.kind) {
    case 'declare': {
      const { variable, value } = statement;
      return [`${variable.kind} ${variable.name}: ${typeName(variable.type)}${value ? ` = ${print(value)}` : ''}`];
    }
    case 'assign':
      return [`${printPlace(statement.place)} ${statement.operator ?? ''}= ${print(statement.value)}`];
    case 'evaluate':
      return [`_ = ${print(statement.expression)}`];
    case 'if': {
      const otherwise = statement.else ? ['else', ...indented(statement.else)] : [];
      return [`if ${print(statement.condition)}`, ...indented(statement.then), ...otherwise];
    }
    case 'switch':
      return [
        `switch ${print(statement.selector)}`,
        ...statement.cases.flatMap(({ values, isDefault, body }) => [
          `case ${[...values, ...(isDefault ? ['default'] : [])].join(', ')}`,
          ...indented(body),
        ]),
      ];
    case 'loop':
      return [
        `loop${statement.condition ? ` while ${print(statement.condition)}` : ''}`,
        ...indented(statement.body),
        ...(statement.continuing ? ['continuing', ...indented(statement.continuing)] : []),
        ...(statement.breakIf ? [`break if ${print(statement.breakIf)}`] : []),
      ];
    case 'return':
      return [statement.value ? `return ${print(statement.value)}` : 'return'];
    case 'block':
      return ['block', ...indented(statement.body)];
    default:
      return [statement.kind];
  }
}

function printPlace(place: Place): string {
  switch (place.kind) {
    case 'variable':
      return place.variable.name;
    case 'deref':
      return `*${print(place.pointer)}`;
    case 'element':
      return `${printPlace(place.of)}[${print(place.index)}]`;
    case 'member':
      return `${printPlace(place.of)}.${place.member}`;
  }
}

/** `load(x)` is what the place holds; a number ends in i, u or f for its type. */
export function print(expression: Expression): string {
  const list = (items: readonly Expression[]) => items.map(print).join(', ');
  switch (expression.kind) {
    case 'literal': {
      const { name } = expression.type as { name: string };
      return `${expression.value}${name === 'bool' ? '' : name[0]}`;
    }
    case 'load':
      return `load(${printPlace(expression.place)})`;
    case 'value':
      return expression.variable.name;
    case 'pointer':
      return `&${printPlace(expression.place)}`;
    case 'unary':
      return `${expression.operator}${print(expression.operand)}`;
    case 'binary':
    case 'logical':
      return `(${print(expression.left)} ${expression.operator} ${print(expression.right)})`;
    case 'call':
      return `${expression.function.name}(${list(expression.arguments)})`;
    case 'builtin': {
      const type = expression.name === 'bitcast' ? `<${typeName(expression.type)}>` : '';
      return `${expression.name}${type}(${list(expression.arguments)})`;
    }
    case 'construct':
      return `${typeName(expression.type)}(${list(expression.arguments)})`;
    case 'index':
      return `${print(expression.of)}[${print(expression.index)}]`;
    case 'member':
      return `${print(expression.of)}.${expression.member}`;
    case 'swizzle':
      return `${print(expression.of)}.${expression.components.map((component) => 'xyzw'[component]).join('')}`;
  }
}
