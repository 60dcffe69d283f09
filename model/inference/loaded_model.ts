// A model that runs on audio: transcription and classification.
import { type Checkpoint, type CheckpointFiles, PUBLISHED_LAYOUT } from "../checkpoint/read.ts";
import { type BeamOptions, beamSearch } from "../decode/beam_search.ts";
import { alignTokens } from "../decode/ctc_align.ts";
import { greedyDecode, type Transcript, transcriptOf } from "../decode/greedy.ts";
import type { CtcTokenizer } from "../decode/tokenizer.ts";
import { hostWeights } from "../host_weights.ts";
import { type Batch, type ForwardOptions, framesOf, type Output, type SpeechModel } from "../speech_model.ts";
import { type ChunkOptions, frameLogits, type LogitsOptions, utteranceLogits } from "./chunking.ts";
import { type StreamOptions, streamTranscript, type StreamUpdate } from "./stream.ts";
import type { ModelFiles } from "./model_files.ts";
import { prepareBatch, type PreprocessorConfig } from "./preprocess.ts";
import { rank, type Ranked } from "./rank.ts";
import { encodeModel, writeModel } from "./write_model.ts";

/** Options of {@linkcode LoadedModel.transcribe}. */
export interface TranscribeOptions<State = unknown> extends ChunkOptions {
  /** Beam search with these options instead of greedy decoding. */
  readonly beam?: BeamOptions<State>;
}

/** Options of {@linkcode LoadedModel.save}. */
export interface SaveOptions {
  /** Dtype of the weights; F16 halves the size. Default: F16 for a model that was pruned with `half`, else F32. */
  readonly dtype?: "F32" | "F16";
}

/** What a {@linkcode LoadedModel} is made of. */
export interface ModelParts {
  /** The network. */
  readonly model: SpeechModel;
  /** Preprocessing of audio. */
  readonly preprocessor: PreprocessorConfig;
  /** Tokenizer; null without a CTC head or without `vocab.json`. */
  readonly tokenizer: CtcTokenizer | null;
  /** Remarks on the files for the user, a sentence each. */
  readonly notes: readonly string[];
  /** Path or name of the model. */
  readonly name: string;
  /** Its small files, as text by name. */
  readonly files: ModelFiles;
  /** Bytes of its weights on disk; null if they are not in one file. */
  readonly fileBytes: number | null;
  /** Dtype that its weights are saved in unless another is given; default: F32. */
  readonly dtype?: "F32" | "F16";
}

/** A model with its preprocessing and tokenizer. Made by {@linkcode loadModel}. */
export class LoadedModel {
  /** The network. */
  readonly model: SpeechModel;
  /** Preprocessing of audio. */
  readonly preprocessor: PreprocessorConfig;
  /** Tokenizer; null without a CTC head or without `vocab.json`. */
  readonly tokenizer: CtcTokenizer | null;
  /** Remarks on the files for the user, a sentence each. */
  readonly notes: readonly string[];
  /** Path or name of the model, for error messages. */
  readonly name: string;
  /** Its files besides config and weights, such as `vocab.json`, as text by name. */
  readonly files: ModelFiles;
  /** Bytes of its weights on disk; null if they are not in one file. */
  readonly fileBytes: number | null;
  readonly #dtype: "F32" | "F16";
  readonly #ownsGpu: boolean;
  #disposed = false;

  /** Use {@linkcode loadModel}. @param parts What it read. @param ownsGpu Whether `dispose` destroys the device. */
  constructor(parts: ModelParts, ownsGpu: boolean) {
    this.model = parts.model;
    this.preprocessor = parts.preprocessor;
    this.tokenizer = parts.tokenizer;
    this.notes = parts.notes;
    this.name = parts.name;
    this.files = parts.files;
    this.fileBytes = parts.fileBytes;
    this.#dtype = parts.dtype ?? "F32";
    this.#ownsGpu = ownsGpu;
  }

  /**
   * Checks that the model can transcribe (`ctc`, which needs a vocabulary) or classify.
   *
   * @throws {TypeError} If it cannot; the message names the head that it has.
   */
  requireHead(head: "ctc" | "classify"): void {
    this.#checkAlive(head === "ctc" ? "transcribe" : "classify");
    const task = head === "ctc" ? "transcribe as a CTC head and a vocabulary are needed" : "classify as a " +
      "classification head is needed";
    if (this.model.head !== head) {
      throw new TypeError(`Cannot ${task}: the head of ${this.name} is ${this.model.head}`);
    }
    if (head === "ctc" && !this.tokenizer) {
      throw new TypeError(`Cannot ${task}: ${this.name} has no vocab.json`);
    }
  }

  /** Runs a batch, as {@linkcode SpeechModel.forward}; call it inside {@linkcode Gpu.scope}. */
  forward(batch: Batch, options: ForwardOptions = {}): Output {
    return this.model.forward(batch, options);
  }

  /**
   * Uploads utterances as a batch.
   *
   * @param utterances Samples of each, at 16 kHz.
   * @throws {RangeError} If there are no utterances, or one is empty.
   */
  batch(utterances: readonly Float32Array[]): Batch {
    const { inputValues, samples, lengths } = prepareBatch(utterances, this.preprocessor);
    return {
      samples: this.model.gpu.tensor(inputValues, [utterances.length, samples]),
      lengths: this.preprocessor.return_attention_mask ? lengths : null,
    };
  }

  /**
   * Transcribes audio of any length, in overlapping chunks.
   *
   * @param samples One channel at 16 kHz, at least 400 samples.
   * @returns Text, with time and confidence of every word.
   * @throws {TypeError} If the model has no CTC head or no vocabulary.
   * @throws {RangeError} If the audio is shorter than a frame.
   * @example
   * ```ts ignore
   * using model = await loadModel("facebook/wav2vec2-base-960h");
   * const { text, words } = await model.transcribe(samples);
   * console.log(text, words[0]?.start);
   * ```
   */
  async transcribe<State>(
    samples: Float32Array,
    options: TranscribeOptions<State> = {},
  ): Promise<Transcript> {
    const [transcript] = await this.transcribeAll([samples], options);
    return transcript!;
  }

  /**
   * Transcribes utterances of any lengths. Short ones run in batches; the result of each does not depend on the others.
   *
   * @param utterances One channel each, at 16 kHz, at least 400 samples.
   * @returns Their transcripts, in the same order.
   * @throws {TypeError} If the model has no CTC head or no vocabulary.
   * @throws {RangeError} If an utterance is shorter than a frame.
   */
  async transcribeAll<State>(
    utterances: readonly Float32Array[],
    { beam, ...chunks }: TranscribeOptions<State> = {},
  ): Promise<Transcript[]> {
    this.requireHead("ctc");
    const { model } = this;
    const tokenizer = this.tokenizer!;
    const outputs = await frameLogits(
      model,
      this.#prepare("transcribe", utterances, chunks.normalization === "running"),
      this.#options(chunks),
    );
    const timing = { secondsPerFrame: model.config.conv_stride.reduce((hop, n) => hop * n, 1) / 16_000 };
    return outputs.map(({ logits, frames }) => {
      if (!beam) return greedyDecode(logits, frames, tokenizer, timing);
      const [best] = beamSearch(logits, frames, tokenizer, beam);
      const tokens = alignTokens(logits, frames, best!.ids, tokenizer.size, tokenizer.padId);
      return transcriptOf(tokens, tokenizer, timing);
    });
  }

  /**
   * Transcribes audio while it arrives, as from a microphone, by greedy decoding. The words are those of {@linkcode LoadedModel.transcribe} with
   * the same chunks and `normalization: "running"`.
   *
   * A word is final at most `chunkSeconds` − `strideSeconds` after its end, if the next word begins in the same chunk, and part of
   * `partial` after `partialSeconds`; the time to compute comes on top. Memory is that of a chunk.
   *
   * @param samples One channel at 16 kHz, in pieces of any lengths.
   * @throws {TypeError} If the model has no CTC head or no vocabulary, or a piece is not a `Float32Array`.
   * @throws {RangeError} If a chunk is no longer than its two strides.
   * @example
   * ```ts ignore
   * for await (const { text, partial } of model.stream(microphone)) console.log(text, `(${partial})`);
   * ```
   */
  stream(
    samples: AsyncIterable<Float32Array> | Iterable<Float32Array>,
    options: StreamOptions = {},
  ): AsyncGenerator<StreamUpdate, void> {
    this.requireHead("ctc");
    const { model, tokenizer, preprocessor } = this;
    return streamTranscript({ model, tokenizer: tokenizer!, preprocessor }, samples, options);
  }

  /**
   * Classifies an utterance.
   *
   * @param samples One channel at 16 kHz, at least 400 samples.
   * @returns All classes, the most probable first.
   * @throws {TypeError} If the model has no classification head.
   * @throws {RangeError} If the audio is shorter than a frame.
   */
  async classify(samples: Float32Array): Promise<Ranked[]> {
    const [ranked] = await this.classifyAll([samples]);
    return ranked!;
  }

  /**
   * Classifies utterances in batches; the result of each does not depend on the others.
   *
   * @param utterances One channel each, at 16 kHz, at least 400 samples.
   * @returns For each utterance, all classes, the most probable first.
   * @throws {TypeError} If the model has no classification head.
   * @throws {RangeError} If an utterance is shorter than a frame.
   */
  async classifyAll(utterances: readonly Float32Array[]): Promise<Ranked[][]> {
    this.requireHead("classify");
    const prepared = this.#prepare("classify", utterances);
    const outputs = await utteranceLogits(this.model, prepared, this.#options({}));
    return outputs.map((scores) => rank(scores, this.model.config.id2label));
  }

  /**
   * Reads config and weights back from the device, to be changed or written.
   *
   * @throws {TypeError} If its weights are f16 on the device.
   */
  async checkpoint(): Promise<Checkpoint> {
    this.#checkAlive("save");
    const { config, head, weights } = this.model;
    if (weights.half) {
      throw new TypeError(`Cannot save ${this.name} as its weights must be f32: it was loaded with \`half\``);
    }
    const tensors = await hostWeights(this.model);
    return { config, head, tensors, notes: this.notes, layoutOnDisk: PUBLISHED_LAYOUT };
  }

  /**
   * The files of the model in memory: `config.json`, `model.safetensors` and the small ones. {@linkcode loadModel} takes them.
   *
   * @throws {TypeError} If its weights are f16 on the device.
   */
  async toFiles({ dtype = this.#dtype }: SaveOptions = {}): Promise<CheckpointFiles> {
    const checkpoint = await this.checkpoint();
    return { files: encodeModel({ checkpoint, files: this.files, dtype }), name: this.name };
  }

  /**
   * Saves the model as a folder that Hugging Face's libraries and {@linkcode loadModel} read.
   *
   * @param folder Its path; it is created if it is missing.
   * @throws {TypeError} If its weights are f16 on the device.
   * @throws {Error} If a file cannot be written; one line.
   * @example
   * ```ts ignore
   * using model = await loadModel("facebook/wav2vec2-base-960h");
   * await model.save("copy");
   * ```
   */
  async save(folder: string, { dtype = this.#dtype }: SaveOptions = {}): Promise<void> {
    await writeModel(folder, { checkpoint: await this.checkpoint(), files: this.files, dtype });
  }

  /** Frees the memory of the model, and destroys the device if the model requested it. */
  dispose(): void {
    this.#disposed = true;
    this.model.dispose();
    if (this.#ownsGpu) this.model.gpu.destroy();
  }

  /** Frees the model at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #checkAlive(action: string): void {
    if (this.#disposed) throw new TypeError(`Cannot ${action}: ${this.name} was disposed`);
  }

  /** Normalises each utterance by itself, unless its chunks are. */
  #prepare(task: string, utterances: readonly Float32Array[], byChunks = false): readonly Float32Array[] {
    const short = utterances.find(({ length }) => framesOf(this.model.config, length) === 0);
    if (short) {
      throw new RangeError(
        `Cannot ${task} as audio must have at least one frame: it has ${short.length} samples`,
      );
    }
    if (byChunks) return utterances;
    return utterances.map((utterance) => prepareBatch([utterance], this.preprocessor).inputValues);
  }

  #options({ normalization = "utterance", ...chunks }: ChunkOptions): LogitsOptions {
    const { do_normalize, return_attention_mask: masked } = this.preprocessor;
    return { ...chunks, normalization: do_normalize ? normalization : "utterance", masked };
  }
}
