/**
 * Ways to enable subgroups in a shader: by the line of the WGSL specification, or without. naga, the compiler of Deno 2.9,
 * refuses the line and needs none.
 */
const LINES = ["enable subgroups; ", ""];

/** The functions that kernels call. */
const PROBE = `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) {
  y[i] = subgroupAdd(i) + subgroupMax(i) + subgroupExclusiveAdd(i) + subgroupShuffle(i, i ^ 1u);
}`;

/**
 * Finds how a device enables subgroups, by compiling a small shader in each way.
 *
 * @returns The line that shaders start with, which may be empty; null if the device has no subgroups.
 */
export async function enableSubgroups(device: GPUDevice): Promise<string | null> {
  if (!device.features.has("subgroups")) return null;
  for (const line of LINES) {
    device.pushErrorScope("validation");
    device.createShaderModule({ label: "subgroups", code: line + PROBE });
    if (!await device.popErrorScope()) return line;
  }
  return null;
}
