/** WebGPU's flags, which are globals only in a page. */
export const GPUBufferUsage = {
  MAP_READ: 0x0001,
  MAP_WRITE: 0x0002,
  COPY_SRC: 0x0004,
  COPY_DST: 0x0008,
  INDEX: 0x0010,
  VERTEX: 0x0020,
  UNIFORM: 0x0040,
  STORAGE: 0x0080,
  INDIRECT: 0x0100,
  QUERY_RESOLVE: 0x0200,
} as const;

/** Flags of `mapAsync`: map a buffer for reading or for writing. */
export const GPUMapMode = { READ: 0x1, WRITE: 0x2 } as const;

/** Flags of a bind group layout: the stages that see a binding. */
export const GPUShaderStage = { VERTEX: 0x1, FRAGMENT: 0x2, COMPUTE: 0x4 } as const;
