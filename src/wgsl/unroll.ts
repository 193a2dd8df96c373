/** Which loops are unrolled: counted ones that index a private array, so that every index becomes a constant. */

import type { Block, Expression, Place, Statement, Variable } from './tree.js';
import { mayChange, rootOf, someNode } from './treeQueries.js';

/** A loop over a private array is unrolled if it has at most this many iterations. */
const MAX_TRIPS = 16;

/** The values a counted loop gives its counter: `for (var d = 0u; d < 8u; d++)`; undefined if they are not known. */
export function countsOf(
  start: Extract<Statement, { kind: 'declare' }>,
  { condition, continuing, body, breakIf }: Extract<Statement, { kind: 'loop' }>,
): number[] | undefined {
  const { variable, value } = start;
  if (value?.kind !== 'literal' || typeof value.value !== 'number' || variable.type.kind !== 'scalar') return undefined;
  if (variable.type.name === 'f32') return undefined; // a sum of floats is rounded at each step
  if (breakIf !== undefined || condition?.kind !== 'binary' || condition.right.kind !== 'literal') return undefined;
  if (!isLoadOf(condition.left, variable) || continuing?.statements.length !== 1) return undefined;
  const step = continuing.statements[0]!;
  if (step.kind !== 'assign' || step.place.kind !== 'variable' || step.place.variable !== variable) return undefined;
  if (step.operator !== '+' || step.value.kind !== 'literal' || !(Number(step.value.value) > 0)) return undefined;
  if (mayChange(body, variable) || breaksOut(body)) return undefined;
  const limit = Number(condition.right.value);
  const by = Number(step.value.value);
  const inside = (i: number) =>
    condition.operator === '<' ? i < limit : condition.operator === '<=' ? i <= limit : false;
  const counts: number[] = [];
  for (let i = value.value; inside(i); i += by) {
    counts.push(i);
    if (counts.length > MAX_TRIPS) return undefined;
  }
  return counts;
}

function isLoadOf(expression: Expression, variable: Variable): boolean {
  return expression.kind === 'load' && expression.place.kind === 'variable' && expression.place.variable === variable;
}

/** Does a `break` in here leave the loop? */
function breaksOut(block: Block): boolean {
  return block.statements.some((statement) => {
    if (statement.kind === 'break') return true;
    if (statement.kind === 'if')
      return breaksOut(statement.then) || (statement.else !== undefined && breaksOut(statement.else));
    return statement.kind === 'block' && breaksOut(statement.body);
  });
}

/** Does it index an array of the function or invocation by a number that is not known? */
export function indexesLocalArray(body: Block): boolean {
  return someNode(body, (node) => {
    if (node.kind !== 'element') return false;
    const place = node as unknown as Extract<Place, { kind: 'element' }>;
    const root = rootOf(place);
    const local = root !== undefined && (root.space === 'function' || root.space === 'private');
    return local && place.of.type.kind === 'array' && place.index.kind !== 'literal';
  });
}
