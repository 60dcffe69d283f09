// A program of its own, run by compare_onnxruntime.ts: runs a model in onnxruntime. It reads its request from standard input and
// prints the logits as JSON.

/** What is run. */
export interface OnnxRequest {
  /** Paths of model files, which run one after another. */
  readonly files: readonly string[];
  /** Audio, row-major: [utterances, samples]. */
  readonly audio: readonly number[];
  readonly dims: readonly number[];
  /** Valid samples of each utterance, for a model with an attention mask; else null. */
  readonly lengths: readonly number[] | null;
}

/** The logits of each file; the version is null if onnxruntime is not installed. */
export interface OnnxResponse {
  readonly version: string | null;
  readonly logits: readonly (readonly number[])[];
}

/** What is used of onnxruntime-node. */
interface Runtime {
  readonly env: { readonly versions: { readonly node?: string } };
  readonly Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(file: string, options: Record<string, unknown>): Promise<{
      run(inputs: Record<string, unknown>): Promise<{ logits: { data: Float32Array } }>;
      release(): Promise<void>;
    }>;
  };
}

async function main(): Promise<OnnxResponse> {
  const name: string = "npm:onnxruntime-node@1";
  const runtime = await import(name).catch(() => null) as { default: Runtime } | null;
  if (!runtime) return { version: null, logits: [] };
  const { InferenceSession, Tensor, env } = runtime.default;
  const { files, audio, dims, lengths } = await new Response(Deno.stdin.readable).json() as OnnxRequest;
  const samples = dims[1]!;
  const mask = lengths &&
    BigInt64Array.from(audio, (_, i) => i % samples < lengths[Math.floor(i / samples)]! ? 1n : 0n);
  const inputs = {
    input_values: new Tensor("float32", Float32Array.from(audio), dims),
    ...mask && { attention_mask: new Tensor("int64", mask, dims) },
  };
  // Weights that are packed for speed would be in memory twice.
  const options = { logSeverityLevel: 3, extra: { session: { disable_prepacking: "1" } } };
  const results: number[][] = [];
  for (const file of files) {
    const session = await InferenceSession.create(file, options);
    const { logits } = await session.run(inputs);
    results.push([...logits.data]);
    await session.release();
  }
  return { version: env.versions.node ?? "", logits: results };
}

console.log(JSON.stringify(await main()));
