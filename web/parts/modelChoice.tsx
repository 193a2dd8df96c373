import type { Model } from '../lib/explorer.js';

interface Props {
  /** the decoders that are looked at: one, or two side by side */
  readonly models: readonly Model[];
  readonly trained: Model | undefined;
  readonly fresh: Model;
  readonly onChoose: (models: readonly Model[]) => void;
  readonly onFile: (file: File) => void;
}

/** Which decoder is looked at: the trained one, a fresh one, both side by side, or one of the reader's own. */
export function ModelChoice({ models, trained, fresh, onChoose, onFile }: Props) {
  const [first, second] = models;
  const isOwn = first !== undefined && first !== trained && first !== fresh;
  const choices: [name: string, models: readonly Model[], isChosen: boolean][] = [
    ...(trained
      ? [['Trained', [trained], first === trained && second === undefined] as [string, Model[], boolean]]
      : []),
    ['Fresh', [fresh], first === fresh],
  ];
  const compared = isOwn ? first : trained;
  if (compared !== undefined) choices.push(['Side by side', [compared, fresh], second !== undefined]);
  return (
    <div class="actions model-choice">
      <fieldset class="segments">
        <legend class="visually-hidden">Decoder</legend>
        {choices.map(([name, chosen, isChosen]) => (
          <button key={name} type="button" aria-pressed={isChosen} onClick={() => onChoose(chosen)}>
            {name}
          </button>
        ))}
      </fieldset>
      <label class="button quiet small">
        Load a checkpoint
        <input
          type="file"
          accept=".safetensors"
          onChange={({ currentTarget }) => {
            const file = currentTarget.files?.[0];
            if (file) onFile(file);
            currentTarget.value = '';
          }}
        />
      </label>
      <span class="soft drop-hint">or drop a .safetensors file anywhere on this page</span>
    </div>
  );
}
