import { type Gpu, requestGpu } from "../../tensor/gpu.ts";
import { type BeamOptions, beamSearch } from "../decode/beam_search.ts";
import { type CheckpointFiles, readCheckpoint } from "../checkpoint/read.ts";
import { folderReader, type ReadFile } from "../checkpoint/weight_files.ts";
import { alignTokens } from "../decode/ctc_align.ts";
import { greedyDecode, type Transcript, transcriptOf } from "../decode/greedy.ts";
import type { HubOptions } from "../hub/fetch_model.ts";
import { resolveModel } from "../hub/resolve_model.ts";
import {
  DEFAULT_PREPROCESSOR,
  parsePreprocessorConfig,
  prepareBatch,
  type PreprocessorConfig,
} from "./preprocess.ts";
import { type Batch, type ForwardOptions, framesOf, type Output, SpeechModel } from "../speech_model.ts";
import { type CtcTokenizer, parseTokenizer } from "../decode/tokenizer.ts";
import { type ChunkOptions, frameLogits, type LogitsOptions, utteranceLogits } from "./chunking.ts";

/** Options of {@linkcode loadModel}. */
export interface LoadOptions {
  /** Device to load it to; the model asks for one of its own, and destroys it, unless given. */
  readonly gpu?: Gpu;
  /** Where the hub and the cache are, for a model that is named and not a path. */
  readonly hub?: HubOptions;
  /** Whether to compute with f16 where products read, as {@linkcode SpeechModel} does; f32 unless given. */
  readonly half?: boolean;
}

/** Options of {@linkcode LoadedModel.transcribe}. */
export interface TranscribeOptions<State = unknown> extends ChunkOptions {
  /** Searches texts with this beam instead of taking the best token of every frame. */
  readonly beam?: BeamOptions<State>;
}

/** A class with its probability. */
export interface Ranked {
  /** Name of the class, from the config's `id2label`. */
  readonly label: string;
  /** 0 to 1. */
  readonly probability: number;
}

/** A model with what its folder says about input and output. Made by {@linkcode loadModel}. */
export class LoadedModel {
  /** The network. */
  readonly model: SpeechModel;
  /** How audio becomes its input. */
  readonly preprocessor: PreprocessorConfig;
  /** How its tokens become text; null without a CTC head or without `vocab.json`. */
  readonly tokenizer: CtcTokenizer | null;
  /** What the user should know about the files: a sentence each. */
  readonly notes: readonly string[];
  /** What was loaded, for messages. */
  readonly name: string;
  readonly #ownsGpu: boolean;

  /** Joins the parts. @param parts What {@linkcode loadModel} read. @param ownsGpu Whether to destroy the device. */
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
   * Checks that the model can transcribe (`ctc`, with a vocabulary) or classify.
   *
   * @throws {TypeError} If it cannot; the message says what it has.
   */
  requireHead(head: "ctc" | "classify"): void {
    const what = head === "ctc" ? "transcribe as a CTC head and a vocabulary are needed" : "classify as a " +
      "classification head is needed";
    if (this.model.head !== head) {
      throw new TypeError(`Cannot ${what}: the head of ${this.name} is ${this.model.head}`);
    }
    if (head === "ctc" && !this.tokenizer) {
      throw new TypeError(`Cannot ${what}: ${this.name} has no vocab.json`);
    }
  }

  /** Runs a batch, as {@linkcode SpeechModel.forward}; call it inside {@linkcode Gpu.scope}. */
  forward(batch: Batch, options: ForwardOptions = {}): Output {
    return this.model.forward(batch, options);
  }

  /**
   * Puts clips on the device as the model's input.
   *
   * @param clips Samples of each, at 16 kHz.
   * @throws {RangeError} If there is no clip, or one is empty.
   */
  batch(clips: readonly Float32Array[]): Batch {
    const { inputValues, samples, lengths } = prepareBatch(clips, this.preprocessor);
    return {
      samples: this.model.gpu.tensor(inputValues, [clips.length, samples]),
      lengths: this.preprocessor.return_attention_mask ? lengths : null,
    };
  }

  /**
   * Transcribes audio of any length, in overlapping windows.
   *
   * @param samples One channel at 16 kHz, at least 400 samples.
   * @returns Text, with time and confidence of every word.
   * @throws {TypeError} If the model has no CTC head or no vocabulary.
   * @throws {RangeError} If the audio is shorter than a frame.
   * @example
   * ```ts ignore
   * const model = await loadModel("wav2vec2-base-960h");
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
   * Transcribes clips of any lengths, short ones several at a time, each as if it were alone.
   *
   * @param clips Of each one channel at 16 kHz, at least 400 samples.
   * @returns Their texts, in that order.
   * @throws {TypeError} If the model has no CTC head or no vocabulary.
   * @throws {RangeError} If a clip is shorter than a frame.
   */
  async transcribeAll<State>(
    clips: readonly Float32Array[],
    { beam, ...windows }: TranscribeOptions<State> = {},
  ): Promise<Transcript[]> {
    this.requireHead("ctc");
    const { model } = this;
    const tokenizer = this.tokenizer!;
    const heard = await frameLogits(model, this.#prepare("transcribe", clips), this.#options(windows));
    const timing = { secondsPerFrame: model.config.conv_stride.reduce((hop, n) => hop * n, 1) / 16_000 };
    return heard.map(({ logits, frames }) => {
      if (!beam) return greedyDecode(logits, frames, tokenizer, timing);
      const [best] = beamSearch(logits, frames, tokenizer, beam);
      const tokens = alignTokens(logits, frames, best!.ids, tokenizer.size, tokenizer.padId);
      return transcriptOf(tokens, tokenizer, timing);
    });
  }

  /**
   * Classifies a clip.
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
   * Classifies clips, short ones several at a time, each as if it were alone.
   *
   * @param clips Of each one channel at 16 kHz, at least 400 samples.
   * @returns Of each clip all classes, the most probable first.
   * @throws {TypeError} If the model has no classification head.
   * @throws {RangeError} If a clip is shorter than a frame.
   */
  async classifyAll(clips: readonly Float32Array[]): Promise<Ranked[][]> {
    this.requireHead("classify");
    const heard = await utteranceLogits(this.model, this.#prepare("classify", clips), this.#options({}));
    return heard.map((scores) => {
      const largest = Math.max(...scores);
      const weights = [...scores].map((score) => Math.exp(score - largest));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return weights
        .map((weight, i) => ({ label: this.model.config.id2label[i]!, probability: weight / total }))
        .sort((a, b) => b.probability - a.probability);
    });
  }

  /** Gives the model's memory back, and the device if the model asked for it. */
  dispose(): void {
    this.model.dispose();
    if (this.#ownsGpu) this.model.gpu.destroy();
  }

  /** Each clip by itself as the model wants its samples. */
  #prepare(doing: string, clips: readonly Float32Array[]): Float32Array[] {
    const short = clips.find(({ length }) => framesOf(this.model.config, length) === 0);
    if (short) {
      throw new RangeError(
        `Cannot ${doing} as the audio must be one frame long: it has ${short.length} samples`,
      );
    }
    return clips.map((clip) => prepareBatch([clip], this.preprocessor).inputValues);
  }

  #options(windows: ChunkOptions): LogitsOptions {
    return { ...windows, masked: this.preprocessor.return_attention_mask };
  }
}

/**
 * Loads a model: its weights to the device, its vocabulary and its preprocessing.
 *
 * @param source Path of a model folder, its name on the hub (`facebook/wav2vec2-base-960h`), or its files in memory.
 * @throws {SyntaxError | TypeError | RangeError} If a file is wrong; one line that names file and field.
 * @throws {TypeError} If it is to be f16 and the adapter has no such numbers.
 * @throws {Error} If files are missing or unreadable, or if there is no adapter.
 * @example
 * ```ts
 * import { loadModel } from "../../mod.ts";
 *
 * const loaded = await loadModel("tests/testdata/base");
 * const { gpu } = loaded.model;
 * const hidden = gpu.scope(() => loaded.forward(loaded.batch([new Float32Array(16_000)])).hidden);
 * console.log(hidden.shape); // [1, 49, 24]
 * loaded.dispose();
 * ```
 */
export async function loadModel(
  source: string | CheckpointFiles,
  options: LoadOptions = {},
): Promise<LoadedModel> {
  const place = typeof source === "string" ? await resolveModel(source, options.hub) : source;
  const checkpoint = await readCheckpoint(place);
  const name = typeof source === "string" ? source : source.name ?? "the files";
  const read = readerOf(place);
  const text = async (file: string) => {
    const bytes = await read(file);
    return bytes ? new TextDecoder().decode(bytes) : undefined;
  };
  const settings = await text("preprocessor_config.json");
  const preprocessor = settings === undefined
    ? DEFAULT_PREPROCESSOR
    : parsePreprocessorConfig(settings, `${name}/preprocessor_config.json`);
  const vocab = checkpoint.head === "ctc" ? await text("vocab.json") : undefined;
  let tokenizer: CtcTokenizer | null = null;
  if (vocab !== undefined) {
    const files = {
      tokenizerConfig: await text("tokenizer_config.json"),
      specialTokensMap: await text("special_tokens_map.json"),
      addedTokens: await text("added_tokens.json"),
    };
    const present = Object.entries(files).filter(([, content]) => content !== undefined);
    tokenizer = parseTokenizer({ vocab, name: `${name}/vocab.json`, ...Object.fromEntries(present) });
    tokenizer.checkSize(checkpoint.config.vocab_size, `${name}/vocab.json`);
  }
  const gpu = options.gpu ?? await requestGpu();
  const model = new SpeechModel(gpu, checkpoint, options.half);
  const notes = [...checkpoint.notes, ...tokenizer?.notes ?? []];
  return new LoadedModel({ model, preprocessor, tokenizer, notes, name }, !options.gpu);
}

function readerOf(source: string | CheckpointFiles): ReadFile {
  if (typeof source !== "string") {
    return (file) => Promise.resolve(Object.hasOwn(source.files, file) ? source.files[file]! : null);
  }
  return folderReader(source.replace(/(?<=.)\/+$/, ""));
}
