import { GPUBufferUsage, GPUMapMode, GPUShaderStage } from './constants.js';
import { GPUError, GPUInternalError, GPUOutOfMemoryError, GPUPipelineError, GPUValidationError } from './errors.js';

const GLOBALS = {
  GPUBufferUsage,
  GPUMapMode,
  GPUShaderStage,
  GPUError,
  GPUInternalError,
  GPUOutOfMemoryError,
  GPUPipelineError,
  GPUValidationError,
};

/** Define the globals of WebGPU where they are missing: in Node, and in browsers without WebGPU. */
export function defineGlobals(): void {
  for (const [name, value] of Object.entries(GLOBALS)) {
    if (!(name in globalThis)) Object.assign(globalThis, { [name]: value });
  }
}
