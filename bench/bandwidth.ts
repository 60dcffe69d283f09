/**
 * Memory traffic of the cases that memory bounds, and a copy of as many bytes, which shows what the adapter's memory can move.
 *
 * @module
 */

import type { Gpu } from "../tensor/gpu.ts";
import type { Peer, PeerCase } from "./peers/peer.ts";
import { ADAMW_TENSORS, GROUP_NORM, ROWS } from "./workloads.ts";

/** Bytes of an f32. */
const F32 = 4;

/** A norm with its gradient, per element: reads x and writes y, reads x and dy and writes dx. */
const WITH_GRADIENT = 5 * F32;

/** AdamW, per parameter: reads weight, gradient and both moments, writes all but the gradient. */
const ADAMW = 7 * F32;

/** Bytes that one execution must move if memory keeps nothing between passes, for the cases with few operations a byte. */
export function bytesByCase(): Map<string, number> {
  const parameters = ADAMW_TENSORS.count * ADAMW_TENSORS.size;
  return new Map([
    ["layer_norm_512x3072", WITH_GRADIENT * ROWS.rows * ROWS.columns],
    ["gelu_512x3072", WITH_GRADIENT * ROWS.rows * ROWS.columns],
    ["adamw_4m", ADAMW * parameters],
    ["group_norm_8000x512", WITH_GRADIENT * GROUP_NORM.frames * GROUP_NORM.channels],
    ["clip_grad_norm_4m", F32 * parameters],
  ]);
}

/** For each of these cases, a copy from one buffer to another that moves as many bytes, half of them read and half written. */
export function copies({ device, adapter }: Gpu): Peer {
  const copy = (bytes: number): PeerCase => {
    const size = bytes / 2;
    const { COPY_SRC, COPY_DST } = GPUBufferUsage;
    const [source, target] = [1, 2].map(() => device.createBuffer({ size, usage: COPY_SRC | COPY_DST }));
    return {
      run: async (repeat) => {
        for (let i = 0; i < repeat; i++) {
          const encoder = device.createCommandEncoder();
          encoder.copyBufferToBuffer(source!, 0, target!, 0, size);
          device.queue.submit([encoder.finish()]);
        }
        await device.queue.onSubmittedWorkDone();
      },
      dispose: () => {
        source!.destroy();
        target!.destroy();
      },
    };
  };
  const cases = [...bytesByCase()].map(([name, bytes]) =>
    [name, () => Promise.resolve(copy(bytes))] as const
  );
  return { name: "copy", version: "", adapter: adapter.info.description, cases: new Map(cases) };
}
