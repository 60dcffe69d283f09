// Loads a model from disk, the hub, a URL or memory.
import { type Gpu, requestGpu } from "../../tensor/gpu.ts";
import { type CheckpointFiles, readCheckpoint } from "../checkpoint/read.ts";
import { readTokenizer } from "../decode/tokenizer.ts";
import type { HubOptions } from "../hub/fetch_model.ts";
import { SpeechModel } from "../speech_model.ts";
import type { FetchProgress } from "./fetch_files.ts";
import { LoadedModel } from "./loaded_model.ts";
import { modelFiles } from "./model_files.ts";
import { locate, readerOf, weightBytes } from "./model_source.ts";
import { readPreprocessor } from "./preprocess.ts";

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
  /** Language of a multilingual model (MMS), such as `fra`: its adapter, head and vocabulary. */
  readonly language?: string;
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
  const { language } = options;
  const checkpoint = await readCheckpoint(place, language === undefined ? {} : { language });
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
  const files = await modelFiles(read, checkpoint.config, name);
  const fileBytes = await weightBytes(place);
  return new LoadedModel({ model, preprocessor, tokenizer, notes, name, files, fileBytes }, !options.gpu);
}
