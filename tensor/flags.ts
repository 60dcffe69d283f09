// The flags of WebGPU, https://www.w3.org/TR/webgpu/. Browsers and Deno have them as globals, Node has not.

/** `GPUBufferUsage`. */
export const BufferUsage = {
  MAP_READ: 0x1,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  UNIFORM: 0x40,
  STORAGE: 0x80,
  QUERY_RESOLVE: 0x200,
} as const;

/** `GPUTextureUsage`. */
export const TextureUsage = { COPY_DST: 0x2, STORAGE_BINDING: 0x8 } as const;

/** `GPUMapMode`. */
export const MapMode = { READ: 0x1 } as const;

/** `GPUShaderStage`. */
export const ShaderStage = { COMPUTE: 0x4 } as const;
