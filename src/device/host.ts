/** The device's interface to its environment: Node (nodeHost.ts) or a web page (webHost.ts). */
export interface Host {
  /** processors that this process may use */
  readonly processors: number;
  /** starts a thread; absent if threads cannot share memory */
  readonly spawn?: (source: string, listener: ThreadListener) => Thread;
  /** text before the source of a thread: defines `post(message)` and `listen(callback)` */
  readonly prelude: string;
  /** Call back on a later turn of the event loop. */
  readonly soon: (callback: () => void) => void;
}

/** A worker thread, with the same interface in Node and in a web page. */
export interface Thread {
  post(message: unknown, transfer?: ArrayBuffer[]): void;
  /** Keep the process alive until `release`. */
  hold(): void;
  release(): void;
  terminate(): void;
}

/** Receives the messages of a worker thread, and its unexpected end. */
export interface ThreadListener {
  message(message: unknown): void;
  /** The thread ended unexpectedly. */
  ended(reason: string): void;
}
