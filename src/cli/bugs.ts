import { closeDevices } from '../device/adapters.js';

/** Milliseconds that what is going on may take to end once its devices are closed. */
const PATIENCE = 5_000;

/**
 * Do some work, until it ends or an error comes up that nobody catches: a bug. Node would end the process on the spot, and
 * a driver that is torn down amid its work crashes now and then. So the devices are closed instead, what went on with them
 * ends by that, and then the process.
 *
 * @throws what `work` throws, or the error that nobody caught
 */
export async function untilBug(work: () => Promise<unknown>): Promise<void> {
  let met = false;
  let meet = (_: unknown): void => {};
  const bug = new Promise<never>((_, reject) => {
    meet = (error) => {
      met = true;
      reject(error);
    };
  });
  process.on('uncaughtException', meet);
  try {
    await Promise.race([work(), bug]);
  } finally {
    if (met) {
      closeDevices();
      setTimeout(() => process.exit(), PATIENCE).unref();
    } else {
      process.off('uncaughtException', meet);
    }
  }
}
