/** What a shell expects of a process that a signal ended, by the signals that are listened for. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Signal = keyof typeof EXIT_CODES;
const SIGNALS = Object.keys(EXIT_CODES) as Signal[];

/** Listens for Ctrl-C, SIGTERM and a closed terminal: the first asks for an end with everything saved, the second ends at once. */
export interface Stop {
  /** the first signal, once it has come */
  readonly signal: Signal | undefined;
  /** be told of each signal; returns how to be told no more */
  listen(told: (signal: Signal) => void): () => void;
  /** listen no more */
  off(): void;
}

/** How a stop is announced. */
export interface StopOptions {
  /** prints a line; where a status line owns the screen, through it. Default console.log */
  readonly print?: (line: string) => void;
  /** clears the screen of what `print` would draw again, before a second signal ends the process */
  readonly clear?: () => void;
  /** a line that tells how to resume, printed before a second signal ends the process */
  readonly hint?: () => string | undefined;
}

/** Start to listen; `off` ends it. */
export function onStop({
  print = (line) => console.log(line),
  clear = () => {},
  hint = () => undefined,
}: StopOptions = {}): Stop {
  let first: Signal | undefined;
  const listeners = new Set<(signal: Signal) => void>();
  const onSignal = (name: Signal) => {
    // A terminal that closes says so twice, by its shell and by itself: that is nobody who is in a hurry.
    if (name === 'SIGHUP' && first !== undefined) return;
    for (const told of listeners) told(name);
    if (first !== undefined) {
      // By the signal itself, which a shell reports alike: an orderly exit would tear the driver down amid its work.
      off();
      const line = hint();
      clear();
      print(`${name}: stopped at once${line === undefined ? '' : `\n${line}`}`);
      process.kill(process.pid, name);
      return;
    }
    first = name;
    print(`${name}: finishing this step and saving; once more stops at once`);
  };
  const off = () => {
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    get signal() {
      return first;
    },
    listen(told) {
      listeners.add(told);
      return () => listeners.delete(told);
    },
    off,
  };
}

/** What a shell expects of a process that a signal ended: 130, 143 or 129. */
export function exitCode(signal: Signal): number {
  return EXIT_CODES[signal];
}
