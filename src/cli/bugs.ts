import { closeDevices } from '../device/adapters.js';

/** Milliseconds for running work to end after its devices are closed. */
const PATIENCE = 5_000;

/**
 * Do some work until it ends or an uncaught error, a bug, occurs. Node would end the process at once, and a driver that
 * is unloaded while it works sometimes crashes. So this function closes the devices, which ends their work, and then
 * the process ends.
 *
 * @throws the error of `work`, or the uncaught error
 */
export async function untilBug(work: () => Promise<unknown>): Promise<void> {
  let isUncaught = false;
  let onUncaught = (_: unknown): void => {};
  const bug = new Promise<never>((_, reject) => {
    onUncaught = (error) => {
      isUncaught = true;
      reject(error);
    };
  });
  process.on('uncaughtException', onUncaught);
  try {
    await Promise.race([work(), bug]);
  } finally {
    if (isUncaught) {
      closeDevices();
      setTimeout(() => process.exit(), PATIENCE).unref();
    } else {
      process.off('uncaughtException', onUncaught);
    }
  }
}
