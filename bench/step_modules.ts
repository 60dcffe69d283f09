/**
 * The modules that a training step takes, of this checkout or of another one.
 *
 * @module
 */

/** The modules, by what they are for. */
export type StepModules = Awaited<ReturnType<typeof stepModules>>;

/** Root of this checkout. */
export const ROOT = new URL("../", import.meta.url).pathname;

/**
 * Loads the modules.
 *
 * @param root Folder of a checkout.
 * @throws {TypeError} A module is missing there.
 */
export async function stepModules(root: string) {
  const load = (path: string) => import(new URL(path, `file://${root}/`).href);
  return {
    ...await load("cli/backend.ts") as typeof import("../cli/backend.ts"),
    ...await load("tensor/fake_gpu.ts") as typeof import("../tensor/fake_gpu.ts"),
    ...await load("model/config.ts") as typeof import("../model/config.ts"),
    ...await load("model/random.ts") as typeof import("../model/random.ts"),
    ...await load("model/checkpoint/read.ts") as typeof import("../model/checkpoint/read.ts"),
    ...await load("model/speech_model.ts") as typeof import("../model/speech_model.ts"),
    ...await load("prune/constraints.ts") as typeof import("../prune/constraints.ts"),
    ...await load("prune/hard_concrete_gates.ts") as typeof import("../prune/hard_concrete_gates.ts"),
    ...await load("prune/pruning_trainer.ts") as typeof import("../prune/pruning_trainer.ts"),
    ...await load("train/regularize.ts") as typeof import("../train/regularize.ts"),
    ...await load("train/teacher.ts") as typeof import("../train/teacher.ts"),
    ...await load("train/trainer.ts") as typeof import("../train/trainer.ts"),
  };
}
