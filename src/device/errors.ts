/** WebGPU's error objects: these names are what code that handles them looks at. */
export class GPUError {
  constructor(readonly message: string) {}
}

/** The API was used in a way that WebGPU forbids. */
export class GPUValidationError extends GPUError {
  static override readonly name = 'GPUValidationError';
}

/** There is not enough memory. */
export class GPUOutOfMemoryError extends GPUError {
  static override readonly name = 'GPUOutOfMemoryError';
}

/** The device failed although the API was used correctly. */
export class GPUInternalError extends GPUError {
  static override readonly name = 'GPUInternalError';
}

/** A pipeline could not be made. */
export class GPUPipelineError extends DOMException {
  static override readonly name = 'GPUPipelineError';
  readonly reason: GPUPipelineErrorReason;

  constructor(message: string, { reason }: { readonly reason: GPUPipelineErrorReason }) {
    super(message, 'GPUPipelineError');
    this.reason = reason;
  }
}

/** Thrown inside of this device where WebGPU forbids something; `CpuDevice.check` makes a GPUValidationError of it. */
export class Refusal extends Error {}

/** @throws Refusal unless `condition` holds */
export function ensure(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new Refusal(message());
}

/** `DOMException`s that promises are rejected with. */
export const operationError = (message: string) => new DOMException(message, 'OperationError');
/** The `DOMException` that rejects `mapAsync` when its buffer is unmapped, or its device lost, before it is mapped. */
export const abortError = (message: string) => new DOMException(message, 'AbortError');

/** What a CPU device does not have; `name` is the call or the value. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';

  constructor(what: string) {
    super(`${what}: the CPU device runs compute only; textures, samplers and rendering need a GPU`);
  }
}
