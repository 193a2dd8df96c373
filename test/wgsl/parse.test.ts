import { describe, expect, test } from 'vitest';
import { parseModule, WgslError } from '../../src/wgsl/index.js';
import { parseNumber } from '../../src/wgsl/literals.js';
import { tokenise } from '../../src/wgsl/tokens.js';
import { printFunction } from '../support/printTree.js';

const texts = (text: string) =>
  tokenise(text).map(({ kind, text: found }) => (kind.startsWith('template') ? `${found}T` : found));

/** An expression of i32 variables a to e as it was understood. */
function understood(expression: string): string {
  const text = `fn f(a: i32, b: i32, c: i32, d: i32, e: i32) { let x = ${expression}; }`;
  return printFunction(parseModule(text), 'f').replace(/^let x: \S+ = /, '');
}

describe('tokens', () => {
  test('comments nest, lines and columns are counted from 1', () => {
    const tokens = tokenise('a // b\n  /* c /* d */ e */ f');
    expect(tokens.map(({ text, at }) => [text, at.line, at.column])).toEqual([
      ['a', 1, 1],
      ['f', 2, 21],
      ['end of file', 2, 22],
    ]);
  });

  test('names may be of any script', () => {
    expect(texts('Δx λ_1 été _a')).toEqual(['Δx', 'λ_1', 'été', '_a', 'end of file']);
  });

  test('< and > after a name hold a template list, unless a token between them cannot be in a list', () => {
    const list = ['array', '<T', 'vec2', '<T', 'f32', '>T', ',', '4', '>T', 'end of file'];
    expect(texts('array<vec2<f32>,4>')).toEqual(list);
    expect(texts('a < b || c > d')).toEqual(['a', '<', 'b', '||', 'c', '>', 'd', 'end of file']);
    expect(texts('a < b; c > d')).toEqual(['a', '<', 'b', ';', 'c', '>', 'd', 'end of file']);
    expect(texts('a < (b > c)')).toEqual(['a', '<', '(', 'b', '>', 'c', ')', 'end of file']);
    expect(texts('array<f32,(N>2u)>')).toEqual([
      'array',
      '<T',
      'f32',
      ',',
      '(',
      'N',
      '>',
      '2u',
      ')',
      '>T',
      'end of file',
    ]);
  });

  test('>>, >= and >>= are operators where they close no list', () => {
    expect(texts('a >> b >= c >>= d > = e')).toEqual([
      'a',
      '>>',
      'b',
      '>=',
      'c',
      '>>=',
      'd',
      '>',
      '=',
      'e',
      'end of file',
    ]);
    expect(texts('var<private>=')).toEqual(['var', '<T', 'private', '>T', '=', 'end of file']);
  });

  test.each([
    ['a $ b', "1:3: invalid character '$'"],
    ['a\n/* b', '2:1: unterminated block comment'],
  ])('%j is refused', (text, message) => {
    expect(() => tokenise(text)).toThrow(message);
  });
});

describe('number literals', () => {
  test.each([
    ['12', 'abstract-int', 12n],
    ['0x1F', 'abstract-int', 31n],
    ['12i', 'i32', 12],
    ['4294967295u', 'u32', 4294967295],
    ['0xffi', 'i32', 255],
    ['1.5', 'abstract-float', 1.5],
    ['.5e1', 'abstract-float', 5],
    ['3.', 'abstract-float', 3],
    ['1e-2', 'abstract-float', 0.01],
    ['1f', 'f32', 1],
    ['0.1f', 'f32', Math.fround(0.1)],
    ['0x1.8p3', 'abstract-float', 12],
    ['0x.8', 'abstract-float', 0.5],
    ['0x1p-149f', 'f32', 2 ** -149],
    ['0xAp+2f', 'f32', 40],
  ])('%s is %s %d', (text, type, value) => {
    expect(parseNumber(text)).toEqual({ type: { kind: 'scalar', name: type }, value });
  });

  test.each([
    ['012', 'has a leading zero'],
    ['1.5h', "'1.5h' is an f16, which is not supported; write 1.5f"],
    ['2147483648i', "value 2147483648 cannot be represented as 'i32'"],
    ['4294967296u', "value 4294967296 cannot be represented as 'u32'"],
    ['9223372036854775808', "value 9223372036854775808 cannot be represented as 'abstract-int'"],
    ['1e39f', "value 1e39f cannot be represented as 'f32'"],
    ['1e400', "value 1e400 cannot be represented as 'abstract-float'"],
    ['0x1.00000000000000000001p0f', "value 0x1.00000000000000000001p0f cannot be exactly represented as 'f32'"],
    ['0x1.0000001p0f', "value 0x1.0000001p0f cannot be exactly represented as 'f32'"],
  ])('%s is refused', (text, message) => {
    expect(() => parseNumber(text)).toThrow(message);
  });
});

describe('expressions', () => {
  test.each([
    ['a + b * c - d', '((a + (b * c)) - d)'],
    ['a * b / c % d', '(((a * b) / c) % d)'],
    ['-a - -b', '(-a - -b)'],
    ['a--b', '(a - -b)'],
    ['a----b', '(a - ---b)'],
    ['a + b < c * d', '((a + b) < (c * d))'],
    ['a < b && c < d && d < e', '(((a < b) && (c < d)) && (d < e))'],
    ['a < b || (c < d && d < e)', '((a < b) || ((c < d) && (d < e)))'],
    ['a & b & c', '((a & b) & c)'],
    ['a | (b & c)', '(a | (b & c))'],
    ['~a ^ b', '(~a ^ b)'],
    ['(a + b) << 2u', '((a + b) << 2u)'],
    ['a >> 1 == b', '((a >> 1u) == b)'],
    ['!(a == b)', '!(a == b)'],
    ['a == b != true', undefined],
  ])('%s', (expression, expected) => {
    if (expected === undefined) expect(() => understood(expression)).toThrow(WgslError);
    else expect(understood(expression)).toBe(expected);
  });

  test.each([
    ['a && b || c', "mixing '&&' and '||' requires parentheses"],
    ['a & b | c', "mixing '&' and '|' requires parentheses"],
    ['a + b & c', "mixing '+' and '&' requires parentheses"],
    ['a & b == c', "mixing '&' and '==' requires parentheses"],
    ['a < b < c', "mixing '<' and '<' requires parentheses"],
    ['a << b << c', "mixing '<<' and '<<' requires parentheses"],
    ['a << b + c', "mixing '<<' and '+' requires parentheses"],
    ['a + b << c', "mixing '+' and '<<' requires parentheses"],
  ])('%s: %s', (expression, message) => {
    expect(() => understood(expression)).toThrow(message);
  });
});

describe('depth', () => {
  const nest = (open: string, middle: string, close: string, n: number) => open.repeat(n) + middle + close.repeat(n);

  test.each([
    ['parentheses', (n: number) => `const a = ${nest('(', '1', ')', n)};`, 126],
    ['signs', (n: number) => `const a = ${nest('-', '1', '', n)};`, 126],
    ['calls', (n: number) => `const a = ${nest('abs(', '1', ')', n)};`, 126],
    ['blocks', (n: number) => `fn f() { ${nest('{', '', '}', n)} }`, 127],
    ['else if', (n: number) => `fn f(x: i32) { ${'if x > 0 { } else '.repeat(n)} { } }`, 126],
    ['operands', (n: number) => `const a = ${new Array(n).fill('1').join(' + ')};`, 512],
    ['places', (n: number) => `fn f() { var a = 1; ${nest('*&', 'a', '', Math.floor(n / 2))} = 2; }`, 124],
    ['types', (n: number) => `alias A = ${nest('array<', 'i32', ', 1>', n)};`, 127],
  ])('%s', (_, text, most) => {
    expect(() => parseModule(text(most))).not.toThrow();
    expect(() => parseModule(text(most + 2))).toThrow(/split (it|them) up/);
    expect(() => parseModule(text(20_000))).toThrow(/split (it|them) up/);
  });

  test('a chain of declarations', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => `const a${i} = a${i + 1};`);
    expect(() => parseModule([...chain, 'const a20000 = 1;'].join('\n'))).toThrow(
      "1:7: 'a0' depends on too long a chain of later declarations; put them before it",
    );
    expect(() => parseModule(['const a20000 = 1;', ...chain.reverse()].join('\n'))).not.toThrow();
  });
});
