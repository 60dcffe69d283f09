/**
 * What all cases of `@jax-js/jax` share: upload, waiting and reading.
 *
 * @module
 */

import type * as jaxModule from "npm:@jax-js/jax@0.1.25";
import { type HostTensor, permute } from "../inputs.ts";
import { NORM_EPSILON } from "../workloads.ts";
import { samples, watchErrors } from "./peer.ts";

/** An array of the library; a function that receives one owns it. */
export type Array = jaxModule.Array;

/** The library on its WebGPU device. */
export class JaxDevice {
  readonly jax: typeof jaxModule;
  /** Throws when the device has reported an error since the last call. */
  readonly throwErrors: () => void;

  constructor(jax: typeof jaxModule) {
    this.jax = jax;
    this.throwErrors = watchErrors(jax.getWebGPUDevice());
  }

  /** Uploads a tensor to the device. */
  upload({ values, shape }: HostTensor): Array {
    return this.jax.numpy.array(values).reshape(shape);
  }

  /** Submits the computation of `array` without waiting: the library is lazy, and drops what is disposed before. */
  async submit(array: Array): Promise<void> {
    await array.ref.gpuBuffer();
  }

  /** Waits for the computation of `array`, by reading a few of its values. */
  async finish(array: Array): Promise<void> {
    await array.ref.reshape([-1]).slice([0, Math.min(array.size, 4)]).data();
    this.throwErrors();
  }

  /** Samples of arrays, each permuted to the shared layout by its axes in `layouts`; consumes the arrays. */
  async read(arrays: Array[], layouts: (number[] | undefined)[] = []): Promise<Float32Array> {
    const host: Float32Array[] = [];
    for (const [i, array] of arrays.entries()) {
      const { shape } = array;
      const values = await array.data() as Float32Array<ArrayBuffer>;
      const axes = layouts[i];
      host.push(axes === undefined ? values : permute({ values, shape }, axes).values);
    }
    this.throwErrors();
    return samples(host);
  }

  /** Layer norm over the last axis. */
  layerNorm(x: Array, weight: Array, bias: Array): Array {
    return this.jax.nn.standardize(x, -1, { epsilon: NORM_EPSILON }).mul(weight).add(bias);
  }
}
