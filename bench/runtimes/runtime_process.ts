/**
 * A process in which a runtime runs a model, see `process.ts`.
 *
 * @module
 */

/** A line that the process prints after an `@`: once it has loaded the model, then after each run. */
export type Answer = { readonly loadMs: number; readonly device: string } | Run;

/** A run of the model. */
export interface Run {
  readonly ms: number;
  /** CPU time of the process in milliseconds. */
  readonly cpu: number;
  /** Peak of the process's memory. */
  readonly bytes: number;
  /** The first logits; null if the runtime gives none. */
  readonly logits: readonly number[] | null;
}

const PROCESS = new URL("./process.ts", import.meta.url);
const LOCK = new URL("../../dev.lock", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url);

/** A model in a runtime, in a process of its own. */
export class RuntimeProcess {
  /** Time to load the model in milliseconds. */
  readonly loadMs: number;
  /** Where it computes. */
  readonly device: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: AsyncGenerator<Answer>;

  private constructor(
    child: Deno.ChildProcess,
    answers: AsyncGenerator<Answer>,
    { loadMs, device }: Exclude<Answer, Run>,
  ) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#answers = answers;
    this.loadMs = loadMs;
    this.device = device;
  }

  /**
   * Starts a process, which loads a model.
   *
   * @param runtime Name of the runtime.
   * @param folder Folder with the model, `model` and `onnx`.
   * @param samples Length of the audio.
   * @throws {Error} If the runtime does not load it; with its message.
   */
  static async start(runtime: string, folder: string, samples: number): Promise<RuntimeProcess> {
    const options = [`--lock=${LOCK.pathname}`, `--config=${CONFIG.pathname}`, "--quiet"];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", ...options, PROCESS.href, runtime, folder, String(samples)],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    const messages = new Response(child.stderr).text();
    const answers = answersOf(child.stdout, messages);
    const { value } = await answers.next();
    return new RuntimeProcess(child, answers, value as Exclude<Answer, Run>);
  }

  /** Runs the model once. @throws {Error} If the runtime fails; with its message. */
  async run(): Promise<Run> {
    await this.#input.write(Uint8Array.of(10));
    return (await this.#answers.next()).value as Run;
  }

  /** Ends the process. */
  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#child.status;
  }
}

async function* answersOf(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
  messages: Promise<string>,
): AsyncGenerator<Answer> {
  let rest = "";
  for await (const text of output.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line.startsWith("@")) yield JSON.parse(line.slice(1));
  }
  const why = (await messages).split("\n").find((line) => /error/i.test(line)) ?? "its process ended";
  throw new Error(why);
}
