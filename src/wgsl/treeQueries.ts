/** Questions about pieces of the typed tree. */

import { holdsArray } from './flatten.js';
import type { Block, Expression, Place, Statement, Variable } from './tree.js';

/** Calls `visit` for every statement, expression and place below; stops if it returns true, and then returns true. */
export function someNode(root: unknown, visit: (node: { kind: string }) => boolean): boolean {
  if (typeof root !== 'object' || root === null) return false;
  if (Array.isArray(root)) return root.some((item) => someNode(item, visit));
  if ('kind' in root && visit(root as { kind: string })) return true;
  for (const key in root) {
    if (key === 'type' || key === 'variable' || key === 'function' || key === 'at') continue;
    if (someNode(root[key as keyof typeof root], visit)) return true;
  }
  return false;
}

/** May the variable change in here, through a pointer too? */
export function mayChange(body: Block, variable: Variable): boolean {
  return someNode(body, (node) => {
    const place =
      node.kind === 'assign' || node.kind === 'pointer' ? (node as unknown as { place: Place }).place : undefined;
    return place !== undefined && rootOf(place) === variable;
  });
}

/** The variable that a place is part of; undefined behind a pointer. */
export function rootOf(place: Place): Variable | undefined {
  if (place.kind === 'variable') return place.variable;
  return place.kind === 'deref' ? undefined : rootOf(place.of);
}

/** Does it contain a `return`? */
export function mayReturn(statement: Statement): boolean {
  return someNode(statement, (node) => node.kind === 'return');
}

/** Does it call a function of the module, or wait for other lanes, so that memory may change while it is evaluated? */
export function mayCall(expression: Expression): boolean {
  let answer = CALLS.get(expression);
  if (answer === undefined) {
    answer = someNode(
      expression,
      (node) =>
        node.kind === 'call' ||
        (node.kind === 'builtin' && (node as { name?: string }).name === 'workgroupUniformLoad'),
    );
    CALLS.set(expression, answer);
  }
  return answer;
}
/** Answers by expression: lowering asks again in every iteration of an unrolled loop and at every inlined call. */
const CALLS = new WeakMap<Expression, boolean>();

/** Is it free of side effects and memory reads, so that it may be evaluated unnecessarily? */
export function isPure(expression: Expression): boolean {
  return !someNode(expression, (node) => {
    if (node.kind === 'call' || node.kind === 'builtin') return true;
    if (node.kind !== 'load') return false;
    const root = rootOf((node as unknown as { place: Place }).place);
    return root === undefined || root.space !== 'function' || holdsArray(root.type);
  });
}
