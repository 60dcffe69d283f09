// Checks that all processes of a job have the same weights and gates.
import type { Communicator } from "../comm/communicator.ts";
import type { StateSource } from "./run_state.ts";

/** Prime and offset basis of the 32-bit Fowler–Noll–Vo hash. */
const [PRIME, BASIS] = [0x01000193, 0x811c9dc5];

/**
 * Compares checksums of a state over all processes, but for Adam's moments.
 *
 * @param comm The processes.
 * @param tensors State of this one.
 * @throws {Error} On all processes, if one has other bits than rank 0; one line that names it.
 */
export async function requireSameState(
  comm: Communicator,
  tensors: ReadonlyMap<string, StateSource>,
): Promise<void> {
  let hash = BASIS;
  for (const [name, tensor] of tensors) {
    if (/(^|\.)exp_avg(_sq)?(\.|$)/.test(name)) continue;
    const { buffer, byteOffset, byteLength } = await tensor.read();
    for (const word of new Uint32Array(buffer, byteOffset, byteLength / 4)) {
      hash = Math.imul(hash ^ word, PRIME);
    }
  }
  const hashes = new Float64Array(comm.size);
  hashes[comm.rank] = hash >>> 0;
  await comm.allReduce(hashes, "sum");
  const other = hashes.findIndex((one) => one !== hashes[0]);
  if (other < 0) return;
  throw new Error(
    `Cannot continue training as all ranks must have the same weights: rank ${other} differs from rank 0`,
  );
}
