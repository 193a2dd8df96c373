/** Listens for Ctrl-C and SIGTERM: the first asks for an end with everything saved, the second ends at once. */
export interface Stop {
  /** the first signal, once it has come */
  readonly signal: NodeJS.Signals | undefined;
  /** be told of each signal; returns how to be told no more */
  listen(told: (signal: NodeJS.Signals) => void): () => void;
  /** listen no more */
  off(): void;
}

/** Start to listen; `off` ends it. */
export function onStop(): Stop {
  let first: NodeJS.Signals | undefined;
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  const onSignal = (name: NodeJS.Signals) => {
    for (const told of listeners) told(name);
    if (first !== undefined) {
      // By the signal itself, which a shell reports alike: an orderly exit would tear the driver down amid its work.
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      process.kill(process.pid, name);
      return;
    }
    first = name;
    console.log(`\n${name}: finishing this step and saving; once more stops at once`);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    get signal() {
      return first;
    },
    listen(told) {
      listeners.add(told);
      return () => listeners.delete(told);
    },
    off() {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    },
  };
}

/** What a shell expects of a process that a signal ended: 130 or 143. */
export function exitCode(signal: NodeJS.Signals): number {
  return signal === 'SIGINT' ? 130 : 143;
}
