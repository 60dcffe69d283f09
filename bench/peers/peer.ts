/**
 * What a published WebGPU library must offer to be measured beside ours.
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
  /** Description of the adapter that its device was made on, to be compared with ours. */
  adapter: string;
  /** Makes a case by name; a name that is missing is not offered by the library. */
  cases: Map<string, () => Promise<PeerCase>>;
}

/** One piece of work, with its inputs on the device. */
export interface PeerCase {
  /**
   * Executes `repeat` times in a row and then waits for the device once, as a wait costs more than a short operation;
   * the first call compiles. Throws when the device reported an error.
   */
  run(repeat: number): Promise<void>;
  /** Samples of the outputs in the layouts of `inputs.ts`: the value first, then each gradient. */
  check?(): Promise<Float32Array>;
  /** Frees what the case holds. */
  dispose(): void;
}

/** Collects a device's uncaptured errors, which libraries print or drop; the function returned throws the first of them. */
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

/** Samples of several tensors, one after the other. */
export function samples(tensors: Float32Array[]): Float32Array {
  return Float32Array.from(tensors.flatMap((values) => [...sample(values)]));
}
