import type { StatusLine } from './statusLine.js';

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

/**
 * Start listening; `off` stops. The first signal sets the exit code of the process.
 *
 * @param screen prints the lines; its status is cleared before a second signal ends the process
 * @param hint a line with the command to resume, printed before a second signal ends the process
 */
export function onStop(screen: Pick<StatusLine, 'print' | 'end'>, hint?: string): Stop {
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
      screen.end();
      screen.print(`${name}: stopped at once${hint === undefined ? '' : `\n${hint}`}`);
      process.kill(process.pid, name);
      return;
    }
    first = name;
    process.exitCode = EXIT_CODES[name];
    // Node listens to this signal also where nohup has asked it not to.
    const closed = name === 'SIGHUP' ? '. nohup does not keep a Node program running; setsid and tmux do' : '';
    screen.print(`${name}: finishing this step and saving; a second signal stops at once${closed}`);
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
