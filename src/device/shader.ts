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
      this.module = device.compiler.read(code);
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
  const before = code.split('\n').slice(0, line - 1);
  return before.reduce((sum, text) => sum + text.length + 1, 0) + column - 1;
}
