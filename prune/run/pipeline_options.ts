import type { Communicator } from "../../comm/communicator.ts";
import type { Checkpoint } from "../../model/checkpoint/read.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Evaluation, LabelledUtterance } from "../../model/inference/evaluate.ts";
import type { PreprocessorConfig } from "../../model/inference/preprocess.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import type { LoopOptions } from "../../train/loop.ts";
import type { Regularization } from "../../train/regularize.ts";
import type { RunStore } from "./run_store.ts";
import type { Journal } from "./stages.ts";
import type { Ramp } from "../lagrangian.ts";
import type { Speed } from "./measure_speed.ts";
import type { MethodOptions } from "../method.ts";
import type { PruneRecord, RecordedUnits } from "../record.ts";

/** Training options of one of the two phases. */
export type PhaseOptions = Omit<
  LoopOptions,
  "out" | "source" | "dev" | "tokenizer" | "resume" | "info" | "signal"
>;

/** Training options of the pruning phase. */
export interface PruningPhaseOptions extends PhaseOptions {
  /** Learning rate of the log-alphas. */
  readonly gateRate: number;
  /** Learning rate of the Lagrange multipliers. */
  readonly lambdaRate: number;
  /** Steps over which the targets rise from 0. */
  readonly targetWarmup: number;
  /** How they rise. */
  readonly ramp: Ramp;
}

/** Options of {@linkcode runPipeline}. */
export interface PipelineOptions extends MethodOptions, Pick<LoopOptions, "source" | "dev" | "tokenizer"> {
  /** Device. */
  readonly gpu: Gpu;
  /** Evaluates the model before pruning, which runs of a sweep share; default: calls its argument. */
  readonly evaluateDense?: (evaluate: () => Promise<Evaluation>) => Promise<Evaluation>;
  /** Fine-tuned model, dense or compact, in the published layout. */
  readonly checkpoint: Checkpoint;
  /** Its record if it was pruned before, else null. */
  readonly before: PruneRecord | null;
  /** Name or path of the model. */
  readonly name: string;
  /** Other files of the model, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** How audio is prepared for the model. */
  readonly preprocessor: PreprocessorConfig;
  /** Utterances of the test set. */
  readonly test: () => AsyncIterable<LabelledUtterance>;
  /** Applied to reference and hypothesis before they are compared. */
  readonly normalize: (text: string) => string;
  /** Where models, metrics and states are kept; its folder must exist, with a folder `run/` in it. */
  readonly store: RunStore;
  /** Results of the stages that are done. */
  readonly journal: Journal;
  /** Processes that train together; rank 0 evaluates and writes, and all read what it wrote. Default: this one alone. */
  readonly comm?: Communicator | null;
  /** Version of this program. */
  readonly version: string;
  /** Widths are rounded to multiples of it. */
  readonly roundTo: number;
  /** Whether the weights of the final model are written as F16; it is evaluated with these weights. */
  readonly half: boolean;
  /** Weight of the distillation loss against the model before pruning, in both phases; 0: none. */
  readonly distill: number;
  /** Dropout and masks of both phases; the compact model's config has those of the model before pruning. */
  readonly regularization: Regularization;
  /** Gradient checkpointing. */
  readonly gradCheckpoint: boolean;
  /** Weight decay. */
  readonly weightDecay: number;
  /** Pruning phase. */
  readonly pruning: PruningPhaseOptions;
  /** Fine-tuning of the compact model; null: none. */
  readonly finetuning: PhaseOptions | null;
  /** Ends the run after the current step, with its state on disk. */
  readonly signal: AbortSignal;
  /** Called when a stage begins that is not done yet, with a line of text. */
  readonly onStage: (stage: Stage, line: string) => void;
}

/** Stages of a run, in their order. */
export type Stage =
  | "evaluate dense"
  | "prune"
  | "evaluate pruned"
  | "fine-tune"
  | "evaluate fine-tuned"
  | "measure time";

/** Options of a run before it starts. */
export type PlannedRun = Omit<PipelineOptions, "journal" | "signal">;

/** Result of {@linkcode runPipeline}. */
export interface PipelineResult {
  /** Config of the compact model. */
  readonly config: ModelConfig;
  /** Evaluations of the model before pruning, after pruning, and after fine-tuning if there was any. */
  readonly evaluations: readonly Evaluation[];
  /** Record of the pruning. */
  readonly record: PruneRecord;
  /** Kept units of every group. */
  readonly units: Readonly<Record<string, RecordedUnits>>;
  /** Speed of the model before pruning and of the final model. */
  readonly speed: Speed;
}
