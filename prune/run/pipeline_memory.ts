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
 * Estimates the memory of a run without computing: that of the pruning phase, in which the model is whole, or of measuring
 * speed at the end if that takes more. The baseline without gates is estimated as fine-tuning of the whole model.
 *
 * @param options Options of the run.
 */
export async function pipelineMemory(options: PlannedRun): Promise<MemoryNeed> {
  const { gpu, checkpoint, weightDecay, gradCheckpoint, source, pruning, finetuning } = options;
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
  const after = (gpu: Gpu) =>
    measureTime([checkpoint, expectedModel(options)], gpu, { ...options, rounds: 1 });
  const planned = (trained ? pruning.steps : 0) + (finetuning?.steps ?? 0);
  const { gradAccumSteps = 1 } = pruning;
  const need = await measureMemory(gpu, make, { source, gradAccumSteps, copies: !trained, planned, after });
  // As gates close, the pool holds buffers of more and more sizes.
  return trained ? { ...need, deviceBytes: need.deviceBytes + SPARE } : need;
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
