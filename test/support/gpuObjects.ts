/** What was made from a device and not destroyed since. */
export interface LiveObjects {
  readonly buffers: number;
  readonly querySets: number;
}

/** Count the objects of a device that must be destroyed by hand, from now on. */
export function countObjects(gpu: GPUDevice): LiveObjects {
  const live = { buffers: 0, querySets: 0 };
  const watch = (kind: keyof typeof live, object: { destroy(): unknown }) => {
    live[kind]++;
    const destroy = object.destroy.bind(object);
    let destroyed = false;
    object.destroy = () => {
      if (!destroyed) live[kind]--;
      destroyed = true;
      destroy();
    };
  };
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
