import { roundUp } from "./align.ts";
import type { Commands } from "./commands.ts";
import { copyToStaging } from "./copies.ts";
import type { DeviceErrors } from "./device_errors.ts";
import { typedArrayOf } from "./host_data.ts";
import { type Staging, StagingBuffers } from "./staging.ts";
import type { TensorData } from "./dtype.ts";
import type { Tensor } from "./tensor.ts";

/** What {@linkcode ReadBack} works with. */
export interface ReadBackOptions {
  /** The WebGPU device. */
  readonly device: GPUDevice;
  /** Commands that copies are added to. */
  readonly commands: Commands;
  /** Errors of the device. */
  readonly errors: DeviceErrors;
  /** Submits the recorded commands. */
  readonly flush: () => void;
}

/** Waits for the device, and brings elements of tensors to the host. */
export class ReadBack {
  readonly #options: ReadBackOptions;
  readonly #buffers: StagingBuffers;

  /** @param options Parts of the device. */
  constructor(options: ReadBackOptions) {
    this.#options = options;
    this.#buffers = new StagingBuffers(options.device, options.errors.guard);
  }

  /** Submits what is recorded and waits for it; see {@linkcode Gpu.sync}. */
  async sync(): Promise<void> {
    const { commands, errors } = this.#options;
    errors.throwIfLost("wait");
    const staging = this.#buffers.take(4);
    commands.encoder().clearBuffer(staging.buffer);
    await this.#submitAndMap(staging, 0, "wait");
  }

  /** Reads a tensor; see {@linkcode Gpu.read}. */
  async read(tensor: Tensor): Promise<TensorData> {
    const { commands, errors } = this.#options;
    errors.throwIfLost("read a tensor");
    const { dtype, bytes } = tensor;
    const staging = this.#buffers.take(roundUp(bytes, 4));
    copyToStaging(commands, tensor, staging.buffer);
    await null; // reads that the caller begins in this task share a submission
    return typedArrayOf(await this.#submitAndMap(staging, bytes, "read a tensor"), dtype);
  }

  /** Submits what is recorded, and returns the first bytes that it leaves in a buffer. */
  async #submitAndMap(staging: Staging, bytes: number, doing: string): Promise<ArrayBuffer> {
    const { errors, flush } = this.#options;
    flush();
    try {
      const found = await this.#buffers.read(staging, bytes);
      await errors.settle();
      return found;
    } catch (error) {
      await errors.throwIfLosing(doing);
      await errors.settle();
      throw error;
    }
  }
}
