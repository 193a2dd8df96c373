/** The attributes of each kind of declaration, with their minimum and maximum number of arguments. */

type Attributes = Readonly<Record<string, readonly [least: number, most: number]>>;
type Where = 'function' | 'var' | 'let' | 'const' | 'override' | 'member' | 'parameter';

/** Attributes by the kind of declaration that they precede, each with its minimum and maximum number of arguments. */
export const KNOWN_ATTRIBUTES: Readonly<Record<Where, Attributes>> = {
  function: { compute: [0, 0], workgroup_size: [1, 3], subgroup_size: [1, 1], must_use: [0, 0], diagnostic: [0, 0] },
  var: { group: [1, 1], binding: [1, 1] },
  override: { id: [1, 1] },
  let: {},
  const: {},
  member: { align: [1, 1], size: [1, 1], builtin: [1, 1], location: [1, 1], interpolate: [1, 2], invariant: [0, 0] },
  parameter: { builtin: [1, 1] },
};

/** Attributes of WGSL that mean something to render pipelines only. */
export const OF_RENDERING: readonly string[] = [
  'vertex',
  'fragment',
  'location',
  'interpolate',
  'invariant',
  'blend_src',
  'color',
  'early_fragment_test',
];
