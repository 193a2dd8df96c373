import { compileErrorOf, type Place, type ReadModule } from './compiler.js';
import type { CpuDevice } from './cpuDevice.js';
import { DeviceObject } from './object.js';

type Message = Omit<GPUCompilationMessage, '__brand'>;

/** WGSL, parsed when the module is created. */
export class CpuShaderModule extends DeviceObject {
  readonly module: ReadModule | undefined;
  readonly #messages: readonly Message[];

  constructor(device: CpuDevice, { label, code }: GPUShaderModuleDescriptor) {
    super(device, 'ShaderModule', label);
    try {
      this.module = device.compiler.read(code, device.features);
      this.#messages = this.module.warnings.map(({ severity, rule, at }) => messageOf(severity, rule, at, code));
    } catch (error) {
      const known = compileErrorOf(error);
      if (known === undefined) throw error;
      this.isValid = false;
      this.#messages = [messageOf('error', known.rule, known.at, code)];
      const text = error instanceof Error ? error.message : known.rule;
      device.refuse(`Error while parsing WGSL: ${text}\n - While calling ${device}.CreateShaderModule(${this})`);
    }
  }

  getCompilationInfo(): Promise<GPUCompilationInfo> {
    return Promise.resolve({ messages: this.#messages } as unknown as GPUCompilationInfo);
  }
}

function messageOf(type: GPUCompilationMessageType, message: string, { line, column }: Place, code: string): Message {
  return { type, message, lineNum: line, linePos: column, offset: offsetOf(code, line, column), length: 0 };
}

/** Number of characters before a position. */
function offsetOf(code: string, line: number, column: number): number {
  const breaks = [...code.matchAll(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/g)]; // all that end a line of WGSL
  const last = breaks[line - 2];
  return (last === undefined ? 0 : last.index + last[0].length) + column - 1;
}
