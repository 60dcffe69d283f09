import type { Checkpoint } from "../../model/checkpoint/read.ts";
import { parameterSpecs } from "../../model/parameter_specs.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { SPARE } from "../../tensor/pool.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Trainer } from "../../train/trainer.ts";
import { measureMemory, type MemoryNeed } from "../../train/memory.ts";
import { chooseUniform } from "../choose.ts";
import { unitGroups } from "../groups.ts";
import { planMethod } from "../method.ts";
import type { PlannedRun } from "./pipeline_options.ts";
import { denseTrainer, gatesOf, measureTime, pruningTrainer, teacherOf } from "./pipeline_parts.ts";
import { compactConfig } from "../surgery.ts";

/**
 * Estimates the memory of a run without computing: that of the pruning phase, in which the model is whole, or of measuring
 * speed at the end if that takes more. Methods without gates are estimated as fine-tuning of the whole model.
 *
 * @param options Options of the run.
 */
export async function pipelineMemory(options: PlannedRun): Promise<MemoryNeed> {
  const { gpu, checkpoint, source, pruning, finetuning } = options;
  const { chosenBy } = planMethod(checkpoint.config, options);
  const gated = chosenBy === "gates";
  const make = (gpu: Gpu): Trainer => {
    const teacher = teacherOf(options, gpu);
    return gated
      ? pruningTrainer(options, { gpu, gates: gatesOf(options), teacher })
      : denseTrainer(options, { gpu, teacher });
  };
  const after = (gpu: Gpu) =>
    measureTime([checkpoint, expectedModel(options)], gpu, { ...options, rounds: 1 });
  const planned = (chosenBy === "magnitude" ? 0 : pruning.steps) + (finetuning?.steps ?? 0);
  const { gradAccumSteps = 1 } = pruning;
  const need = await measureMemory(gpu, make, { source, gradAccumSteps, copies: !gated, planned, after });
  // As gates close, the pool holds buffers of more and more sizes.
  return gated ? { ...need, deviceBytes: need.deviceBytes + SPARE } : need;
}

/**
 * A compact model of the expected size, of zeros: the same share of every layer. Its widths need no padding on the device,
 * so that nothing is copied.
 */
function expectedModel(options: PlannedRun): Checkpoint {
  const { checkpoint, checkpoint: { config, head } } = options;
  const { constraints, kinds } = planMethod(config, options);
  const groups = unitGroups(config, kinds);
  const equal = new Map(groups.map(({ name, units }) => [name, new Float32Array(units)]));
  const compact = compactConfig(config, groups, chooseUniform(equal, { config, constraints, roundTo: 4 }));
  const zeros = parameterSpecs(compact, head).map(({ name, shape }) => {
    return [name, { shape, data: new Float32Array(sizeOf(shape)) }] as const;
  });
  return { ...checkpoint, config: compact, tensors: new Map(zeros) };
}
