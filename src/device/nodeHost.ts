import { Worker } from 'node:worker_threads';
import type { Host } from './host.js';
import { usableProcessors } from './processors.js';

/**
 * Threads of Node. They start without the main thread's loaders, and do not keep the process alive while they are idle.
 */
export const nodeHost: Host = {
  processors: usableProcessors(),
  prelude: `
const { parentPort } = require('node:worker_threads');
const post = (message) => parentPort.postMessage(message);
const listen = (callback) => parentPort.on('message', callback);
`,
  spawn(source, listener) {
    const worker = new Worker(source, {
      eval: true,
      execArgv: [],
      env: {},
      name: 'byte-to-loss CPU device',
      // Else Node joins the streams of every thread to this process's own, and warns when ten of them listen there. A
      // thread prints nothing; its errors come by the event below.
      stdout: true,
      stderr: true,
    });
    let isAsked = false;
    worker.on('message', (message) => listener.message(message));
    worker.on('error', (error) => listener.ended(error.message));
    worker.on('exit', (code) => {
      if (!isAsked) listener.ended(`it left with code ${code}`);
    });
    worker.unref();
    return {
      post: (message, transfer = []) => worker.postMessage(message, transfer),
      hold: () => worker.ref(),
      release: () => worker.unref(),
      terminate() {
        isAsked = true;
        void worker.terminate();
      },
    };
  },
  soon: (callback) => void setImmediate(callback),
};
