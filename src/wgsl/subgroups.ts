/**
 * Subgroup and quad operations: the lanes of a subgroup that reached one together exchange values.
 *
 * Sums, products and scans combine the active lanes from the lowest up, one by one. A lane that reads an inactive or
 * missing lane receives zero.
 */
import { binaryOn, type ValueFunction } from './evaluate.js';
import { type Value, zeroOf } from './memory.js';
import { componentwise } from './numeric.js';
import type { Type } from './tree.js';

/** An active lane: its number in the subgroup, and its argument. */
export interface Participant {
  readonly lane: number;
  readonly values: readonly Value[];
}

/** The result of each participant, in the order of the participants, which is ascending by lane. */
type SubgroupOperation = (lanes: readonly Participant[], subgroupSize: number) => Value[];

type Combine = (a: Value, b: Value) => Value;

const given = (participant: Participant) => participant.values[0]!;

/** One value for all. */
const toAll =
  (f: (lanes: readonly Participant[]) => Value): SubgroupOperation =>
  (lanes) => {
    const value = f(lanes);
    return lanes.map(() => value);
  };

const reduce = (combine: Combine) => toAll((lanes) => lanes.map(given).reduce(combine));

const inclusive =
  (combine: Combine): SubgroupOperation =>
  (lanes) => {
    let sum: Value | undefined;
    return lanes.map((lane) => {
      sum = sum === undefined ? given(lane) : combine(sum, given(lane));
      return sum;
    });
  };

const exclusive =
  (combine: Combine, identity: Value): SubgroupOperation =>
  (lanes) => {
    let sum = identity;
    return lanes.map((lane) => {
      const before = sum;
      sum = combine(sum, given(lane));
      return before;
    });
  };

/** Each lane receives the value of the lane that `from` names. */
const move =
  (type: Type, from: (participant: Participant, operand: number) => number): SubgroupOperation =>
  (lanes) => {
    const zero = zeroOf(type);
    const values = new Map(lanes.map((participant) => [participant.lane, given(participant)]));
    return lanes.map((participant) => values.get(from(participant, Number(participant.values[1]))) ?? zero);
  };

/** min and max, and, or, xor component by component. */
function combiner(name: string, type: Type): Combine {
  const operators = { Add: '+', Mul: '*', And: '&', Or: '|', Xor: '^' } as const;
  if (Object.hasOwn(operators, name)) return binaryOn(operators[name as keyof typeof operators], type, type);
  const scalar = type.kind === 'vector' ? type.of.name : type.kind === 'scalar' ? type.name : 'f32';
  const pick = componentwise(name.toLowerCase(), scalar) as ValueFunction;
  return (a, b) => (Array.isArray(a) ? a.map((x, i) => pick(x, (b as Value[])[i]!)) : pick(a, b));
}

const filled = (type: Type, value: number): Value =>
  type.kind === 'vector' ? new Array<Value>(type.size).fill(value) : value;

const OPERATIONS: Record<string, (type: Type) => SubgroupOperation> = {
  subgroupAdd: (type) => reduce(combiner('Add', type)),
  subgroupMul: (type) => reduce(combiner('Mul', type)),
  subgroupMin: (type) => reduce(combiner('Min', type)),
  subgroupMax: (type) => reduce(combiner('Max', type)),
  subgroupAnd: (type) => reduce(combiner('And', type)),
  subgroupOr: (type) => reduce(combiner('Or', type)),
  subgroupXor: (type) => reduce(combiner('Xor', type)),
  subgroupInclusiveAdd: (type) => inclusive(combiner('Add', type)),
  subgroupInclusiveMul: (type) => inclusive(combiner('Mul', type)),
  subgroupExclusiveAdd: (type) => exclusive(combiner('Add', type), filled(type, 0)),
  subgroupExclusiveMul: (type) => exclusive(combiner('Mul', type), filled(type, 1)),
  subgroupAll: () => toAll((lanes) => lanes.every((lane) => given(lane) === true)),
  subgroupAny: () => toAll((lanes) => lanes.some((lane) => given(lane) === true)),
  subgroupElect: () => (lanes) => lanes.map((_, i) => i === 0),
  // bit i of the vec4u: 1 if lane i is active with the argument true
  subgroupBallot: () =>
    toAll((lanes) => {
      const words = [0, 0, 0, 0];
      for (const { lane, values } of lanes) {
        if (values[0] === true) words[lane >> 5] = (words[lane >> 5]! | (1 << (lane & 31))) >>> 0;
      }
      return words;
    }),
  subgroupBroadcast: (type) => move(type, (_, from) => from),
  subgroupBroadcastFirst: () => toAll((lanes) => given(lanes[0]!)),
  subgroupShuffle: (type) => move(type, (_, from) => from),
  subgroupShuffleXor: (type) => move(type, ({ lane }, mask) => (lane ^ mask) >>> 0),
  subgroupShuffleUp: (type) => move(type, ({ lane }, delta) => lane - delta),
  subgroupShuffleDown: (type) => move(type, ({ lane }, delta) => lane + delta),
  // a quad is four lanes from a multiple of 4
  quadBroadcast: (type) => move(type, ({ lane }, from) => (lane & ~3) + from),
  quadSwapX: (type) => move(type, ({ lane }) => lane ^ 1),
  quadSwapY: (type) => move(type, ({ lane }) => lane ^ 2),
  quadSwapDiagonal: (type) => move(type, ({ lane }) => lane ^ 3),
};

/** The operation of that name on values of a type (of the first argument); undefined if there is none. */
export function subgroupOperation(name: string, type: Type): SubgroupOperation | undefined {
  return Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name]!(type) : undefined;
}

/** Does a builtin wait for the other lanes of its subgroup? */
export const isSubgroupOperation = (name: string): boolean => Object.hasOwn(OPERATIONS, name);
