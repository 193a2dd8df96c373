import { useEffect, useMemo, useState } from 'preact/hooks';
import { shaderText } from '../../src/engine/shaderSource.js';
import { checkOwn, checkPuzzle, placeOf, type Verdict } from '../lib/puzzleCheck.js';
import { OWN_KERNEL, PUZZLES, withHoles } from '../lib/puzzles.js';
import { KernelStepper } from './kernelStepper.js';
import { Prose } from './prose.js';

const OWN_TASK =
  'Write any kernel. The checker runs it and looks for races, reads of unwritten memory, indices out of bounds, barriers that not all lanes reach, and loops that do not end.';

/** Ten kernels with a hole, and one that is the reader's own. */
export function PuzzlePanel() {
  const [chosen, setChosen] = useState(0);
  const [solved, setSolved] = useState<ReadonlySet<number>>(new Set());
  const [solution, setSolution] = useState('');
  const [text, setText] = useState('');
  const [verdict, setVerdict] = useState<Verdict | undefined>(undefined);
  const [isHinted, setHinted] = useState(false);
  const [isStepping, setStepping] = useState(false);
  const puzzle = PUZZLES[chosen];

  useEffect(() => {
    setVerdict(undefined);
    setHinted(false);
    setStepping(false);
    if (puzzle === undefined) {
      setText(OWN_KERNEL);
      return;
    }
    let isCurrent = true; // until another puzzle is chosen
    setText('');
    void shaderText(puzzle.shader).then((file) => {
      if (!isCurrent) return;
      setSolution(file);
      setText(withHoles(puzzle, file));
    });
    return () => {
      isCurrent = false;
    };
  }, [puzzle]);

  const tryIt = async () => {
    setStepping(false);
    const found = puzzle === undefined ? checkOwn(text) : await checkPuzzle(puzzle, text);
    setVerdict(found);
    if (found.passed && puzzle !== undefined) setSolved(new Set([...solved, chosen]));
  };
  const failed = verdict !== undefined && !verdict.passed ? verdict : undefined;
  const place = useMemo(() => {
    const entry = failed?.dispatch?.module.entryPoints[0];
    return failed?.finding === undefined || entry === undefined
      ? undefined
      : placeOf(failed.finding, entry.workgroupSize);
  }, [failed]);
  return (
    <div class="puzzles">
      <fieldset class="puzzle-list">
        <legend class="visually-hidden">Puzzles</legend>
        {[...PUZZLES.map(({ title }) => title), 'Your own kernel'].map((title, i) => (
          <button
            key={title}
            type="button"
            class="quiet small"
            aria-pressed={i === chosen}
            onClick={() => setChosen(i)}
          >
            {i < PUZZLES.length && `${i + 1}. `}
            {title}
            {solved.has(i) && <span> ✓</span>}
          </button>
        ))}
      </fieldset>
      <p>
        <Prose text={puzzle?.task ?? OWN_TASK} />
      </p>
      {isHinted && puzzle !== undefined && (
        <p class="tour" role="status">
          <Prose text={puzzle.hint} />
        </p>
      )}
      <label class="wide">
        <span>{puzzle === undefined ? 'Your kernel' : `shaders/${puzzle.shader}.wgsl, with a hole`}</span>
        <textarea
          class="wgsl"
          rows={22}
          spellcheck={false}
          wrap="off"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <p class="actions">
        <button type="button" onClick={() => void tryIt()}>
          Check
        </button>
        {puzzle !== undefined && (
          <>
            <button type="button" class="quiet" onClick={() => setHinted(true)} disabled={isHinted}>
              Hint
            </button>
            <button type="button" class="quiet" onClick={() => setText(solution)}>
              Solution
            </button>
          </>
        )}
        <button
          type="button"
          class="quiet"
          onClick={() => setText(puzzle === undefined ? OWN_KERNEL : withHoles(puzzle, solution))}
        >
          Start again
        </button>
        {place !== undefined && (
          <button type="button" class="quiet" onClick={() => setStepping(true)}>
            Step to it
          </button>
        )}
      </p>
      {verdict !== undefined && (
        <pre class={`verdict ${verdict.passed ? 'passed' : 'failed'}`} role="status" id="verdict">
          {verdict.said}
        </pre>
      )}
      {isStepping && place !== undefined && failed?.dispatch !== undefined && (
        <KernelStepper
          key={failed.said}
          dispatch={failed.dispatch}
          subgroupSize={32}
          {...place}
          onClose={() => setStepping(false)}
        />
      )}
    </div>
  );
}
