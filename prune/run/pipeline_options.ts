import type { Checkpoint } from "../../model/checkpoint/read.ts";
import type { Evaluation, LabelledUtterance } from "../../model/inference/evaluate.ts";
import type { PreprocessorConfig } from "../../model/inference/preprocess.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import type { LoopOptions } from "../../train/loop.ts";
import type { Journal } from "./stages.ts";
import type { Ramp } from "../lagrangian.ts";
import type { Speed } from "./measure_speed.ts";
import type { MethodOptions } from "../method.ts";
import type { PruneRecord, RecordedUnits } from "../record.ts";

/** Learning in one of the two phases. */
export type PhaseOptions = Omit<
  LoopOptions,
  "out" | "source" | "dev" | "tokenizer" | "resume" | "info" | "signal"
>;

/** Learning with gates. */
export interface GatePhaseOptions extends PhaseOptions {
  /** Learning rate of the log-alphas. */
  readonly gateRate: number;
  /** Learning rate of the multipliers. */
  readonly lambdaRate: number;
  /** Steps in which the targets rise from 0. */
  readonly targetWarmup: number;
  /** How they rise. */
  readonly ramp: Ramp;
}

/** Options of {@linkcode runPipeline}. */
export interface PipelineOptions extends MethodOptions, Pick<LoopOptions, "source" | "dev" | "tokenizer"> {
  /** Device. */
  readonly gpu: Gpu;
  /** Fine-tuned model, dense or compact, in the published layout. */
  readonly checkpoint: Checkpoint;
  /** Its record, if it was pruned before. */
  readonly before: PruneRecord | null;
  /** Its name or path. */
  readonly name: string;
  /** Files that go with the model, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** How audio becomes its input. */
  readonly preprocessor: PreprocessorConfig;
  /** Clips to report on. */
  readonly test: () => AsyncIterable<LabelledUtterance>;
  /** Applied to texts before they are compared. */
  readonly normalize: (text: string) => string;
  /** Folder of the compact model; what the run needs meanwhile is in `run/` below it. Both must be there. */
  readonly out: string;
  /** Results of phases that are done. */
  readonly journal: Journal;
  /** Version of the program. */
  readonly version: string;
  /** Widths become multiples of it. */
  readonly roundTo: number;
  /** Whether the compact model's weights are written as F16 in the end, which what is reported of it includes. */
  readonly half: boolean;
  /** Share of the divergence from the model before pruning in the loss of both phases; 0 for none. */
  readonly distill: number;
  /** Whether gradients compute the inside of every layer again instead of keeping it. */
  readonly gradCheckpoint: boolean;
  /** Decay of weights. */
  readonly weightDecay: number;
  /** Pruning. */
  readonly pruning: GatePhaseOptions;
  /** Fine-tuning of the compact model; null for none. */
  readonly tuning: PhaseOptions | null;
  /** Ends the run after a step, with its state on disk. */
  readonly signal: AbortSignal;
  /** Is told what begins. */
  readonly say: (line: string) => void;
}

/** A run that has not begun. */
export type PlannedRun = Omit<PipelineOptions, "journal" | "signal">;

/** What {@linkcode runPipeline} found. */
export interface PipelineResult {
  /** Of the model before pruning, after it, and after fine-tuning unless that was left out. */
  readonly evaluations: readonly Evaluation[];
  /** How the model was pruned. */
  readonly record: PruneRecord;
  /** Units of every group of the model that was pruned. */
  readonly units: Readonly<Record<string, RecordedUnits>>;
  /** Time of the model before and after. */
  readonly speed: Speed;
}
