// Whether a device's buffers may be read while the promise of `mapAsync` is pending.
import { BufferUsage, MapMode } from "./flags.ts";

import { DeviceError } from "./device_errors.ts";

/** Words that the check writes and reads. */
const WORDS = 64;

/**
 * Checks on this device whether a buffer may be read before the promise of its mapping resolves: known values are copied to
 * it, it is read at once, and what was read is compared.
 *
 * The WebGPU specification promises less: `mapAsync` resolves after all work submitted before it is done, the buffer's state
 * becomes "mapped" only when the promise resolves, and until then `getMappedRange` throws an `OperationError`. Deno waits for
 * the device inside the call of `mapAsync`, maps the buffer, and then sleeps 10 ms before it resolves the promise, which a
 * training step would pay at each read. Reading early relies on that implementation, so it is sound only on a device where
 * this check has passed. Where it has not, as in browsers, reads wait for the promise. A read that the device refuses falls
 * back to the promise as well.
 *
 * The buffer comes from {@linkcode mappedOnce}, since Deno ends the process for an early read of a buffer that was never
 * mapped.
 *
 * @returns Whether what was read is what was written. The call waits for the submitted work, and adds less than a
 * millisecond.
 */
export function readsEarly(device: GPUDevice): boolean {
  const size = WORDS * 4;
  const values = Uint32Array.from({ length: WORDS }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
  device.pushErrorScope("validation");
  const source = device.createBuffer({ size, usage: BufferUsage.COPY_SRC | BufferUsage.COPY_DST });
  const { buffer: staging, mapped } = mappedOnce(device, size);
  const free = () => [source, staging].forEach((buffer) => buffer.destroy());
  try {
    if (!mapped) return false;
    device.queue.writeBuffer(source, 0, values);
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    const mapping = staging.mapAsync(MapMode.READ);
    const found = attempt(() => new Uint32Array(staging.getMappedRange().slice(0)));
    mapping.then(free, free);
    return found !== null && values.every((value, i) => found[i] === value);
  } catch {
    free();
    return false;
  } finally {
    device.popErrorScope().catch(() => {}); // a lost device rejects
  }
}

/**
 * A buffer that the host maps to read, which was mapped and unmapped once and holds zeros, and whether that succeeded.
 *
 * @throws {DeviceError} If there is no memory for it.
 */
export function mappedOnce(device: GPUDevice, size: number): { buffer: GPUBuffer; mapped: boolean } {
  const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
  let buffer: GPUBuffer;
  try {
    buffer = device.createBuffer({ label: "read-back", size, usage, mappedAtCreation: true });
  } catch (error) { // WebGPU throws where a buffer cannot be mapped at creation
    if (!(error instanceof RangeError)) throw error;
    throw new DeviceError(`Cannot read a tensor as memory ran out: ${error.message}`, { cause: error });
  }
  return { buffer, mapped: attempt(() => buffer.unmap()) !== null };
}

/** What `fn` returns, or null if it throws, since the device is lost or the buffer not yet mapped. */
export function attempt<T>(fn: () => T): T | null {
  try {
    return fn();
  } catch {
    return null;
  }
}
