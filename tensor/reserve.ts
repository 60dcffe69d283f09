import { BufferUsage } from "./flags.ts";
import type { Gpu } from "./gpu.ts";

/**
 * Whether a device has so much memory free: it is allocated, and freed again at once. A software adapter takes memory only
 * when it is written, so it has any amount.
 *
 * @param gpu The device.
 * @param bytes Bytes in buffers of any size.
 * @throws {DeviceError} If the device is lost over it.
 */
export async function hasMemory(gpu: Gpu, bytes: number): Promise<boolean> {
  const { device } = gpu;
  const most = Math.floor(device.limits.maxBufferSize / 4) * 4;
  const buffers: GPUBuffer[] = [];
  let isOut = false;
  for (let left = bytes; left > 0 && !isOut; left -= most) {
    device.pushErrorScope("out-of-memory");
    const size = Math.max(4, Math.ceil(Math.min(left, most) / 4) * 4);
    buffers.push(device.createBuffer({ label: "reserve", size, usage: BufferUsage.STORAGE }));
    isOut = await device.popErrorScope().catch(() => null) !== null; // a lost device rejects
  }
  for (const buffer of buffers) buffer.destroy();
  await gpu.sync();
  return !isOut;
}
