/** Operand and result types of the operators. */
import type { BinaryOperator, UnaryOperator } from './tree.js';
import {
  type AnyScalar,
  type AnyType,
  BOOL,
  convertsTo,
  isInteger,
  isNumeric,
  sameType,
  scalarOf,
  U32,
  withScalar,
} from './types.js';

/** Types of a binary operator: two sides and a result. */
export interface BinaryTypes {
  /** type to which each side is converted */
  readonly left: AnyType;
  readonly right: AnyType;
  readonly result: AnyType;
}

/** undefined if the operator does not accept the sides */
export function binaryTypes(operator: BinaryOperator, a: AnyType, b: AnyType): BinaryTypes | undefined {
  const scalarA = scalarOf(a);
  const scalarB = scalarOf(b);
  if (!scalarA || !scalarB) return undefined;
  if (operator === '<<' || operator === '>>') {
    const right = withScalar(b, U32);
    if (!isInteger(scalarA) || a.kind === 'matrix' || !convertsTo(b, right)) return undefined;
    return sameType(withScalar(a, U32), right) ? { left: a, right, result: a } : undefined;
  }
  const scalar = commonScalar(scalarA, scalarB);
  if (!scalar) return undefined;
  const left = withScalar(a, scalar);
  const right = withScalar(b, scalar);
  const result = resultOf(operator, left, right, scalar);
  return result && { left, right, result };
}

function commonScalar(a: AnyScalar, b: AnyScalar): AnyScalar | undefined {
  if (convertsTo(a, b)) return b;
  return convertsTo(b, a) ? a : undefined;
}

function resultOf(operator: BinaryOperator, a: AnyType, b: AnyType, scalar: AnyScalar): AnyType | undefined {
  const sameShape = sameType(a, b);
  const hasMatrix = a.kind === 'matrix' || b.kind === 'matrix';
  switch (operator) {
    case '==':
    case '!=':
      return sameShape && !hasMatrix ? withScalar(a, BOOL) : undefined;
    case '<':
    case '<=':
    case '>':
    case '>=':
      return sameShape && !hasMatrix && isNumeric(scalar) ? withScalar(a, BOOL) : undefined;
    case '&':
    case '|':
      return sameShape && (isInteger(scalar) || scalar === BOOL) ? a : undefined;
    case '^':
      return sameShape && isInteger(scalar) ? a : undefined;
  }
  if (!isNumeric(scalar)) return undefined;
  if (hasMatrix) return matrixResult(operator, a, b);
  if (sameShape) return a;
  if (a.kind === 'scalar') return b;
  return b.kind === 'scalar' ? a : undefined;
}

function matrixResult(operator: BinaryOperator, a: AnyType, b: AnyType): AnyType | undefined {
  if (operator === '+' || operator === '-') return sameType(a, b) ? a : undefined;
  if (operator !== '*') return undefined;
  if (a.kind === 'scalar') return b;
  if (b.kind === 'scalar') return a;
  if (a.kind === 'matrix' && b.kind === 'vector') {
    return a.columns === b.size ? { kind: 'vector', size: a.rows, of: a.of } : undefined;
  }
  if (a.kind === 'vector' && b.kind === 'matrix') {
    return a.size === b.rows ? { kind: 'vector', size: b.columns, of: a.of } : undefined;
  }
  if (a.kind === 'matrix' && b.kind === 'matrix') {
    return a.columns === b.rows ? { ...b, rows: a.rows } : undefined;
  }
  return undefined;
}

/** The result is of the operand's type. */
export function takesUnary(operator: UnaryOperator, type: AnyType): boolean {
  const scalar = scalarOf(type);
  if (!scalar || type.kind === 'matrix') return false;
  if (operator === '!') return scalar === BOOL;
  if (operator === '~') return isInteger(scalar);
  return isNumeric(scalar) && scalar.name !== 'u32';
}
