/** `diagnostic(off, subgroup_uniformity)`: how breaches of some rules are reported, in a module or in a part of it. */
import type { DiagnosticSyntax } from './syntax.js';
import type { Severity, Warning } from './tree.js';

/** Severities that `diagnostic` takes. */
export const SEVERITIES: readonly string[] = ['error', 'warning', 'info', 'off'] satisfies Severity[];

/** Rules of WGSL that `diagnostic` controls. Derivatives are of fragment shaders, so that nothing here breaks theirs. */
const RULES: readonly string[] = ['derivative_uniformity', 'subgroup_uniformity'];

/** The first of these that says something else of a rule than one before it. */
export const conflicting = (given: readonly DiagnosticSyntax[]) =>
  given.find((one, i) => differs(one, given.slice(0, i)));

const differs = ({ rule, severity }: DiagnosticSyntax, before: readonly DiagnosticSyntax[]) =>
  before.some((other) => other.rule === rule && other.severity !== severity);

/** What these say of `subgroup_uniformity`. */
export const severityIn = (given: readonly DiagnosticSyntax[]): Severity | undefined =>
  given.find(({ rule }) => rule === 'subgroup_uniformity')?.severity;

/** A rule that WGSL does not have is no error; rules with a dot are those of one implementation. */
export function unknownRule({ rule, at }: DiagnosticSyntax): Warning[] {
  if (RULES.includes(rule) || rule.includes('.')) return [];
  return [{ severity: 'warning', rule: `unrecognized diagnostic rule '${rule}'; known: ${RULES.join(', ')}`, at }];
}
