/**
 * Speech models on any GPU that speaks WebGPU: tensors, operations with their gradients as hand-written WGSL, and
 * wav2vec 2.0, HuBERT, WavLM and their kin on top of them.
 *
 * @example
 * ```ts
 * import { backward, matmul, requestGpu, sum } from "./mod.ts";
 *
 * using gpu = await requestGpu();
 * const a = gpu.tensor([1, 2, 3, 4], [2, 2]);
 * a.requiresGrad = true;
 * const gradient = gpu.scope(() => backward(sum(matmul(a, a))).get(a)!);
 * console.log(await gradient.read()); // Float32Array [ 7, 11, 9, 13 ]
 * ```
 *
 * @module
 */

// The device and its tensors
export { DeviceError } from "./tensor/device_errors.ts";
export type { Dispatch, Resource, Slice, TextureRows } from "./tensor/dispatch.ts";
export { type DType, type FloatType, type TensorData } from "./tensor/dtype.ts";
export { Gpu, requestGpu } from "./tensor/gpu.ts";
export type { GpuLimits, GpuOptions } from "./tensor/gpu_options.ts";
export type { HostArray } from "./tensor/host_data.ts";
export {
  type BindingKind,
  type Helper,
  Kernel,
  type ShaderBinding,
  type ShaderField,
  type SubgroupHelper,
  type TexelFormat,
} from "./tensor/kernel.ts";
export type { Constants } from "./tensor/pipelines.ts";
export { type KernelTime, Profiler } from "./tensor/profiler.ts";
export { Tensor } from "./tensor/tensor.ts";
export type { PooledTexture } from "./tensor/texture_pool.ts";

// Differentiation
export { backward, type BackwardOptions } from "./tensor/backward.ts";
export { gradientCheckpoint } from "./tensor/gradient_checkpoint.ts";
export { firstOf, type GradientSink, gradientSlot } from "./tensor/gradient_sink.ts";
export { noGrad, type Pullback, record, recording, type Step, Tape, withGrad } from "./tensor/tape.ts";

// Operations
export type { Activation } from "./kernels/internal/activation.ts";
export { adamw, type AdamwRates, type AdamwTensors } from "./kernels/adamw.ts";
export { add } from "./kernels/add.ts";
export { attention, type AttentionOptions } from "./kernels/attention.ts";
export { batchNorm, type BatchNormOptions, type ChannelStatistics } from "./kernels/batch_norm.ts";
export { clipGradNorm, type ClippedNorm } from "./kernels/clip_grad_norm.ts";
export { conv1d, type Conv1dOptions } from "./kernels/conv1d.ts";
export { crossEntropy, type CrossEntropyOptions } from "./kernels/cross_entropy.ts";
export { ctc, type CtcOptions } from "./kernels/ctc.ts";
export { dropout, type DropoutOptions } from "./kernels/dropout.ts";
export { gate } from "./kernels/gate.ts";
export { gatherRows } from "./kernels/gather_rows.ts";
export { gelu } from "./kernels/gelu.ts";
export { groupNorm, type GroupNormOptions } from "./kernels/group_norm.ts";
export { indexSelect } from "./kernels/index_select.ts";
export { klDivergence } from "./kernels/kl_divergence.ts";
export { layerNorm, type LayerNormOptions } from "./kernels/layer_norm.ts";
export { linear, type LinearOptions } from "./kernels/linear.ts";
export { logSoftmax } from "./kernels/log_softmax.ts";
export { maskEmbedding } from "./kernels/mask_embedding.ts";
export { maskFrames } from "./kernels/mask_frames.ts";
export { matmul, type MatmulOptions } from "./kernels/matmul.ts";
export { meanFrames } from "./kernels/mean_frames.ts";
export { positionGate } from "./kernels/position_gate.ts";
export { positionalConv, type PositionalConvOptions } from "./kernels/positional_conv.ts";
export type { Reduction } from "./kernels/internal/reduce_losses.ts";
export { relativeBias, type RelativeBiasOptions } from "./kernels/relative_bias.ts";
export { relu } from "./kernels/relu.ts";
export { reshape } from "./kernels/reshape.ts";
export type { RowIndex } from "./kernels/internal/row_index.ts";
export { scale } from "./kernels/scale.ts";
export { scatterRows } from "./kernels/scatter_rows.ts";
export { sum } from "./kernels/sum.ts";
export { sumRows } from "./kernels/sum_rows.ts";
export { uniform } from "./kernels/uniform.ts";
export { weightNorm } from "./kernels/weight_norm.ts";

// Choice and tuning of GEMM kernels
export { GEMM_VARIANTS, type GemmExtents, type GemmTuning, type GemmVariant } from "./kernels/gemm/choice.ts";
export { setGemm } from "./kernels/gemm/policy.ts";
export { type GemmTiming, tuneGemm, type TuneOptions, tuningOf } from "./kernels/gemm/tuning.ts";

// Random numbers
export { philox, type RandomStream, uniformAt } from "./random/philox.ts";

// Models
export { type HeadKind, type ModelConfig, type ModelType, parseConfig } from "./model/config.ts";
export { encodeConfig } from "./model/config_encode.ts";
export {
  type Cost,
  type CostOptions,
  type CostRow,
  type Costs,
  costsOf,
  type UnitCounts,
} from "./model/costs.ts";
export type { Training } from "./model/forward_context.ts";
export type { Gates } from "./model/gates.ts";
export { randomCheckpoint } from "./model/random.ts";
export {
  type Batch,
  type DeviceModel,
  type ForwardOptions,
  framesOf,
  type HostModel,
  type Output,
  SpeechModel,
} from "./model/speech_model.ts";
export { Weights } from "./model/weights.ts";

// Checkpoints
export {
  type Checkpoint,
  type CheckpointFiles,
  type DiskTensor,
  type LayoutOnDisk,
  readCheckpoint,
  type ReadCheckpointOptions,
  type Weight,
} from "./model/checkpoint/read.ts";
export {
  parseSafetensors,
  type Safetensors,
  type SafetensorsEntry,
  toFloat32,
} from "./model/checkpoint/safetensors.ts";
export { encodeSafetensors } from "./model/checkpoint/safetensors_encode.ts";
export type { SafetensorsDtype } from "./model/checkpoint/safetensors_format.ts";
export { encodeCheckpoint, writeCheckpoint, type WriteCheckpointOptions } from "./model/checkpoint/write.ts";
export { fetchModel, HubError, type HubOptions, type HubProgress } from "./model/hub/fetch_model.ts";

// Inference and decoding
export { ArpaModel, type ArpaOptions, type ArpaState, loadArpa, parseArpa } from "./model/decode/arpa.ts";
export {
  type BeamOptions,
  type BeamResult,
  beamSearch,
  type LanguageModel,
} from "./model/decode/beam_search.ts";
export { greedyDecode, type TimedWord, type TimingOptions, type Transcript } from "./model/decode/greedy.ts";
export {
  CtcTokenizer,
  type JoinOptions,
  parseTokenizer,
  type TokenizerFiles,
} from "./model/decode/tokenizer.ts";
export type { ChunkOptions } from "./model/inference/chunking.ts";
export {
  accuracy,
  type BootstrapOptions,
  characterEdits,
  type EditCounts,
  type ErrorRate,
  errorRate,
  type Interval,
  wordEdits,
} from "./model/inference/error_rate.ts";
export type {
  Evaluation,
  EvaluationOptions,
  Hypothesis,
  LabelledUtterance,
} from "./model/inference/evaluate.ts";
export { evaluate, type EvaluateOptions } from "./train/evaluate_model.ts";
export type { FetchProgress } from "./model/inference/fetch_files.ts";
export { loadModel, type LoadOptions } from "./model/inference/load_model.ts";
export {
  LoadedModel,
  type ModelParts,
  type SaveOptions,
  type TranscribeOptions,
} from "./model/inference/loaded_model.ts";
export type { ModelFiles } from "./model/inference/model_files.ts";
export {
  type AudioBatch,
  DEFAULT_PREPROCESSOR,
  parsePreprocessorConfig,
  prepareBatch,
  type PreprocessorConfig,
} from "./model/inference/preprocess.ts";

export type { Ranked } from "./model/inference/rank.ts";
export type { StreamOptions, StreamUpdate } from "./model/inference/stream.ts";

// Audio and corpora
export { decodeAudio, type DecodeAudioOptions } from "./data/audio/decode_audio.ts";
export type { AudioSamples, ExampleAudio, SpeechExample } from "./data/corpus/examples.ts";
export {
  type CorpusPart,
  type CorpusSource,
  loadCorpus,
  type LoadCorpusOptions,
} from "./data/corpus/load_corpus.ts";
export type { Segment } from "./data/audio/segment.ts";
export type { AudioPlace, Task, Utterance } from "./data/corpus/utterance.ts";

// Training
export type { BestScores } from "./train/best.ts";
export type { Regularization } from "./train/regularize.ts";
export type { PruneSources, RunSources } from "./train/run_corpus.ts";
export type { OnProgress, RunProgress } from "./train/run_progress.ts";
export type { ScheduleKind } from "./train/schedule.ts";
export type { CommonSettings, TrainSettings } from "./train/settings.ts";
export { finetune, type FinetuneOptions, type FinetuneResult } from "./train/finetune.ts";
export type { AdamWGroup, AdamWStepOptions, Moments } from "./train/adamw_options.ts";
export { AdamW } from "./train/optimizer.ts";

// Pruning
export { prune, type PruneOptions, type PruneProgress, type PruneResult } from "./prune/run/prune.ts";
export type { PruneSettings } from "./prune/run/settings.ts";
export type { Stage } from "./prune/run/pipeline_options.ts";
export type {
  ConstraintCurve,
  FinetuningCurve,
  PruneReport,
  PruningCurve,
  ReportData,
  ReportEvaluation,
  ReportModel,
  ReportStage,
  ReportSubset,
  ReportTestSubset,
  ReportTiming,
} from "./prune/report/report.ts";
export { summaryText } from "./prune/report/summary.ts";
export type { Method } from "./prune/method.ts";
export type { AchievedCost, RecordedUnits } from "./prune/record.ts";
export {
  type Choice,
  chooseByGates,
  type ChooseOptions,
  chooseUniform,
  keptCounts,
  type KeptUnits,
} from "./prune/choose.ts";
export {
  type Constraint,
  type ConstraintMethod,
  type ConstraintOptions,
  constraintsOf,
} from "./prune/constraints.ts";
export { type Quantity, UnitCost } from "./prune/cost.ts";
export { type UnitGroup, unitGroups, type UnitKind } from "./prune/groups.ts";
export type { Ramp } from "./prune/lagrangian.ts";
export { unitMagnitudes } from "./prune/magnitude.ts";
export { compact, type SurgeryModel } from "./prune/surgery.ts";
