import { useEffect, useRef } from 'preact/hooks';
import type { Stepper } from '../../src/wgsl/index.js';
import { valueWords } from '../lib/stepping.js';

interface Props {
  readonly stepper: Stepper;
  readonly lane: number;
  readonly onPick: (lane: number) => void;
}

/** Every lane of the workgroup, a row each, with the variables that the chosen one can name. Waiting lanes are grey. */
export function LaneTable({ stepper, lane, onPick }: Props) {
  const box = useRef<HTMLElement>(null);
  const before = useRef(new Map<string, string>());
  const valuesOf = (index: number) =>
    new Map(
      stepper
        .variablesOf(index)
        .flatMap(({ variables }) => variables.map(({ variable, value }) => [variable, value] as const)),
    );
  // The latest first: they are the ones that change.
  const names = [...valuesOf(lane).keys()].reverse();
  const now = new Map<string, string>();
  const rows = stepper.lanes.map(({ index }) => {
    const values = valuesOf(index);
    const cells = names.map((variable) => {
      const value = values.get(variable);
      const words = value === undefined ? '' : valueWords(value);
      const key = `${index} ${variable.id}`;
      now.set(key, words);
      const was = before.current.get(key);
      return { variable, words, changed: was !== undefined && was !== words && words !== '' };
    });
    return { index, state: stepper.stateOf(index), line: stepper.lineOf(index), cells };
  });
  useEffect(() => {
    before.current = now;
  });
  useEffect(() => {
    const row = box.current?.querySelector<HTMLElement>('[aria-selected="true"]');
    if (row) box.current!.scrollTo({ top: row.offsetTop - 70 });
  }, [lane]);
  const states = { runs: '', 'waits at a barrier': 'waits', 'waits for its subgroup': 'waits', 'has ended': 'ended' };
  return (
    <section
      class="lanes"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard, WCAG 2.1.1
      tabIndex={0}
      aria-label="Lanes and their variables: the arrow keys choose a lane"
      ref={box}
      onKeyDown={(event) => {
        const to = { ArrowUp: lane - 1, ArrowDown: lane + 1 }[event.key];
        if (to === undefined || stepper.lanes[to] === undefined) return;
        event.preventDefault();
        onPick(to);
      }}
    >
      <table>
        <thead>
          <tr>
            <th scope="col">lane</th>
            <th scope="col">line</th>
            {names.map(({ id, name, type }) => (
              <th key={id} scope="col" class={type.kind === 'scalar' ? '' : 'many'}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ index, state, line, cells }) => (
            <tr
              key={index}
              class={states[state]}
              aria-selected={index === lane}
              title={`lane ${index} ${state}`}
              onPointerDown={() => onPick(index)}
            >
              <th scope="row">{index}</th>
              <td>
                {line ?? 'ended'}
                {states[state] === 'waits' && <span class="visually-hidden">, {state}</span>}
              </td>
              {cells.map(({ variable: { id, type }, words, changed }) => (
                <td key={id} class={`${changed ? 'changed' : ''}${type.kind === 'scalar' ? '' : ' many'}`}>
                  {words}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
