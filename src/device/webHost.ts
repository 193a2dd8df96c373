import type { Host, Thread, ThreadListener } from './host.js';

/**
 * A web page. Its threads can share memory only when it is isolated from other origins (headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`); a page from a file never is.
 */
export function webHost(): Host {
  return {
    processors: navigator.hardwareConcurrency || 1,
    prelude: `
const post = (message) => self.postMessage(message);
const listen = (callback) => { self.onmessage = ({ data }) => callback(data); };
`,
    ...(globalThis.crossOriginIsolated ? { spawn } : {}),
    soon(callback) {
      // Timers of pages wait at least 4 ms when they follow one another; messages do not.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        callback();
      };
      port2.postMessage(undefined);
    },
  };
}

function spawn(source: string, listener: ThreadListener): Thread {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url, { name: 'byte-to-loss CPU device' });
  worker.onmessage = ({ data }) => {
    URL.revokeObjectURL(url);
    listener.message(data);
  };
  worker.onerror = (event) => listener.ended(event.message || 'it could not be started');
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    hold() {},
    release() {},
    terminate: () => worker.terminate(),
  };
}
