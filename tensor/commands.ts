import type { DeviceErrors } from "./device_errors.ts";
import type { Profiler } from "./profiler.ts";
import type { UniformRing } from "./uniforms.ts";

/** What {@linkcode Commands} works with. */
export interface CommandOptions {
  /** The WebGPU device. */
  readonly device: GPUDevice;
  /** Errors of the device. */
  readonly errors: DeviceErrors;
  /** `Params` of the recorded dispatches. */
  readonly uniforms: UniformRing;
  /** Measures the time of every dispatch; null if not asked for. */
  readonly profiler: Profiler | null;
}

/** The recorded commands that are not submitted yet. Dispatches share a compute pass until a copy comes between. */
export class Commands {
  readonly #options: CommandOptions;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #submission = 0;

  /** Starts without commands. @param options Parts of the device. */
  constructor(options: CommandOptions) {
    this.#options = options;
  }

  /** Index of the submission that commands recorded now belong to. */
  get submission(): number {
    return this.#submission;
  }

  /** The encoder, for a command outside a pass. */
  encoder(): GPUCommandEncoder {
    this.#endPass();
    return this.#open();
  }

  /** The pass for a dispatch. @param label Name in a profile, in which each dispatch has its own pass. */
  pass(label: string): GPUComputePassEncoder {
    const { profiler } = this.#options;
    if (profiler) this.#endPass();
    return this.#pass ??= this.#open().beginComputePass(profiler?.pass(label) ?? {});
  }

  /** Submits the recorded commands. @returns Whether there were any. */
  submit(): boolean {
    const encoder = this.#encoder;
    if (!encoder) return false;
    const { device, errors, uniforms, profiler } = this.#options;
    this.#endPass();
    profiler?.resolve(encoder);
    const close = errors.guard("submit commands");
    uniforms.upload();
    device.queue.submit([encoder.finish()]);
    close();
    this.#encoder = null;
    this.#submission++;
    profiler?.collect((check) => errors.watch(check));
    return true;
  }

  #open(): GPUCommandEncoder {
    return this.#encoder ??= this.#options.device.createCommandEncoder();
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
  }
}
