/**
 * The interface of a published WebGPU library in the benchmark.
 *
 * @module
 */

import { sample } from "../inputs.ts";

/** A library on its own device of the shared adapter. */
export interface Peer {
  /** Package name. */
  name: string;
  /** Package version. */
  version: string;
  /** Description of its device's adapter, to compare with ours. */
  adapter: string;
  /** Creates cases by name; the library does not implement a name that is missing. */
  cases: Map<string, () => Promise<PeerCase>>;
}

/** A case, with its inputs on the device. */
export interface PeerCase {
  /**
   * Executes `repeat` times in a row, then waits for the device once, since a wait takes longer than a short operation. The
   * first call compiles. Throws if the device reported an error.
   */
  run(repeat: number): Promise<void>;
  /** Samples of the outputs in the layouts of `inputs.ts`: the value first, then each gradient. */
  check?(): Promise<Float32Array>;
  /** Frees its buffers. */
  dispose(): void;
}

/** Collects uncaptured errors of a device, which libraries print or ignore; the returned function throws the first. */
export function watchErrors(device: GPUDevice): () => void {
  const messages: string[] = [];
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    messages.push((event as GPUUncapturedErrorEvent).error.message);
  });
  return () => {
    const [first] = messages.splice(0);
    if (first !== undefined) {
      throw new Error(`Cannot trust the result as the device reported an error: ${first}`);
    }
  };
}

/** Samples of several tensors, concatenated. */
export function samples(tensors: Float32Array[]): Float32Array {
  return Float32Array.from(tensors.flatMap((values) => [...sample(values)]));
}
