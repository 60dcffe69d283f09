// Devices that fail in the middle of their work: WebGPU's own classes, patched for the time of a test.

/** A device that is lost at one of its submissions. */
export interface LossOptions {
  /** Submission at which it happens, counted from 1 over all devices of the test. */
  readonly at: number;
  /** Whether the program itself seems to have destroyed it, or the driver, as after a time-out. */
  readonly reason?: "destroyed" | "unknown";
}

/**
 * Runs `work` on devices of which one is lost in the middle.
 *
 * @returns The number of submissions, and the result.
 */
export async function withLostDevice<T>(
  { at, reason = "destroyed" }: LossOptions,
  work: () => Promise<T>,
): Promise<{ submissions: number; result: T }> {
  const devices = new WeakMap<GPUQueue, GPUDevice>();
  let submissions = 0;
  const { requestDevice } = GPUAdapter.prototype;
  const { submit } = GPUQueue.prototype;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    devices.set(device.queue, device);
    if (reason === "unknown") {
      const lost = device.lost.then(() => ({ reason, message: "the driver reset the device" }));
      Object.defineProperty(device, "lost", { value: lost });
    }
    return device;
  };
  GPUQueue.prototype.submit = function (commands) {
    submissions++;
    submit.call(this, commands);
    if (submissions === at) devices.get(this)?.destroy();
  };
  try {
    return { result: await work(), submissions };
  } finally {
    GPUAdapter.prototype.requestDevice = requestDevice;
    GPUQueue.prototype.submit = submit;
  }
}

/** Use of memory by buffers under {@linkcode withLimitedMemory}. */
export interface MemoryUse {
  readonly peakBytes: number;
}

/**
 * Runs `work` on devices whose buffers together have at most `most` bytes: one that does not fit is invalid, and an
 * out-of-memory scope reports it, as WebGPU has it. Buffers that the host reads must fit but do not count: how many there are
 * depends on when the host comes to them, and the same work has to reach the same peak.
 */
export async function withLimitedMemory<T>(
  most: number,
  work: () => Promise<T>,
): Promise<MemoryUse & { result: T }> {
  const { createBuffer, pushErrorScope, popErrorScope } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  const scopes: { kind: GPUErrorFilter; error: GPUError | null }[] = [];
  const sizes = new WeakMap<GPUBuffer, number>();
  let [bytes, peakBytes] = [0, 0];
  GPUDevice.prototype.pushErrorScope = function (kind) {
    scopes.push({ kind, error: null });
    pushErrorScope.call(this, kind);
  };
  GPUDevice.prototype.popErrorScope = async function () {
    const scope = scopes.pop();
    return await popErrorScope.call(this) ?? scope?.error ?? null;
  };
  GPUDevice.prototype.createBuffer = function (descriptor) {
    if (bytes + descriptor.size <= most) {
      const buffer = createBuffer.call(this, descriptor);
      if (descriptor.usage & GPUBufferUsage.MAP_READ) return buffer;
      bytes += descriptor.size;
      peakBytes = Math.max(peakBytes, bytes);
      sizes.set(buffer, descriptor.size);
      return buffer;
    }
    if (descriptor.mappedAtCreation) throw new RangeError("Not enough memory left to map.");
    const scope = scopes.findLast(({ kind }) => kind === "out-of-memory");
    if (scope) scope.error ??= new GPUOutOfMemoryError("Not enough memory left.");
    pushErrorScope.call(this, "validation");
    const invalid = createBuffer.call(this, { ...descriptor, size: 2 * this.limits.maxBufferSize });
    popErrorScope.call(this).catch(() => {});
    return invalid;
  };
  GPUBuffer.prototype.destroy = function () {
    bytes -= sizes.get(this) ?? 0;
    sizes.delete(this);
    destroy.call(this);
  };
  try {
    return { result: await work(), peakBytes };
  } finally {
    Object.assign(GPUDevice.prototype, { createBuffer, pushErrorScope, popErrorScope });
    GPUBuffer.prototype.destroy = destroy;
  }
}
