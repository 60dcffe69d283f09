// Loads a model folder, from disk or the hub, and runs it on audio: transcription and classification.
import { type Gpu, requestGpu } from "../../tensor/gpu.ts";
import { type BeamOptions, beamSearch } from "../decode/beam_search.ts";
import { type CheckpointFiles, readCheckpoint } from "../checkpoint/read.ts";
import { alignTokens } from "../decode/ctc_align.ts";
import { greedyDecode, type Transcript, transcriptOf } from "../decode/greedy.ts";
import type { HubOptions } from "../hub/fetch_model.ts";
import type { FetchProgress } from "./fetch_files.ts";
import { locate, readerOf } from "./model_source.ts";
import { prepareBatch, type PreprocessorConfig, readPreprocessor } from "./preprocess.ts";
import { type Batch, type ForwardOptions, framesOf, type Output, SpeechModel } from "../speech_model.ts";
import { type CtcTokenizer, readTokenizer } from "../decode/tokenizer.ts";
import { type ChunkOptions, frameLogits, type LogitsOptions, utteranceLogits } from "./chunking.ts";

/** Options of {@linkcode loadModel}. */
export interface LoadOptions {
  /** Device; by default the model requests one, and destroys it when disposed. */
  readonly gpu?: Gpu;
  /** Hub and cache, for a model that is given by name. */
  readonly hub?: HubOptions;
  /** Called whenever data of a model that is given by a URL arrives. */
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Ends the download of a model that is given by a URL. */
  readonly signal?: AbortSignal;
  /** Whether weights and activations that only GEMMs read are f16, as in {@linkcode SpeechModel}; default: f32. */
  readonly half?: boolean;
}

/** Options of {@linkcode LoadedModel.transcribe}. */
export interface TranscribeOptions<State = unknown> extends ChunkOptions {
  /** Beam search with these options instead of greedy decoding. */
  readonly beam?: BeamOptions<State>;
}

/** A class and its probability. */
export interface Ranked {
  /** Label, from `id2label` of the config. */
  readonly label: string;
  /** Probability, 0 to 1. */
  readonly probability: number;
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
  readonly #ownsGpu: boolean;
  #disposed = false;

  /** Use {@linkcode loadModel}. @param parts What it read. @param ownsGpu Whether `dispose` destroys the device. */
  constructor(
    parts: Pick<LoadedModel, "model" | "preprocessor" | "tokenizer" | "notes" | "name">,
    ownsGpu: boolean,
  ) {
    this.model = parts.model;
    this.preprocessor = parts.preprocessor;
    this.tokenizer = parts.tokenizer;
    this.notes = parts.notes;
    this.name = parts.name;
    this.#ownsGpu = ownsGpu;
  }

  /**
   * Checks that the model can transcribe (`ctc`, which needs a vocabulary) or classify.
   *
   * @throws {TypeError} If it cannot; the message names the head that it has.
   */
  requireHead(head: "ctc" | "classify"): void {
    if (this.#disposed) {
      throw new TypeError(`Cannot ${head === "ctc" ? "transcribe" : "classify"}: ${this.name} was disposed`);
    }
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
      this.#prepare("transcribe", utterances),
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
    return outputs.map((scores) => {
      const largest = Math.max(...scores);
      const weights = [...scores].map((score) => Math.exp(score - largest));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return weights
        .map((weight, i) => ({ label: this.model.config.id2label[i]!, probability: weight / total }))
        .sort((a, b) => b.probability - a.probability);
    });
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

  /** Normalises each utterance by itself. */
  #prepare(task: string, utterances: readonly Float32Array[]): Float32Array[] {
    const short = utterances.find(({ length }) => framesOf(this.model.config, length) === 0);
    if (short) {
      throw new RangeError(
        `Cannot ${task} as audio must have at least one frame: it has ${short.length} samples`,
      );
    }
    return utterances.map((utterance) => prepareBatch([utterance], this.preprocessor).inputValues);
  }

  #options(chunks: ChunkOptions): LogitsOptions {
    return { ...chunks, masked: this.preprocessor.return_attention_mask };
  }
}

/**
 * Loads a model: weights onto the device, tokenizer and preprocessing.
 *
 * @param source Path of a model folder, name on the hub (`facebook/wav2vec2-base-960h`), URL of a folder (`https://…/model/`), or
 * files in memory.
 * @throws {SyntaxError | TypeError | RangeError} If a file is invalid; one line that names file and field.
 * @throws {TypeError} If `half` is set and the adapter lacks shader-f16.
 * @throws {Error} If files are missing or unreadable, or if there is no adapter.
 * @example
 * ```ts
 * import { loadModel } from "../../mod.ts";
 *
 * using loaded = await loadModel("tests/testdata/base");
 * const { gpu } = loaded.model;
 * const hidden = gpu.scope(() => loaded.forward(loaded.batch([new Float32Array(16_000)])).hidden);
 * console.log(hidden.shape); // [1, 49, 24]
 * ```
 */
export async function loadModel(
  source: string | URL | CheckpointFiles,
  options: LoadOptions = {},
): Promise<LoadedModel> {
  const place = await locate(source, options);
  const checkpoint = await readCheckpoint(place);
  const name = typeof source === "string"
    ? source
    : typeof place === "string"
    ? place
    : place.name ?? "the files";
  const read = await readerOf(place, checkpoint);
  const text = async (file: string) => {
    const bytes = await read(file);
    return bytes ? new TextDecoder().decode(bytes) : undefined;
  };
  const preprocessor = await readPreprocessor(text, name);
  const tokenizer = checkpoint.head === "ctc"
    ? await readTokenizer(text, checkpoint.config.vocab_size, name)
    : null;
  const gpu = options.gpu ?? await requestGpu();
  const model = new SpeechModel(gpu, checkpoint, options.half);
  const notes = [...checkpoint.notes, ...tokenizer?.notes ?? []];
  return new LoadedModel({ model, preprocessor, tokenizer, notes, name }, !options.gpu);
}
