import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(import.meta.url);

/**
 * Call a function of a module here in a process of its own, so that its memory, its fall and its flags are its own.
 *
 * @param module as `import.meta.url` of the caller gives it   @param args and the result cross as JSON
 * @param flags of Node
 * @throws Error with the exit code or signal of a process that ended without a result
 */
export function inOwnProcess<T>(module: string, name: string, args: readonly unknown[], flags: readonly string[] = []) {
  const child = fork(HERE, [module, name, JSON.stringify(args)], { execArgv: ['--import', 'tsx', ...flags] });
  return new Promise<T>((resolve, reject) => {
    let result: { value: T } | undefined;
    child.on('message', (message) => {
      result = message as { value: T };
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (result !== undefined && code === 0) resolve(result.value);
      else reject(new Error(`${name}(${args.join()}) in its own process ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

async function answer(module: string, name: string, args: string): Promise<void> {
  const functions = (await import(module)) as Record<string, (...args: unknown[]) => unknown>;
  const value = await functions[name]!(...(JSON.parse(args) as unknown[]));
  process.send!({ value });
  process.disconnect();
}

// Not awaited: the module that is called imports this one, and would wait for it.
if (process.argv[1] === HERE) void answer(...(process.argv.slice(2) as [string, string, string]));
