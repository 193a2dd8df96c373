import { constants } from 'node:os';

/** glibc's RTLD_NODELETE: the loader stays when Node closes a library that is not a Node module. */
const RTLD_NODELETE = 0x1000;

/** Does the system have a Vulkan loader? Checking here avoids Dawn's warning about a missing one. */
export function hasVulkanLoader(): boolean {
  return process.platform !== 'linux' || loadLibrary('libvulkan.so.1');
}

/** Node has only the dlopen for its own modules, which loads any library before it reports an error. */
export function loadLibrary(path: string): boolean {
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
    return true;
  } catch (error) {
    return error instanceof Error && error.message.includes('did not self-register');
  }
}
