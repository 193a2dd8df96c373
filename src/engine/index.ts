/** The engine's public names: all that runs alike in Node and in a web page. See README.md for the reading order. */

export {
  ByteToLossError,
  DeviceError,
  type DeviceFault,
  FileError,
  InputError,
  type NamedShapes,
  NumberError,
  ParityError,
  ShapeError,
  UsageError,
} from '../common/errors.js';
export { integer, integers, normal, normals, permutation, type Stream, uniform } from '../common/random.js';
export { type Shape, sizeOf } from '../common/shape.js';
export {
  type AdapterDescription,
  Device,
  type DeviceOptions,
  requestDevice,
  type Settle,
  type SubgroupMatrixConfig,
  wrapDevice,
} from '../device/device.js';
export {
  type AdapterProfile,
  type Binding,
  type Dispatch,
  type Extension,
  foldWorkgroups,
  type KernelInterface,
  type KernelKind,
  onePerInvocation,
  type Precision,
  type Scratch,
} from './kernel.js';
export type { Allocation, SharedBuffer } from './memory.js';
export { type Fill, type Nested, Numbers } from './numbers.js';
export type { AnyOp, Attributes, BackwardCall, DispatchCall, InputSpec, Op, OutputSpec, Value } from './op.js';
export { type AdamWOptions, type AdamWState, adamW } from './ops/adamW.js';
export { addLayerNorm } from './ops/addLayerNorm.js';
export { attention } from './ops/attention.js';
export { add, div, mul, sub } from './ops/binary.js';
export { bmm } from './ops/bmm.js';
export { concat } from './ops/concat.js';
export { concatPad } from './ops/concatPad.js';
export { crossEntropy } from './ops/crossEntropy.js';
export { dropout } from './ops/dropout.js';
export { embedding } from './ops/embedding.js';
export { gelu } from './ops/gelu.js';
export { gradientNorm } from './ops/gradientNorm.js';
export { type HslOptions, hslFeatures } from './ops/hslFeatures.js';
export { registry } from './ops/index.js';
export { layerNorm } from './ops/layerNorm.js';
export { linear } from './ops/linear.js';
export { markNonFinite } from './ops/markNonFinite.js';
export { matmul } from './ops/matmul.js';
export { padOrCrop } from './ops/padOrCrop.js';
export { type Heads, rotary, rotaryIntoCaches, rotaryTable } from './ops/rotary.js';
export { sgd } from './ops/sgd.js';
export { slice } from './ops/slice.js';
export { softmax } from './ops/softmax.js';
export { mean, sum } from './ops/sum.js';
export { exp, log, relu, sigmoid, tanh } from './ops/unary.js';
export { AdamW, type OptimiserOptions, SGD } from './optimiser.js';
export { type CompileOptions, type Copied, Plan, type ReplayOptions } from './plan.js';
export type { PlanBytes, Prediction } from './prediction.js';
export type { PreparedDispatch } from './prepare.js';
export {
  type Entry,
  type InputOptions,
  type ParameterEntry,
  type ParameterOptions,
  type Phase,
  Program,
  type ProgramOptions,
} from './program.js';
export { type Feeds, ReferenceRun } from './reference.js';
export type { OpRow, OpSample } from './registry.js';
export { type Feed, Runner } from './runner.js';
export { addShader, type ShaderSource, setShaderSource, shaderText } from './shaderSource.js';
export { type DType, type Role, type Storage, Tensor } from './tensor.js';
