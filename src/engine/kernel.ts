import { InputError } from '../common/errors.js';
import type { SubgroupMatrixConfig } from '../device/device.js';
import type { Tensor } from './tensor.js';

/** The properties on which the choice of a kernel may depend. `Device` has all of them. */
export interface AdapterProfile {
  readonly kind: 'gpu' | 'cpu';
  /** `wasm` for the CPU device; `lavapipe`, `swiftshader`, or the vendor's name */
  readonly driver: string;
  /** lanes per subgroup; 0 if the adapter has no subgroups or no fixed size */
  readonly subgroupSize: number;
  /** whether a kernel must ask for that size, since the adapter would choose another */
  readonly subgroupSizeControl?: boolean;
  readonly f16: boolean;
  readonly limits: { readonly maxStorageBufferBindingSize: number };
  /** kernels to use on any device: for tests and benchmarks */
  readonly kernels?: KernelKind;
  /** `mixed` multiplies matrices in half precision if the adapter has matrix units. Default `full` */
  readonly precision?: Precision;
  readonly subgroupMatrix?: readonly SubgroupMatrixConfig[] | undefined;
}

/**
 * Precision of matrix products: float32 throughout, or inputs rounded to f16 and sums in float32. Everything else is
 * float32.
 */
export type Precision = 'full' | 'mixed';

/**
 * The readable kernels, those of the CPU device, or those for all devices of Dawn and of browsers; see
 * `kernelTable.ts`.
 */
export type KernelKind = 'readable' | 'cpu' | 'gpu';

/** A WGSL extension a kernel is written with. */
export type Extension = 'subgroups' | 'subgroup_size_control' | 'f16' | 'chromium_experimental_subgroup_matrix';

/** A tensor's storage, or a range of it in elements, or scratch memory of an entry by name. */
export type Binding = Tensor | { readonly tensor: Tensor; readonly offset: number; readonly length: number } | Scratch;

/** Memory that only one entry needs: partial sums between two of its dispatches. */
export interface Scratch {
  readonly scratch: string;
  /** float32 elements */
  readonly length: number;
}

/** One call of one kernel: the shader file, the text before it, the bindings, and the number of workgroups. */
export interface Dispatch {
  /** file name in shaders/ without `.wgsl` */
  readonly shader: string;
  /** `const NAME: u32 = value;` lines put before the file: tile sizes, subgroup size, flags */
  readonly constants?: Readonly<Record<string, number>>;
  readonly extensions?: readonly Extension[];
  /** by the names of the WGSL variables */
  readonly bind: Readonly<Record<string, Binding>>;
  /** by the names of the fields of `struct Params` */
  readonly params?: Readonly<Record<string, number>> | undefined;
  readonly workgroups: readonly [number, number, number];
}

/** One pass of an op, as the op requests it. */
export interface Pass {
  readonly adapter: AdapterProfile;
  /** tensors by the names of the WGSL variables */
  readonly bind: Dispatch['bind'];
  /** sizes and scalars by the names of the fields of `struct Params` */
  readonly params: Readonly<Record<string, number>>;
  readonly flags: Readonly<Record<string, boolean>>;
}

/** One `@binding` of a kernel, as its file declares it. */
export interface DeclaredBinding {
  readonly binding: number;
  readonly name: string;
  readonly access: 'uniform' | 'read' | 'read_write';
}

/** A field of `struct Params`: 4 bytes each, in order. */
export interface ParamField {
  readonly name: string;
  readonly type: 'u32' | 'i32' | 'f32';
}

/** The interface that a WGSL file declares. */
export interface KernelInterface {
  readonly bindings: readonly DeclaredBinding[];
  readonly params: readonly ParamField[];
}

/** Maximum workgroups of a dispatch in one dimension; larger grids fold over y. */
export const MAX_WORKGROUPS = 65535;

/**
 * `count` workgroups as a grid `[x, y, 1]`; kernels find theirs at `group.x + group.y * MAX_WORKGROUPS`.
 * `foldWorkgroups(3) // [3, 1, 1]`, `foldWorkgroups(70000) // [65535, 2, 1]`
 */
export function foldWorkgroups(count: number): [number, number, number] {
  return count <= MAX_WORKGROUPS ? [count, 1, 1] : [MAX_WORKGROUPS, Math.ceil(count / MAX_WORKGROUPS), 1];
}

/** Invocations per workgroup of the kernels that give one invocation to each element or row. */
const WORKGROUP = 64;

/** One dispatch of a kernel that gives one invocation to each of `count` elements or rows. */
export function onePerInvocation(
  shader: string,
  count: number,
  bind: Dispatch['bind'],
  params: Dispatch['params'],
  constants: Dispatch['constants'] = {},
): Dispatch {
  return onePerWorkgroup(shader, Math.ceil(count / WORKGROUP), WORKGROUP, bind, params, constants);
}

/** One dispatch of a kernel that gives one workgroup of `lanes` invocations to each of `count` rows. */
export function onePerWorkgroup(
  shader: string,
  count: number,
  lanes: number,
  bind: Dispatch['bind'],
  params: Dispatch['params'],
  constants: Dispatch['constants'] = {},
): Dispatch {
  return { shader, constants: { WORKGROUP: lanes, ...constants }, bind, params, workgroups: foldWorkgroups(count) };
}

/** The extensions of a kernel whose lanes count on `SUBGROUP`, the adapter's subgroup size. */
export function subgroupExtensions({ subgroupSizeControl }: Pick<AdapterProfile, 'subgroupSizeControl'>): Extension[] {
  return subgroupSizeControl ? ['subgroups', 'subgroup_size_control'] : ['subgroups'];
}

/**
 * The text that runs: extensions and constants, then the file, unchanged but for one word. If the adapter would choose the size
 * of its subgroups, the entry point asks for `SUBGROUP` lanes: WGSL has the attribute only where the extension is.
 */
export function kernelText(file: string, dispatch: Pick<Dispatch, 'constants' | 'extensions'>): string {
  const { constants = {}, extensions = [] } = dispatch;
  const enable = extensions.map((extension) => `enable ${extension};\n`);
  const given = Object.entries(constants).map(([name, value]) => `const ${name}: u32 = ${Math.trunc(value)}u;\n`);
  const isSized = extensions.includes('subgroup_size_control');
  const text = isSized ? file.replace(/^@compute /m, '@compute @subgroup_size(SUBGROUP) ') : file;
  return [...enable, ...given, text].join('');
}

const BINDING =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<\s*(uniform|storage\s*,\s*read_write|storage\s*,\s*read|storage)\s*>\s*(\w+)\s*:/g;
const PARAMS = /struct\s+Params\s*\{([^}]*)\}/;

/** Parse a kernel's bindings and `struct Params` from its text, so that the names in TypeScript can be checked. */
export function readInterface(shader: string, text: string): KernelInterface {
  const code = text.replace(/\/\/.*$/gm, '');
  const bindings = [...code.matchAll(BINDING)].map(([, binding, space, name]) => ({
    binding: Number(binding),
    name: name!,
    access:
      space === 'uniform' ? ('uniform' as const) : /write/.test(space!) ? ('read_write' as const) : ('read' as const),
  }));
  const fields = PARAMS.exec(code)?.[1] ?? '';
  const params = [...fields.matchAll(/(\w+)\s*:\s*(\w+)/g)].map(([, name, type]) => {
    if (type !== 'u32' && type !== 'i32' && type !== 'f32') {
      throw new InputError(`${shader}.wgsl: Params.${name} is ${type}; use u32, i32 or f32`);
    }
    return { name: name!, type } as const;
  });
  return { bindings, params };
}

/** The bytes of `Params`, every field checked by name. */
export function packParams(
  shader: string,
  fields: readonly ParamField[],
  values: Readonly<Record<string, number>>,
): ArrayBuffer {
  checkParams(shader, fields, values);
  // A uniform struct is bound in multiples of 16 bytes.
  const bytes = new ArrayBuffer(Math.max(16, Math.ceil((fields.length * 4) / 16) * 16));
  const view = new DataView(bytes);
  fields.forEach(({ name, type }, i) => {
    const value = values[name]!;
    if (type === 'f32') view.setFloat32(i * 4, value, true);
    else if (type === 'u32') view.setUint32(i * 4, value, true);
    else view.setInt32(i * 4, value, true);
  });
  return bytes;
}

/** The numbers must be those of the struct: each field's, finite, and no other. */
function checkParams(
  shader: string,
  fields: readonly ParamField[],
  values: Readonly<Record<string, number | undefined>>,
): void {
  const unknown = Object.keys(values).filter((name) => !fields.some((field) => field.name === name));
  if (unknown.length > 0) throw new InputError(`${shader}.wgsl: Params has no field ${unknown.join(', ')}`);
  const wrong = fields.find(({ name }) => !Number.isFinite(values[name]));
  if (wrong === undefined) return;
  throw new InputError(`${shader}.wgsl: Params.${wrong.name} needs a finite number; got ${values[wrong.name]}`);
}
