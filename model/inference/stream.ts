// Transcribes audio while it arrives.
import { GreedyTokens, type TimedWord, transcriptOf } from "../decode/greedy.ts";
import type { CtcTokenizer } from "../decode/tokenizer.ts";
import { framesOf, type SpeechModel } from "../speech_model.ts";
import { checkChunks, type Chunk, chunkAt, type ChunkSizes, chunkSizes, frameLogits } from "./chunking.ts";
import type { PreprocessorConfig } from "./preprocess.ts";
import { RunningMoments, scaled } from "./running_moments.ts";

/** Options of {@linkcode LoadedModel.stream}. */
export interface StreamOptions {
  /** Seconds of a chunk, whose words become final together; default 6. */
  readonly chunkSeconds?: number;
  /** Overlap at each inner edge of a chunk, in seconds, whose frames are dropped; default 1. */
  readonly strideSeconds?: number;
  /** Seconds of audio between two partial texts; 0 for none; default 0.5. */
  readonly partialSeconds?: number;
}

/** What a stream yields whenever its text changes. */
export interface StreamUpdate {
  /** Words that are final since the last update, with their times from the start of the stream. */
  readonly words: readonly TimedWord[];
  /** The text of `words`. The final texts, joined by spaces, are the transcript. */
  readonly text: string;
  /** Text of what follows them so far; later updates may change it. */
  readonly partial: string;
  /** Seconds of audio so far. */
  readonly seconds: number;
}

/** Parts of a loaded model that a stream uses. */
export interface StreamModel {
  readonly model: SpeechModel;
  readonly tokenizer: CtcTokenizer;
  readonly preprocessor: PreprocessorConfig;
}

/** Samples of which the first were dropped. */
class SampleWindow {
  /** Index of the first sample that is kept. */
  from = 0;
  #samples = new Float32Array(0);

  /** Index after the last sample. */
  get to(): number {
    return this.from + this.#samples.length;
  }

  /** Appends samples. */
  push(samples: Float32Array): void {
    const both = new Float32Array(this.#samples.length + samples.length);
    both.set(this.#samples);
    both.set(samples, this.#samples.length);
    this.#samples = both;
  }

  /** Samples by their index in the stream. */
  slice(from: number, to: number): Float32Array {
    return this.#samples.subarray(from - this.from, to - this.from);
  }

  /** Drops what is before an index. */
  dropBefore(from: number): void {
    if (from <= this.from) return;
    this.#samples = this.#samples.slice(from - this.from);
    this.from = from;
  }
}

/** The state of a stream. Its memory does not grow with the length of the audio. */
class Transcriber {
  readonly #parts: StreamModel;
  readonly #sizes: ChunkSizes;
  readonly #window = new SampleWindow();
  readonly #moments = new RunningMoments();
  /** Samples that the moments have. */
  #known = 0;
  /** Frames that are final. */
  #done = 0;
  readonly #tokens: GreedyTokens;

  constructor(parts: StreamModel, sizes: ChunkSizes) {
    this.#parts = parts;
    this.#sizes = sizes;
    this.#tokens = new GreedyTokens(parts.tokenizer);
  }

  /** Samples so far. */
  get received(): number {
    return this.#window.to;
  }

  push(samples: Float32Array): void {
    this.#window.push(samples);
  }

  /** Whether there are frames that are not final. */
  get hasRest(): boolean {
    return framesOf(this.#parts.model.config, this.received) > this.#done;
  }

  /** Whether the next chunk is complete, whatever follows. */
  get hasChunk(): boolean {
    const { first, keep } = this.#next();
    return first + keep < framesOf(this.#parts.model.config, this.received);
  }

  /** Runs the next chunk, and returns the words that it makes final: all of them if it is the last one. */
  async takeChunk(isLast: boolean): Promise<readonly TimedWord[]> {
    const chunk = this.#next();
    this.#moments.add(this.#window.slice(this.#known, chunk.to));
    this.#known = chunk.to;
    this.#tokens.push(await this.#logits(chunk, this.#moments), chunk.keep);
    this.#done += chunk.keep;
    this.#window.dropBefore(Math.max(0, this.#done - this.#sizes.stride) * this.#sizes.hop);
    return this.#wordsOf(isLast ? this.#tokens.all() : this.#tokens.takeWords());
  }

  /** Text of what is not final, with the samples of the chunk that is not complete. */
  async partial(): Promise<string> {
    const tokens = this.#tokens.clone();
    if (this.hasRest) {
      const chunk = this.#next();
      const moments = this.#moments.clone();
      moments.add(this.#window.slice(this.#known, chunk.to));
      tokens.push(await this.#logits(chunk, moments), chunk.keep);
    }
    return this.#wordsOf(tokens.all()).map(({ text }) => text).join(" ");
  }

  /** The chunk that begins with the first frame that is not final, as far as its samples are there. */
  #next(): Chunk {
    return chunkAt(this.#parts.model, this.#done, this.received, this.#sizes);
  }

  /** Logits of the frames of a chunk that are kept. */
  async #logits({ from, to, skip, keep }: Chunk, moments: RunningMoments): Promise<Float32Array> {
    const { model, preprocessor: { do_normalize, return_attention_mask: masked } } = this.#parts;
    const samples = this.#window.slice(from, to);
    const values = do_normalize ? scaled(samples, moments.scaling()) : samples;
    const [all] = await frameLogits(model, [values], { masked, chunkSeconds: values.length / 16_000 + 1 });
    return all!.logits.subarray(skip * all!.labels, (skip + keep) * all!.labels);
  }

  #wordsOf(spans: ReturnType<GreedyTokens["all"]>): readonly TimedWord[] {
    const { tokenizer } = this.#parts;
    return transcriptOf(spans, tokenizer, { secondsPerFrame: this.#sizes.hop / 16_000 }).words;
  }
}

/**
 * Transcribes audio while it arrives, see {@linkcode LoadedModel.stream}.
 *
 * @param parts The model, with a CTC head.
 * @param source Samples at 16 kHz, in pieces of any lengths.
 * @throws {RangeError} If a chunk is no longer than its two strides.
 * @throws {TypeError} If a piece is not a `Float32Array`.
 */
export async function* streamTranscript(
  parts: StreamModel,
  source: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  { chunkSeconds = 6, strideSeconds = 1, partialSeconds = 0.5 }: StreamOptions = {},
): AsyncGenerator<StreamUpdate, void> {
  checkChunks(parts.model, { chunkSeconds, strideSeconds });
  const transcriber = new Transcriber(parts, chunkSizes(parts.model, { chunkSeconds, strideSeconds }));
  let partial = "";
  let looked = 0;
  const update = (words: readonly TimedWord[]): StreamUpdate => {
    const text = words.map(({ text }) => text).join(" ");
    return { words, text, partial, seconds: transcriber.received / 16_000 };
  };
  for await (const piece of source) {
    if (!(piece instanceof Float32Array)) {
      throw new TypeError(`Cannot stream as pieces must be Float32Array: one is ${typeof piece}`);
    }
    transcriber.push(piece);
    const words: TimedWord[] = [];
    while (transcriber.hasChunk) words.push(...await transcriber.takeChunk(false));
    const before = partial;
    const isDue = words.length > 0 || transcriber.received - looked >= partialSeconds * 16_000;
    if (partialSeconds > 0 && isDue) {
      looked = transcriber.received;
      partial = await transcriber.partial();
    }
    if (words.length > 0 || partial !== before) yield update(words);
  }
  if (!transcriber.hasRest) return;
  const words = await transcriber.takeChunk(true);
  partial = "";
  yield update(words);
}
