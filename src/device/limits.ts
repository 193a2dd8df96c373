/** The limits of WebGPU; those that end in `Alignment` are better when smaller, all others when larger. */
export type Limits = Readonly<Record<string, number>>;

/** The default limits: the values of the specification. */
export const DEFAULT_LIMITS: Limits = {
  maxTextureDimension1D: 8192,
  maxTextureDimension2D: 8192,
  maxTextureDimension3D: 2048,
  maxTextureArrayLayers: 256,
  maxBindGroups: 4,
  maxBindGroupsPlusVertexBuffers: 24,
  maxBindingsPerBindGroup: 1000,
  maxDynamicUniformBuffersPerPipelineLayout: 8,
  maxDynamicStorageBuffersPerPipelineLayout: 4,
  maxSampledTexturesPerShaderStage: 16,
  maxSamplersPerShaderStage: 16,
  maxStorageBuffersPerShaderStage: 8,
  maxStorageTexturesPerShaderStage: 4,
  maxUniformBuffersPerShaderStage: 12,
  maxUniformBufferBindingSize: 65536,
  maxStorageBufferBindingSize: 2 ** 27,
  minUniformBufferOffsetAlignment: 256,
  minStorageBufferOffsetAlignment: 256,
  maxVertexBuffers: 8,
  maxBufferSize: 2 ** 28,
  maxVertexAttributes: 16,
  maxVertexBufferArrayStride: 2048,
  maxInterStageShaderVariables: 16,
  maxColorAttachments: 8,
  maxColorAttachmentBytesPerSample: 32,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65535,
};

/** The limits of the CPU device. @param largestBuffer bytes */
export function cpuLimits(largestBuffer: number): Limits {
  const size = Math.floor(largestBuffer / 256) * 256;
  return {
    ...DEFAULT_LIMITS,
    maxBindGroups: 8,
    maxDynamicUniformBuffersPerPipelineLayout: 64,
    maxDynamicStorageBuffersPerPipelineLayout: 64,
    maxStorageBuffersPerShaderStage: 64,
    maxUniformBuffersPerShaderStage: 64,
    maxStorageBufferBindingSize: size,
    maxBufferSize: size,
    maxComputeWorkgroupStorageSize: 65536,
    maxComputeInvocationsPerWorkgroup: 1024,
    maxComputeWorkgroupSizeX: 1024,
    maxComputeWorkgroupSizeY: 1024,
    maxComputeWorkgroupSizeZ: 1024,
  };
}

/**
 * The limits of a device.
 *
 * @throws an Error with the reason when the adapter lacks a required limit
 */
export function requireLimits(adapter: Limits, required: Readonly<Record<string, number | undefined>>): Limits {
  const limits: Record<string, number> = { ...DEFAULT_LIMITS };
  for (const [name, value] of Object.entries(required)) {
    if (value === undefined) continue;
    const available = adapter[name];
    if (available === undefined) throw new Error(`requiredLimits: there is no limit ${name}`);
    const isAlignment = name.endsWith('Alignment');
    if (isAlignment ? value < available || !Number.isInteger(Math.log2(value)) : value > available) {
      throw new Error(`requiredLimits: ${name} ${value} is not available; the CPU device has ${available}`);
    }
    limits[name] = isAlignment ? Math.min(limits[name]!, value) : Math.max(limits[name]!, value);
  }
  return limits;
}
