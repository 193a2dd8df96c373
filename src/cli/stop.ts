/** Exit code by signal, as a shell expects it. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Signal = keyof typeof EXIT_CODES;
const SIGNALS = Object.keys(EXIT_CODES) as Signal[];

/**
 * Listens for Ctrl-C, SIGTERM and a closed terminal: the first asks for an end with everything saved, the second ends
 * at once.
 */
export interface Stop {
  /** the first signal, once it has come */
  readonly signal: Signal | undefined;
  /** calls a function at each signal; returns a function that ends this */
  listen(told: (signal: Signal) => void): () => void;
  /** stop listening */
  off(): void;
}

/** The output of a stop. */
export interface StopOptions {
  /** prints a line, through the status line if one owns the screen. Default console.log */
  readonly print?: (line: string) => void;
  /** clears the status line before a second signal ends the process */
  readonly clear?: () => void;
  /** a line with the command to resume, printed before a second signal ends the process */
  readonly hint?: () => string | undefined;
}

/** Start listening; `off` stops. */
export function onStop({
  print = (line) => console.log(line),
  clear = () => {},
  hint = () => undefined,
}: StopOptions = {}): Stop {
  let first: Signal | undefined;
  const listeners = new Set<(signal: Signal) => void>();
  const onSignal = (name: Signal) => {
    // A closing terminal sends the signal twice, from its shell and from itself: that is not an urgent stop.
    if (name === 'SIGHUP' && first !== undefined) return;
    for (const told of listeners) told(name);
    if (first !== undefined) {
      // The signal itself ends the process, which a shell reports alike: an orderly exit would unload the driver while
      // it works.
      off();
      const line = hint();
      clear();
      print(`${name}: stopped at once${line === undefined ? '' : `\n${line}`}`);
      process.kill(process.pid, name);
      return;
    }
    first = name;
    print(`${name}: finishing this step and saving; a second signal stops at once`);
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

/** The exit code that a shell expects after a signal: 130, 143 or 129. */
export function exitCode(signal: Signal): number {
  return EXIT_CODES[signal];
}
