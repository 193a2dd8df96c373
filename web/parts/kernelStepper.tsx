import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { shortNumber } from '../../src/cli/inspect/signs.js';
import type { CapturedDispatch } from '../../src/inspect/capture.js';
import { Stepper, SUBGROUP_SIZES, type SubgroupSize, type Three } from '../../src/wgsl/index.js';
import { agreement, gridsOf, touchWords } from '../lib/stepping.js';
import { lineWith, TOURS, type TourStop } from '../lib/tours.js';
import { CodeView } from './codeView.js';
import { LaneTable } from './laneTable.js';
import { MemoryView } from './memoryView.js';
import { Prose } from './prose.js';

interface Props {
  readonly dispatch: CapturedDispatch;
  readonly subgroupSize: SubgroupSize;
  /** where to begin, if not at the first statement; it may choose a lane */
  readonly begin?: (stepper: Stepper) => number;
  readonly workgroup?: Three;
  /** its tour begins at once */
  readonly isTour?: boolean;
  /** lines to mark as faulty */
  readonly faults?: ReadonlySet<number>;
  readonly onClose: () => void;
}

/** Step through a kernel: its text, every lane of one workgroup, and the memory that they share. */
export function KernelStepper({
  dispatch,
  subgroupSize,
  begin,
  workgroup: first,
  isTour = false,
  faults,
  onClose,
}: Props) {
  const [size, setSize] = useState<SubgroupSize>(subgroupSize);
  const [workgroup, setWorkgroup] = useState<Three>(first ?? [0, 0, 0]);
  const [lane, setLane] = useState(0);
  const [moment, setMoment] = useState(0);
  const [tour, setTour] = useState<number | undefined>(undefined);
  const stepper = useMemo(() => {
    const { module, entryPoint, bindings, workgroups } = dispatch;
    return new Stepper(module, entryPoint, {
      bindings,
      workgroups,
      workgroup,
      subgroupSize: size,
      iterationLimit: 1e6,
    });
  }, [dispatch, workgroup, size]);
  useEffect(() => {
    Object.assign(globalThis, { byteToLossStepper: stepper }); // for the console
    setLane(begin === undefined ? 0 : begin(stepper));
    setTour(undefined);
    setMoment((now) => now + 1);
    if (isTour) visit(TOURS[dispatch.shader]?.[0], 0);
  }, [stepper, begin, isTour]);
  const grids = useMemo(() => gridsOf(stepper, dispatch), [stepper, dispatch, stepper.memories]);

  const move = (go: () => void) => {
    go();
    setMoment((now) => now + 1);
  };
  const stops = TOURS[dispatch.shader];
  const visit = (stop: TourStop | undefined, i: number) => {
    setTour(stop === undefined ? undefined : i);
    if (stop === undefined) return;
    const to = stop.lane ?? (i === 0 ? 0 : lane);
    setLane(to);
    move(() => {
      if (i === 0) stepper.restart();
      if (stop.to !== undefined) stepper.toLine(to, lineWith(stepper.module.text, stop.to));
      if (stop.move === 'barrier') stepper.barrier();
      if (stop.move === 'end') stepper.finish();
    });
  };

  // The focus moves to the stepper, and back to what opened it when it closes.
  const heading = useRef<HTMLHeadingElement>(null);
  const opener = useRef<Element | null>(null);
  useEffect(() => {
    opener.current = document.activeElement;
    if (document.hasFocus()) heading.current!.focus({ preventScroll: true });
  }, [dispatch]);
  const leave = () => {
    if (opener.current instanceof HTMLElement) opener.current.focus({ preventScroll: true });
    onClose();
  };

  const { lanes, ended, atBarrier, error } = stepper;
  const line = stepper.lineOf(lane);
  const own = stepper.touches.filter((touch) => touch.lane === lane);
  const counts = new Map([...stepper.lines].map(([at, there]) => [at, there.length]));
  const agrees = ended && error === undefined && dispatch.after.size > 0 ? agreement(stepper, dispatch) : undefined;
  const buttons: [name: string, go: () => void, isOff: boolean][] = [
    ['Back', () => stepper.back(), stepper.rounds < 2],
    ['Next line', () => stepper.line(), ended],
    ['Next iteration', () => stepper.iteration(lane), ended],
    ['Next barrier', () => stepper.barrier(), ended],
    ['To the end', () => stepper.finish(), ended],
    ['Start again', () => stepper.restart(), stepper.rounds < 2],
  ];
  return (
    <section
      class="kernel-stepper"
      id="stepper"
      aria-labelledby="stepper-title"
      onKeyDown={({ key }) => key === 'Escape' && leave()}
    >
      <div class="heading">
        <h3 id="stepper-title" tabIndex={-1} ref={heading}>
          Step through <code>{dispatch.shader}</code>
        </h3>
        <button type="button" class="quiet small" onClick={leave}>
          Close
        </button>
      </div>
      <div class="choices">
        {(['x', 'y', 'z'] as const).map((axis, i) =>
          dispatch.workgroups[i]! > 1 || i === 0 ? (
            <label key={axis}>
              <span>
                workgroup {axis}, of {dispatch.workgroups[i]}
              </span>
              <input
                type="number"
                min={0}
                max={dispatch.workgroups[i]! - 1}
                value={workgroup[i]}
                onChange={({ currentTarget: { valueAsNumber } }) =>
                  setWorkgroup(
                    workgroup.map((at, j) =>
                      i === j ? inside(valueAsNumber, dispatch.workgroups[i]!) : at,
                    ) as unknown as Three,
                  )
                }
              />
            </label>
          ) : null,
        )}
        <label>
          <span>lane, of {lanes.length}</span>
          <input
            type="number"
            min={0}
            max={lanes.length - 1}
            value={lane}
            onInput={({ currentTarget: { valueAsNumber } }) => setLane(inside(valueAsNumber, lanes.length))}
          />
        </label>
        <label>
          <span>subgroup size</span>
          <select value={size} onChange={({ currentTarget }) => setSize(Number(currentTarget.value) as SubgroupSize)}>
            {SUBGROUP_SIZES.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      </div>
      <p class="actions moves">
        {buttons.map(([name, go, isOff]) => (
          <button key={name} type="button" class="quiet small" disabled={isOff} onClick={() => move(go)}>
            {name}
          </button>
        ))}
        {stops !== undefined && tour === undefined && (
          <button type="button" class="small" onClick={() => visit(stops[0], 0)}>
            Guided tour
          </button>
        )}
      </p>
      {stops !== undefined && tour !== undefined && (
        <div class="tour" role="status">
          <p>
            <span class="soft">
              {tour + 1} of {stops.length}
            </span>{' '}
            <Prose text={stops[tour]!.say} />
          </p>
          <button type="button" class="small" onClick={() => visit(stops[tour + 1], tour + 1)}>
            {tour + 1 < stops.length ? 'Continue' : 'End the tour'}
          </button>
        </div>
      )}
      <p class="said" role="status" id="stepper-status">
        {error !== undefined
          ? error.message
          : ended
            ? 'The workgroup has ended.'
            : atBarrier
              ? `All ${lanes.filter(({ done }) => !done).length} lanes wait at the barrier in line ${line}: none continues before all have reached it.`
              : `Lane ${lane} ${said(stepper, lane)}.`}{' '}
        {own.length > 0 &&
          `In the last step it ${own
            .slice(0, 4)
            .map((touch) => touchWords(touch, stepper))
            .join(', ')}${own.length > 4 ? `, and ${own.length - 4} more words` : ''}.`}
        {agrees !== undefined &&
          (agrees.different === 0
            ? ` The ${agrees.count} numbers that it wrote are those of the run, to the bit.`
            : ` Of the ${agrees.count} numbers that it wrote, ${agrees.count - agrees.different} are those of the run to the bit; the largest difference is ${shortNumber(agrees.error)}, from rounding on the device.`)}
      </p>
      <div class="stepping">
        <CodeView
          text={stepper.module.text}
          label={`shaders/${dispatch.shader}.wgsl`}
          current={line}
          lanes={counts}
          {...(faults && { faults })}
        />
        <LaneTable key={dispatch.shader} stepper={stepper} lane={lane} onPick={setLane} />
      </div>
      <p class="legend">
        <span class="key positive" /> positive <span class="key negative" /> negative, strong where large; by the last
        move: <span class="key read" /> read <span class="key written" /> written <span class="key own" /> by lane{' '}
        {lane} in its last step
      </p>
      <div class="memories">
        {grids.map((grid) => (
          <MemoryView
            key={grid.variable.id}
            grid={grid}
            touched={stepper.touched.get(grid.variable)}
            own={own.filter(({ variable }) => variable === grid.variable)}
            moment={moment}
          />
        ))}
      </div>
    </section>
  );
}

function said(stepper: Stepper, lane: number): string {
  const state = stepper.stateOf(lane);
  if (state === 'has ended') return state;
  return state === 'runs' ? `is about to run line ${stepper.lineOf(lane)}` : `${state} in line ${stepper.lineOf(lane)}`;
}

function inside(value: number, count: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.min(count - 1, Math.trunc(value))) : 0;
}
