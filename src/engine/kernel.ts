import { InputError } from '../common/errors.js';
import type { AdapterDescription } from '../device/device.js';
import type { Storage } from './tensor.js';

/** The properties on which the choice of a kernel may depend. `Device` has all of them. */
export interface AdapterProfile
  extends Pick<AdapterDescription, 'kind' | 'driver' | 'subgroupSize'>,
    Partial<Pick<AdapterDescription, 'subgroupSizeControl' | 'subgroupMatrix'>> {
  readonly limits: { readonly maxStorageBufferBindingSize: number };
  /** kernels to use on any device: for tests and benchmarks */
  readonly kernels?: KernelKind;
  /** `mixed` multiplies matrices in half precision if the adapter has matrix units. Default `full` */
  readonly precision?: Precision;
}

/** Matrix products in float32 throughout, or with inputs rounded to f16 and sums in float32. All else is float32. */
export type Precision = 'full' | 'mixed';

/** The readable kernels, those of the CPU device, or those of all GPUs; see `kernelTable.ts`. */
export type KernelKind = 'readable' | 'cpu' | 'gpu';

/** A WGSL extension a kernel is written with. */
export type Extension = 'subgroups' | 'subgroup_size_control' | 'f16' | 'chromium_experimental_subgroup_matrix';

/** Float32 memory that only one entry needs: partial sums between two of its dispatches. */
export type Scratch = Pick<Storage, 'label' | 'length'>;

/** A tensor, for the whole of its storage; or a range of a storage, in elements; or scratch memory. */
export interface Binding {
  readonly storage: Storage | Scratch;
  readonly offset?: number;
  readonly length?: number;
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

/** The interface that a WGSL file declares. */
export interface KernelInterface {
  readonly bindings: readonly { binding: number; name: string; type: 'uniform' | 'read-only-storage' | 'storage' }[];
  /** the fields of `struct Params`: 4 bytes each, in order */
  readonly params: readonly { name: string; type: keyof typeof SETTERS }[];
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

/** Tensors by the names of the WGSL, numbers by the fields of `Params`, and constants. */
type Arguments = [bind: Dispatch['bind'], params: Dispatch['params'], constants?: Dispatch['constants']];

/** One dispatch of a kernel that gives one invocation to each of `count` elements or rows. */
export function onePerInvocation(shader: string, count: number, ...given: Arguments): Dispatch {
  return onePerWorkgroup(shader, Math.ceil(count / WORKGROUP), WORKGROUP, ...given);
}

/** One dispatch of a kernel that gives one workgroup of `lanes` invocations to each of `count` rows. */
export function onePerWorkgroup(shader: string, count: number, lanes: number, ...given: Arguments): Dispatch {
  const [bind, params, constants] = given;
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
  const bindings = [...code.matchAll(BINDING)].map(([, binding, space, name]) => {
    const type = space === 'uniform' ? space : /write/.test(space!) ? 'storage' : 'read-only-storage';
    return { binding: Number(binding), name: name!, type } as const;
  });
  const fields = [...(PARAMS.exec(code)?.[1] ?? '').matchAll(/(\w+)\s*:\s*(\w+)/g)];
  return { bindings, params: fields.map(([, name, type]) => ({ name: name!, type: checkType(shader, name!, type!) })) };
}

/** The method of a DataView for each type of a field. */
const SETTERS = { u32: 'setUint32', i32: 'setInt32', f32: 'setFloat32' } as const;

/** The bytes of `Params` for a dispatch, every field checked by name. */
export function packParams({ shader, params = {} }: Dispatch, { params: fields }: KernelInterface): ArrayBuffer {
  checkParams(shader, fields, params);
  // A uniform struct is bound in multiples of 16 bytes.
  const bytes = new ArrayBuffer(Math.max(16, Math.ceil((fields.length * 4) / 16) * 16));
  const view = new DataView(bytes);
  for (const [i, { name, type }] of fields.entries()) view[SETTERS[type]](i * 4, params[name]!, true);
  return bytes;
}

function checkType(shader: string, name: string, type: string): keyof typeof SETTERS {
  if (type === 'u32' || type === 'i32' || type === 'f32') return type;
  throw new InputError(`${shader}.wgsl: Params.${name} is ${type}; use u32, i32 or f32`);
}

/** The numbers must be those of the struct: each field's, finite, and no other. */
function checkParams(
  shader: string,
  fields: KernelInterface['params'],
  values: Readonly<Record<string, number | undefined>>,
): void {
  const unknown = Object.keys(values).filter((name) => !fields.some((field) => field.name === name));
  if (unknown.length > 0) throw new InputError(`${shader}.wgsl: Params has no field ${unknown.join(', ')}`);
  const wrong = fields.find(({ name }) => !Number.isFinite(values[name]));
  if (wrong === undefined) return;
  throw new InputError(`${shader}.wgsl: Params.${wrong.name} needs a finite number; got ${values[wrong.name]}`);
}
