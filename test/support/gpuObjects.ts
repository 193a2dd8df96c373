/** Objects of a device, counted since `countObjects`. */
export interface LiveObjects {
  /** made and not destroyed since */
  readonly buffers: number;
  readonly querySets: number;
  /** made, of those that the garbage collector alone takes away, and of textures and query sets: a replay needs no new one */
  readonly made: number;
}

/** Count a device's objects, from now on. */
export function countObjects(gpu: GPUDevice): LiveObjects {
  const live = { buffers: 0, querySets: 0, made: 0 };
  const watch = (kind: 'buffers' | 'querySets', object: { destroy(): unknown }) => {
    live[kind]++;
    const destroy = object.destroy.bind(object);
    let destroyed = false;
    object.destroy = () => {
      if (!destroyed) live[kind]--;
      destroyed = true;
      destroy();
    };
  };
  const makers = [
    'createBindGroup',
    'createBindGroupLayout',
    'createComputePipeline',
    'createComputePipelineAsync',
    'createPipelineLayout',
    'createQuerySet',
    'createShaderModule',
    'createTexture',
  ] as const;
  for (const name of makers) {
    const make = gpu[name] as (descriptor: unknown) => unknown;
    Object.assign(gpu, {
      [name]: (descriptor: unknown) => {
        live.made++;
        return make.call(gpu, descriptor);
      },
    });
  }
  const { createBuffer, createQuerySet } = gpu;
  gpu.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(gpu, descriptor);
    watch('buffers', buffer);
    return buffer;
  };
  gpu.createQuerySet = (descriptor) => {
    const set = createQuerySet.call(gpu, descriptor);
    watch('querySets', set);
    return set;
  };
  return live;
}
