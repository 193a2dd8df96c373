/**
 * Text into tokens.
 *
 * WGSL has one difficulty here: `<` and `>` either compare or hold a template list, as in `vec3<f32>`, and only the text
 * shows which. The rule is the specification's: a `<` after a name opens a list if a matching `>` follows before any
 * token that a list cannot contain. `a < b || c > d` therefore compares, and `array<vec2<f32>>` ends in two brackets.
 *
 * @see https://www.w3.org/TR/WGSL/#template-list-discovery
 */
import { LINE_BREAK, WgslError } from './errors.js';
import type { Position } from './tree.js';

/** A name, number or symbol, with its position in the text. */
export interface Token {
  /** `<` and `>` around a template list are `template<` and `template>` */
  readonly kind: 'name' | 'number' | 'symbol' | 'template<' | 'template>' | 'end';
  readonly text: string;
  readonly at: Position;
}

const BLANK = /[ \t\n\v\f\r\u0085\u200e\u200f\u2028\u2029]+/y;
const LINE_COMMENT = /\/\/[^\n\v\f\r\u0085\u2028\u2029]*/y;
const NAME = /[\p{XID_Start}_]\p{XID_Continue}*/uy;
const NUMBER = new RegExp(
  [
    '0[xX][0-9a-fA-F]*\\.[0-9a-fA-F]+(?:[pP][+-]?[0-9]+[fh]?)?',
    '0[xX][0-9a-fA-F]+\\.[0-9a-fA-F]*(?:[pP][+-]?[0-9]+[fh]?)?',
    '0[xX][0-9a-fA-F]+[pP][+-]?[0-9]+[fh]?',
    '0[xX][0-9a-fA-F]+[iu]?',
    '[0-9]*\\.[0-9]+(?:[eE][+-]?[0-9]+)?[fh]?',
    '[0-9]+\\.[0-9]*(?:[eE][+-]?[0-9]+)?[fh]?',
    '[0-9]+[eE][+-]?[0-9]+[fh]?',
    '[0-9]+[iufh]?',
  ].join('|'),
  'y',
);
// `>` stays alone: `>>`, `>=` and `>>=` are combined after the template lists are known.
const SYMBOL = /->|\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|<<=|<<|<=|==|!=|&&|\|\||[-+*/%&|^~!<>=()[\]{}:;,.@_]/y;

/** @throws WgslError when the text has a character that begins no token */
export function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  /** start of each token in the text, to find adjacent `>` */
  const offsets: number[] = [];
  let offset = 0;
  let line = 1;
  let lineStart = 0;

  const here = (): Position => ({ line, column: offset - lineStart + 1 });
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = offset;
    return pattern.exec(text)?.[0];
  };
  const advance = (to: number) => {
    for (const found of text.slice(offset, to).matchAll(LINE_BREAK)) {
      line++;
      lineStart = offset + found.index + found[0].length;
    }
    offset = to;
  };

  const nul = text.indexOf('\0');
  if (nul !== -1) {
    advance(nul);
    throw new WgslError("invalid character '\\0', which a comment cannot have either", here(), text);
  }
  while (offset < text.length) {
    const skipped = match(BLANK) ?? match(LINE_COMMENT);
    if (skipped !== undefined) {
      advance(offset + skipped.length);
      continue;
    }
    if (text.startsWith('/*', offset)) {
      const end = blockCommentEnd(text, offset);
      if (end === undefined) throw new WgslError('unterminated block comment', here(), text);
      advance(end);
      continue;
    }
    const name = match(NAME);
    const number = name === undefined ? match(NUMBER) : undefined;
    const found = name ?? number ?? match(SYMBOL);
    if (found === undefined) {
      throw new WgslError(`invalid character '${String.fromCodePoint(text.codePointAt(offset)!)}'`, here(), text);
    }
    const kind = number !== undefined ? 'number' : name !== undefined && name !== '_' ? 'name' : 'symbol';
    tokens.push({ kind, text: found, at: here() });
    offsets.push(offset);
    offset += found.length;
  }
  tokens.push({ kind: 'end', text: 'end of file', at: here() });
  return joinRightAngles(markTemplateLists(tokens), offsets);
}

/** Block comments nest. */
function blockCommentEnd(text: string, start: number): number | undefined {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  let depth = 0;
  for (let found = edge.exec(text); found; found = edge.exec(text)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return undefined;
}

function markTemplateLists(tokens: Token[]): Token[] {
  /** each `<` that may open a list, with the number of brackets open around it */
  const candidates: { index: number; depth: number }[] = [];
  let depth = 0;
  const dropFrom = (least: number) => {
    while (candidates.length > 0 && candidates.at(-1)!.depth >= least) candidates.pop();
  };
  const isTemplate = new Map<number, 'template<' | 'template>'>();
  tokens.forEach(({ text, kind }, i) => {
    if (text === '<' && tokens[i - 1]?.kind === 'name') candidates.push({ index: i, depth });
    else if (text === '>') {
      const open = candidates.at(-1);
      if (open?.depth === depth) {
        candidates.pop();
        isTemplate.set(open.index, 'template<').set(i, 'template>');
      }
    } else if (text === '(' || text === '[') depth++;
    else if (text === ')' || text === ']') {
      dropFrom(depth);
      depth = Math.max(0, depth - 1);
    } else if (text === '&&' || text === '||') dropFrom(depth);
    else if (kind === 'symbol' && (/^[;:{]$/.test(text) || /^(?:[-+*/%&|^]|<<)?=$/.test(text))) {
      // `>=` compares unless its `>` closed a list.
      if (text === '=' && tokens[i - 1]?.text === '>' && !isTemplate.has(i - 1)) return;
      depth = 0;
      candidates.length = 0;
    }
  });
  return tokens.map((token, i) => (isTemplate.has(i) ? { ...token, kind: isTemplate.get(i)! } : token));
}

/** `>` `>` that touch and close no list are `>>`, and so on. */
function joinRightAngles(tokens: Token[], offsets: readonly number[]): Token[] {
  const joined: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    let text = token.text;
    if (token.kind === 'symbol' && text === '>') {
      const touches = (symbol: string) =>
        tokens[i + 1]?.kind === 'symbol' && tokens[i + 1]!.text === symbol && offsets[i + 1] === offsets[i]! + 1;
      if (touches('>')) {
        text += '>';
        i++;
      }
      if (touches('=')) {
        text += '=';
        i++;
      }
    }
    joined.push(text === token.text ? token : { ...token, text });
  }
  return joined;
}
