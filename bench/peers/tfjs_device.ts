/**
 * What all cases of `@tensorflow/tfjs` share: upload, waiting and reading, and layers that the library lacks.
 *
 * @module
 */

import type * as tfjsModule from "npm:@tensorflow/tfjs@4.22.0";
import { type HostTensor, permute } from "../inputs.ts";
import { NORM_EPSILON } from "../workloads.ts";
import { samples, watchErrors } from "./peer.ts";

/** A tensor of the library. */
export type Tensor = tfjsModule.Tensor;

/** The library on its WebGPU device. */
export class TfjsDevice {
  readonly tf: typeof tfjsModule;
  /** Throws when the device has reported an error since the last call. */
  readonly throwErrors: () => void;

  constructor(tf: typeof tfjsModule, device: GPUDevice) {
    this.tf = tf;
    this.throwErrors = watchErrors(device);
  }

  /** Uploads a tensor to the device. */
  upload({ values, shape }: HostTensor): Tensor {
    return this.tf.tensor(values, shape);
  }

  /** Waits for all queued work, by reading a few values of `tensor`. */
  async finish(tensor: Tensor): Promise<void> {
    const probe = this.tf.tidy(() =>
      this.tf.slice(this.tf.reshape(tensor, [-1]), 0, Math.min(tensor.size, 4))
    );
    await probe.data();
    probe.dispose();
    this.throwErrors();
  }

  /** Samples of tensors, each permuted to the shared layout by its axes in `layouts`. */
  async read(tensors: Tensor[], layouts: (number[] | undefined)[] = []): Promise<Float32Array> {
    const host: Float32Array[] = [];
    for (const [i, tensor] of tensors.entries()) {
      const values = Float32Array.from(await tensor.data());
      const axes = layouts[i];
      host.push(axes === undefined ? values : permute({ values, shape: tensor.shape }, axes).values);
    }
    this.throwErrors();
    return samples(host);
  }

  /** Layer norm over the last axis. */
  layerNorm(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
    const tf = this.tf;
    const { mean, variance } = tf.moments(x, -1, true);
    const standard = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, NORM_EPSILON)));
    return tf.add(tf.mul(standard, weight), bias);
  }

  /** In erf form; its `erf` is the formula 7.1.26 of Abramowitz and Stegun, good to 1.5e-7. */
  gelu(x: Tensor): Tensor {
    const tf = this.tf;
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
  }

  /** Attention of q, k and v, each [batch · frames, width]. */
  attention(q: Tensor, k: Tensor, v: Tensor, batch: number, frames: number, heads: number): Tensor {
    const tf = this.tf;
    const width = q.shape[1]!;
    const size = width / heads;
    const split = (x: Tensor) => tf.transpose(tf.reshape(x, [batch, frames, heads, size]), [0, 2, 1, 3]);
    const scores = tf.mul(tf.matMul(split(q), split(k), false, true), 1 / Math.sqrt(size));
    const attended = tf.matMul(tf.softmax(scores), split(v));
    return tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [batch * frames, width]);
  }
}
