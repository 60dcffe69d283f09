import type { Checkpoint } from "../../model/checkpoint/read.ts";
import { parameterSpecs } from "../../model/parameter_specs.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { SPARE } from "../../tensor/pool.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { FinetuneTrainer, type Trainer } from "../../train/trainer.ts";
import { measureMemory, type MemoryNeed } from "../../train/memory.ts";
import { chooseUniform } from "../choose.ts";
import { unitGroups } from "../groups.ts";
import { planMethod } from "../method.ts";
import type { PlannedRun } from "./pipeline_options.ts";
import { gatesOf, measureTime, pruningTrainer, teacherOf } from "./pipeline_parts.ts";
import { compactConfig } from "../surgery.ts";

/**
 * The memory that a run will take, without computing: that of the pruning phase, in which the model is whole, or of measuring
 * time at the end if that takes more. The baselines without gates are taken for fine-tunings of the whole model.
 *
 * @param options Of the run.
 */
export async function pipelineMemory(options: PlannedRun): Promise<MemoryNeed> {
  const { gpu, checkpoint, weightDecay, gradCheckpoint, source, pruning, tuning } = options;
  const { trained } = planMethod(checkpoint.config, options);
  const make = (gpu: Gpu): Trainer => {
    const teacher = teacherOf(options, gpu);
    if (trained) return pruningTrainer(options, { gpu, gates: gatesOf(options), teacher });
    return new FinetuneTrainer(new SpeechModel(gpu, checkpoint), {
      ...pruning,
      weightDecay,
      gradCheckpoint,
      teacher,
    });
  };
  const after = (gpu: Gpu) => measureTime([checkpoint, likelyModel(options)], gpu, { ...options, rounds: 1 });
  const planned = (trained ? pruning.steps : 0) + (tuning?.steps ?? 0);
  const { gradAccumSteps = 1 } = pruning;
  const need = await measureMemory(gpu, make, { source, gradAccumSteps, copies: !trained, planned, after });
  // As gates close, buffers of more and more sizes are kept.
  return trained ? { ...need, deviceBytes: need.deviceBytes + SPARE } : need;
}

/**
 * A compact model of the size that is to come: the same share of every layer, and no numbers but zeros. Its widths are those that
 * a device fills others up to, so that nothing is copied.
 */
function likelyModel(options: PlannedRun): Checkpoint {
  const { checkpoint, checkpoint: { config, head } } = options;
  const { constraints, kinds } = planMethod(config, options);
  const groups = unitGroups(config, kinds);
  const alike = new Map(groups.map(({ name, units }) => [name, new Float32Array(units)]));
  const compact = compactConfig(config, groups, chooseUniform(alike, { config, constraints, roundTo: 4 }));
  const zeros = parameterSpecs(compact, head).map(({ name, shape }) => {
    return [name, { shape, data: new Float32Array(sizeOf(shape)) }] as const;
  });
  return { ...checkpoint, config: compact, tensors: new Map(zeros) };
}
