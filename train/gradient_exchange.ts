import type { Communicator } from "../comm/communicator.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { AdamW, GradientBucket } from "./optimizer.ts";

/** Bytes of a message, as in PyTorch's DistributedDataParallel (Li et al. 2020, arXiv 2006.15704). */
const BUCKET_BYTES = 25 * 2 ** 20;

/**
 * Adds up the gradients of all processes. Gradients are sent in buckets, those of the last layers first: while the device computes the
 * earlier ones, a complete bucket is read back, reduced and uploaded. Buckets are sent in the same order by all processes, whatever the order in
 * which they are complete.
 */
export class GradientExchange {
  readonly #comm: Communicator;
  readonly #optimizer: AdamW;
  readonly #bytes: number;
  /** Buckets that were not sent in this step. */
  #left: GradientBucket[] = [];
  /** Parameters whose gradients are complete. */
  readonly #done = new Set<Tensor>();
  #sent: Promise<unknown> = Promise.resolve();

  /** @param comm The processes. @param optimizer Holds the gradients. @param bytes Bytes of a bucket; default: 25 MiB. */
  constructor(comm: Communicator, optimizer: AdamW, bytes = BUCKET_BYTES) {
    this.#comm = comm;
    this.#optimizer = optimizer;
    this.#bytes = bytes;
  }

  /** Begins the exchange of a step; call it before the backward pass of the last micro-batch of this process. */
  begin(): void {
    this.#left = this.#optimizer.gradientBuckets(this.#bytes);
    this.#done.clear();
    this.#sent = Promise.resolve();
  }

  /** Notes that a gradient is complete, and sends the buckets that are. */
  done(param: Tensor): void {
    this.#done.add(param);
    while (this.#left[0]?.params.every((param) => this.#done.has(param))) this.#send(this.#left.shift()!);
  }

  /**
   * Sends what is left, and waits until the gradients are the sums over all processes.
   *
   * @throws {Error} If a process has failed.
   */
  async finish(): Promise<void> {
    for (const bucket of this.#left.splice(0)) this.#send(bucket);
    await this.#sent;
  }

  #send(bucket: GradientBucket): void {
    const gradients = bucket.complete();
    const { gpu } = gradients;
    gpu.keep(gradients);
    const read = gradients.read() as Promise<Float32Array<ArrayBuffer>>;
    read.catch(() => {}); // thrown by finish
    gpu.flush(); // the copy is done before the backward pass is
    this.#sent = this.#sent.then(async () => {
      const values = await read;
      await this.#comm.allReduce(values, "sum");
      using sums = gpu.keep(gpu.tensor(values));
      gpu.copy(sums, gradients);
      gradients.dispose();
    });
    this.#sent.catch(() => {}); // thrown by finish
  }
}
