/** WebGPU's error objects: code that handles them checks these names. */
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

/** A pipeline could not be created. */
export class GPUPipelineError extends DOMException {
  static override readonly name = 'GPUPipelineError';
  readonly reason: GPUPipelineErrorReason;

  constructor(message: string, { reason }: { readonly reason: GPUPipelineErrorReason }) {
    super(message, 'GPUPipelineError');
    this.reason = reason;
  }
}

/** Thrown inside this device when WebGPU forbids a call; `CpuDevice.check` turns it into a GPUValidationError. */
export class Refusal extends Error {}

/** @throws Refusal unless `condition` holds */
export function ensure(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new Refusal(message());
}

/** `DOMException`s for rejected promises. */
export const operationError = (message: string) => new DOMException(message, 'OperationError');
/** The `DOMException` that rejects `mapAsync` when its buffer is unmapped, or its device lost, before it is mapped. */
export const abortError = (message: string) => new DOMException(message, 'AbortError');

/** A feature that the CPU device lacks; `name` is the call or the value. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';

  constructor(what: string) {
    super(`${what}: the CPU device runs compute only; textures, samplers and rendering need a GPU`);
  }
}
