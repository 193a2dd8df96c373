/** The engine's public names, but for the device's: all that runs alike in Node and in a web page. */

export {
  type AdapterDescription,
  Device,
  type DeviceOptions,
  requestDevice,
  type Settle,
  wrapDevice,
} from './device.js';
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
} from './errors.js';
export { evaluate, type Numbers } from './evaluate.js';
export {
  type AdapterProfile,
  type Binding,
  type Dispatch,
  type Extension,
  foldWorkgroups,
  type Precision,
  type Scratch,
  type SubgroupMatrixConfig,
  type Variant,
} from './kernel.js';
export type { MemoryPlan, Slot, Tenant } from './memory.js';
export type { AnyOp, Attributes, BackwardCall, KernelCall, Op, OutputSpec, Value } from './op.js';
export { type AdamWOptions, type AdamWState, adamW } from './ops/adamW.js';
export { add } from './ops/add.js';
export { addLayerNorm } from './ops/addLayerNorm.js';
export { attention } from './ops/attention.js';
export { crossEntropy } from './ops/crossEntropy.js';
export { onePerInvocation } from './ops/elementwise.js';
export { fitRows } from './ops/fitRows.js';
export { gatherRows } from './ops/gatherRows.js';
export { gelu } from './ops/gelu.js';
export { gradientNorm } from './ops/gradientNorm.js';
export { type HslOptions, hslFeatures } from './ops/hslFeatures.js';
export { registry } from './ops/index.js';
export { join } from './ops/join.js';
export { layerNorm } from './ops/layerNorm.js';
export { linear } from './ops/linear.js';
export { matmul } from './ops/matmul.js';
export { rotary, rotaryTable } from './ops/rotary.js';
export { sliceRows } from './ops/sliceRows.js';
export { type CompileOptions, Plan, type ReplayOptions } from './plan.js';
export type { Step } from './planSteps.js';
export type { PlanBytes, Prediction } from './prediction.js';
export { type Entry, type InputOptions, type ParameterEntry, type Phase, Program } from './program.js';
export { integer, integers, normal, normals, permutation, type Stream, uniform } from './random.js';
export { type Feeds, ReferenceRun } from './reference.js';
export type { OpRow, OpSample } from './registry.js';
export { addShader, type ShaderSource, setShaderSource, shaderText } from './shaderSource.js';
export { type Shape, sizeOf } from './shape.js';
export { type DType, type Role, type Storage, Tensor } from './tensor.js';
