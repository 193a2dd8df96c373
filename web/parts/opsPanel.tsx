import { useEffect, useRef, useState } from 'preact/hooks';
import type { Inspection } from '../../src/cli/inspect/inspection.js';
import { shortNumber, shortTime } from '../../src/cli/inspect/signs.js';
import { formatShape } from '../../src/common/shape.js';
import { kernelsOf } from '../../src/engine/kernelTable.js';
import type { Statistics } from '../../src/inspect/statistics.js';
import type { EntryTrace, Trace } from '../../src/inspect/trace.js';
import { scrollBehaviour } from '../lib/hooks.js';
import { opSource } from '../lib/opSource.js';
import type { StepRequest } from '../lib/state.js';
import { TOUR_STARTS } from '../lib/tours.js';
import { GraphPanel } from './graphPanel.js';
import { Scroll } from './scroll.js';
import { TensorPicture } from './tensorPicture.js';
import { moved } from './textPanel.js';

interface Props {
  readonly look: Inspection | undefined;
  /** entries done and in all, while a look is under way */
  readonly progress: readonly [number, number] | undefined;
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
  readonly onLook: () => void;
  readonly onStep: OnStep;
}

type OnStep = (request: StepRequest) => void;

/** Every op of the pass in order, and one of them opened: formula, numbers, shader, agreement with float64. */
export function OpsPanel({ look, progress, chosen, onChoose, onLook, onStep }: Props) {
  return (
    <>
      <p class="actions">
        <button type="button" onClick={onLook} disabled={progress !== undefined}>
          Run and check every op
        </button>
        <span class="soft" role="status">
          {progress !== undefined && `op ${progress[0]} of ${progress[1]}…`}
          {progress === undefined && look !== undefined && summary(look.trace)}
        </span>
      </p>
      <p class="actions">
        <span>Guided tours, line by line:</span>
        {TOUR_STARTS.map(({ name, op, kernels }) => (
          <button key={name} type="button" class="quiet small" onClick={() => onStep({ op, kernels, isTour: true })}>
            {name}
          </button>
        ))}
      </p>
      {look !== undefined && (
        <GraphPanel
          trace={look.trace}
          chosen={chosen}
          onOpen={(index) => {
            onChoose(index);
            requestAnimationFrame(scrollToOp);
          }}
        />
      )}
      {look !== undefined && <OpBrowser trace={look.trace} chosen={chosen} onChoose={onChoose} onStep={onStep} />}
    </>
  );
}

/** To the opened op. */
export function scrollToOp(): void {
  document.getElementById('op-detail')?.scrollIntoView({ behavior: scrollBehaviour(), block: 'start' });
}

/** Ops that ran on the device: views compute nothing. */
function ranOf(trace: Trace): EntryTrace[] {
  return trace.entries.filter(({ dispatches }) => dispatches.length > 0);
}

function agrees({ outputs }: EntryTrace): boolean {
  return outputs.every(({ parity }) => parity === undefined || parity.error <= parity.allowed);
}

function summary(trace: Trace): string {
  const ran = ranOf(trace);
  const off = ran.filter((entry) => !agrees(entry)).length;
  if (off > 0) return `${off} of ${ran.length} ops disagree with float64`;
  const shares = ran.flatMap(({ outputs }) =>
    outputs.flatMap(({ parity }) => (parity ? parity.error / parity.allowed : [])),
  );
  const largest = Math.max(...shares.filter(Number.isFinite));
  return `${ran.length} ops, all agree with float64; the largest error is ${shortNumber(100 * largest)} % of what rounding may make`;
}

interface BrowserProps {
  readonly trace: Trace;
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
  readonly onStep: OnStep;
}

function OpBrowser({ trace, chosen, onChoose, onStep }: BrowserProps) {
  const ran = ranOf(trace);
  const place = Math.max(
    0,
    ran.findIndex(({ index }) => index === chosen),
  );
  const entry = ran[place]!;
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const item = list.current?.querySelector<HTMLElement>('[aria-selected="true"]');
    // Within the list only: the page stays where it is.
    if (item) list.current!.scrollTo({ top: item.offsetTop - 120, behavior: scrollBehaviour() });
  }, [entry]);
  const go = (to: number) => onChoose(ran[Math.max(0, Math.min(ran.length - 1, to))]!.index);
  return (
    <div class="op-browser">
      <div>
        <p class="actions">
          <button type="button" class="quiet" onClick={() => go(place - 1)} disabled={place === 0}>
            Previous
          </button>
          <button type="button" class="quiet" onClick={() => go(place + 1)} disabled={place === ran.length - 1}>
            Next
          </button>
          <span class="soft">
            {place + 1} of {ran.length}
          </span>
        </p>
        <div
          class="ops"
          ref={list}
          role="listbox"
          tabIndex={0}
          aria-label="Ops in the order they run"
          aria-activedescendant={`op-${entry.index}`}
          onKeyDown={(event) => {
            const key = { ArrowUp: 'ArrowLeft', ArrowDown: 'ArrowRight' }[event.key] ?? event.key;
            const to = moved(key, place, ran.length);
            if (to === undefined) return;
            event.preventDefault();
            go(to);
          }}
        >
          {ran.map((one) => (
            <div
              key={one.index}
              id={`op-${one.index}`}
              role="option"
              tabIndex={-1}
              aria-selected={one === entry}
              onPointerDown={() => onChoose(one.index)}
            >
              <span>{one.op.name}</span>
              <span class="soft">
                {one.scope}
                {agrees(one) ? '' : ', disagrees'}
              </span>
            </div>
          ))}
        </div>
      </div>
      <OpDetail trace={trace} entry={entry} onChoose={onChoose} onStep={onStep} />
    </div>
  );
}

interface DetailProps {
  readonly trace: Trace;
  readonly entry: EntryTrace;
  readonly onChoose: (index: number) => void;
  readonly onStep: OnStep;
}

function OpDetail({ trace, entry, onChoose, onStep }: DetailProps) {
  const { op, scope, inputs, outputs, dispatches, from, to, forward, backward } = entry;
  const [shown, setShown] = useState(outputs[0]!.tensor);
  useEffect(() => setShown(outputs[0]!.tensor), [outputs]);
  const source = opSource(op.name);
  // Saved tensors are also read by the gradients, which are listed separately.
  const onward = to.filter((index) => forward !== undefined || trace.entries[index]!.forward === undefined);
  return (
    <article class="op" id="op-detail" tabIndex={-1} aria-label={`${op.name} in ${scope}`}>
      <h3>
        {op.name} <span class="soft">{scope}</span>
      </h3>
      <p class="formula">{op.formula}</p>
      <Scroll label="Inputs and outputs">
        <table>
          <thead>
            <tr>
              {['', 'name', 'shape', 'min', 'mean', 'max', 'not finite', 'spread'].map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {[...inputs.map((one) => ['in', one] as const), ...outputs.map((one) => ['out', one] as const)].map(
              ([way, { name, tensor }]) => {
                const { shape, statistics } = trace.tensors[tensor]!;
                return (
                  <tr key={way + name} class={way}>
                    <td class="soft">{way}</td>
                    <th scope="row">
                      <button
                        type="button"
                        class="link"
                        aria-pressed={tensor === shown}
                        onClick={() => setShown(tensor)}
                      >
                        {name}
                      </button>
                    </th>
                    <td>{formatShape(shape)}</td>
                    <td>{shortNumber(statistics.min)}</td>
                    <td>{shortNumber(statistics.mean)}</td>
                    <td>{shortNumber(statistics.max)}</td>
                    <td>{statistics.nonFinite || ''}</td>
                    <td>
                      <Histogram statistics={statistics} />
                    </td>
                  </tr>
                );
              },
            )}
          </tbody>
        </table>
      </Scroll>
      <TensorPicture trace={trace} tensor={shown} />
      {outputs.map(
        ({ name, parity }) =>
          parity && (
            <p key={name}>
              <b>{name}</b> {parity.error <= parity.allowed ? 'agrees' : 'disagrees'}: the largest difference from the
              float64 reference is {shortNumber(parity.error)} at index {parity.index} ({shortNumber(parity.kernel)}{' '}
              against {shortNumber(parity.reference)}
              ); rounding may make {shortNumber(parity.allowed)}.
            </p>
          ),
      )}
      <p class="links">
        <Links name="from" of={from} trace={trace} onChoose={onChoose} />
        <Links name="to" of={onward} trace={trace} onChoose={onChoose} />
        <Links name="gradient" of={backward} trace={trace} onChoose={onChoose} />
        <Links name="differentiates" of={forward === undefined ? [] : [forward]} trace={trace} onChoose={onChoose} />
      </p>
      {dispatches.map(({ shader, text, params, constants, workgroups, nanoseconds }, i) => (
        <details key={i} open={i === 0}>
          <summary>
            shaders/{shader}.wgsl <span class="soft">{workgroups.join(' × ')} workgroups</span>
            {nanoseconds ? <span class="soft">, {shortTime(nanoseconds)}</span> : null}
          </summary>
          <p class="soft">
            {[...Object.entries(constants), ...Object.entries(params)]
              .map(([name, value]) => `${name} = ${shortNumber(value)}`)
              .join(', ')}
          </p>
          <p class="actions">
            <button type="button" class="small" onClick={() => onStep({ op: entry.index, dispatch: i })}>
              Step through this kernel
            </button>
            {othersOf(shader).readable && (
              <button
                type="button"
                class="quiet small"
                onClick={() => onStep({ op: entry.index, dispatch: i, kernels: 'readable' })}
              >
                Step through the readable kernel
              </button>
            )}
            {othersOf(shader).gpu && (
              <button
                type="button"
                class="quiet small"
                onClick={() => onStep({ op: entry.index, dispatch: i, kernels: 'gpu' })}
              >
                Step through the kernel for GPUs
              </button>
            )}
          </p>
          <Scroll label={`shaders/${shader}.wgsl`} class="wgsl">
            <pre>{text}</pre>
          </Scroll>
        </details>
      ))}
      <details>
        <summary>
          {source.file} <span class="soft">its shape rule, float64 reference and gradient</span>
        </summary>
        <Scroll label={source.file} class="wgsl">
          <pre>{source.text}</pre>
        </Scroll>
      </details>
    </article>
  );
}

/** Does the pass of a kernel have a readable kernel and another one for GPUs? */
function othersOf(shader: string): { readable: boolean; gpu: boolean } {
  const pass = shader.replace(/^[cg]pu\/(.*)\.\w+$/, '$1');
  const isReadable = pass === shader;
  return { readable: !isReadable, gpu: !shader.startsWith('gpu/') && kernelsOf(pass).some(({ on }) => on === 'gpu') };
}

interface LinksProps {
  readonly name: string;
  readonly of: readonly number[];
  readonly trace: Trace;
  readonly onChoose: (index: number) => void;
}

/** Buttons to other ops; a view is passed through to what made it. */
function Links({ name, of, trace, onChoose }: LinksProps) {
  const ran = of.flatMap((index) => {
    let entry = trace.entries[index]!;
    while (entry.dispatches.length === 0) {
      const next = name === 'to' ? entry.to[0] : entry.from[0];
      if (next === undefined) return [];
      entry = trace.entries[next]!;
    }
    return [entry];
  });
  if (ran.length === 0) return null;
  return (
    <span>
      <span class="soft">{name}</span>{' '}
      {[...new Set(ran)].map((entry) => (
        <button key={entry.index} type="button" class="link" onClick={() => onChoose(entry.index)}>
          {entry.op.name}
        </button>
      ))}
    </span>
  );
}

function Histogram({ statistics: { histogram, min, max } }: { statistics: Statistics }) {
  const most = Math.max(1, ...histogram);
  return (
    <svg class="histogram" viewBox={`0 0 ${histogram.length} 10`} preserveAspectRatio="none" role="img">
      <title>{`histogram of the numbers, from ${shortNumber(min)} to ${shortNumber(max)}`}</title>
      {histogram.map((count, i) => (
        <rect key={i} x={i} width={0.85} y={10 - (10 * count) / most} height={(10 * count) / most} />
      ))}
    </svg>
  );
}
