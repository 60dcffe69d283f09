import type { DeviceErrors } from "./device_errors.ts";
import type { Profiler } from "./profiler.ts";
import type { UniformRing } from "./uniforms.ts";

/** What {@linkcode Commands} need of a device. */
export interface CommandOptions {
  /** The WebGPU device. */
  readonly device: GPUDevice;
  /** Errors of the device. */
  readonly errors: DeviceErrors;
  /** `Params` of the recorded dispatches. */
  readonly uniforms: UniformRing;
  /** Time of every dispatch, if it is to be measured. */
  readonly profiler: Profiler | null;
}

/** The commands that are recorded and not yet submitted: dispatches share a pass until a copy comes between. */
export class Commands {
  readonly #options: CommandOptions;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #submission = 0;

  /** None as yet. @param options What they need of the device. */
  constructor(options: CommandOptions) {
    this.#options = options;
  }

  /** Number of the submission that what is recorded now belongs to. */
  get submission(): number {
    return this.#submission;
  }

  /** For a command outside a pass. */
  encoder(): GPUCommandEncoder {
    this.#endPass();
    return this.#open();
  }

  /** Records one dispatch. @param label Name in a profile. @param record Records it. */
  dispatch(label: string, record: (pass: GPUComputePassEncoder) => void): void {
    const { profiler } = this.#options;
    this.#pass ??= this.#open().beginComputePass(profiler?.pass(label) ?? {});
    record(this.#pass);
    if (profiler) this.#endPass();
  }

  /** Submits what is recorded. Returns whether there was anything. */
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
