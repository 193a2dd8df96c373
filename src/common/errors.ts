/**
 * The errors that a user of byte-to-loss may see. Each is one clear line: the rule, the actual value, and the usual
 * fix. A command turns any of them into that line and exit code 1, or 2 for a `UsageError`; every other error is a bug
 * and keeps its stack trace.
 */
export class ByteToLossError extends Error {
  override name = 'ByteToLossError';
}

/** A value given by the caller is outside what the function accepts. */
export class InputError extends ByteToLossError {
  override name = 'InputError';
}

/** A command line contains an unknown name: exit code 2, as for an unknown option. */
export class UsageError extends InputError {
  override name = 'UsageError';
}

/** A file on disk is missing, truncated, malformed, or of the wrong kind. */
export class FileError extends ByteToLossError {
  override name = 'FileError';
}

/**
 * The kind of a device error: the device was `lost` (open it again and continue), a call was `invalid`, `memory` ran
 * out, the driver failed (`internal`), or no device can be used (`unavailable`).
 */
export type DeviceFault = 'lost' | 'invalid' | 'memory' | 'internal' | 'unavailable';

/** No usable adapter, a lost device, a refused call, or not enough memory. */
export class DeviceError extends ByteToLossError {
  override name = 'DeviceError';

  constructor(
    message: string,
    readonly fault: DeviceFault = 'unavailable',
    /**
     * label of the buffer, bind group or kernel concerned, which names the op: `blocks.0.norm1 layerNorm
     * (layerNorm.forward)`
     */
    readonly label?: string,
  ) {
    super(message);
  }
}

/** A loss, a gradient or a parameter became infinite or not a number. */
export class NumberError extends ByteToLossError {
  override name = 'NumberError';

  constructor(
    message: string,
    readonly details: {
      /** the update that was not applied, 1 for the first; for a checkpoint that was not written, its step */
      readonly step: number;
      /** the first op whose output is not finite, and its scope in the model; undefined if none was found */
      readonly op?: string;
      readonly scope?: string;
    },
  ) {
    super(message);
  }
}

/** @throws InputError unless `value` is a whole number of at least `least` */
export function checkWhole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new InputError(`${name} must be a whole number of at least ${least}; got ${value}`);
  }
}

/** The kind of a value, for messages. `kindOf([1]) // 'Array'`, `kindOf(undefined) // 'undefined'` */
export function kindOf(value: unknown): string {
  return value === null || value === undefined ? `${value}` : value.constructor.name;
}

/** A named shape, as it appears in a ShapeError: `x [2, 3, 8]`. */
export type NamedShapes = Readonly<Record<string, readonly number[]>>;

/** A shape, or a tensor that has one. */
type Shaped = readonly number[] | { readonly shape: readonly number[] };

/**
 * An op was called with shapes that break its rule.
 *
 *     layerNorm: weight must be [C], where C is the last axis of x; got x [2, 3, 8], weight [16]
 */
export class ShapeError extends ByteToLossError {
  override name = 'ShapeError';
  readonly op: string;
  readonly rule: string;
  readonly shapes: NamedShapes;

  constructor(op: string, rule: string, found: Readonly<Record<string, Shaped>>, hint = '') {
    const shapes = Object.entries(found).map(([name, each]) => [name, 'shape' in each ? each.shape : each] as const);
    const got = shapes.map(([name, shape]) => `${name} [${shape.join(', ')}]`);
    super(`${op}: ${rule}; got ${got.join(', ')}${hint && `. ${hint}`}`);
    this.op = op;
    this.rule = rule;
    this.shapes = Object.fromEntries(shapes);
  }
}

/** `PARITY=1`: a kernel and its float64 reference disagree. */
export class ParityError extends ByteToLossError {
  override name = 'ParityError';

  constructor(
    message: string,
    readonly details: {
      readonly op: string;
      readonly scope: string;
      readonly output: string;
      /** row-major index of the largest difference */
      readonly index: number;
      readonly kernel: number;
      readonly reference: number;
    },
  ) {
    super(message);
  }
}
