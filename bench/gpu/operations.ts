/**
 * Part `operations`: the tests that compare every operation with its oracle in f64, values and gradients.
 *
 * @module
 */

import { openGpu } from "../../cli/backend.ts";
import type { TitledTable } from "../record.ts";
import type { PartRequest } from "./part.ts";
import { ROOT } from "../step_modules.ts";

/** Result of the tests. */
export interface Operations {
  readonly adapter: string;
  readonly passed: number;
  readonly failed: number;
  /** Name of each test that failed, with the first line of its error. */
  readonly failures: readonly { readonly test: string; readonly error: string }[];
  /** What was run. */
  readonly tests: readonly string[];
}

const ALL = [
  "tests/kernels",
  "tests/tensor",
  "tests/model/speech_model_fixtures_test.ts",
  "tests/prune/masked_compact_test.ts",
];
const QUICK = ["tests/kernels/layer_norm_test.ts", "tests/kernels/matmul_test.ts"];

/** What the XML report of `deno test` has. */
export function parseJunit(xml: string): Pick<Operations, "passed" | "failed" | "failures"> {
  const cases = [...xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)];
  const failures = cases.flatMap(([, attributes = "", body = ""]) => {
    const [, message] = /<failure message="([^"]*)"/.exec(body) ?? [];
    if (message === undefined) return [];
    const [, test = ""] = /\bname="([^"]*)"/.exec(attributes) ?? [];
    const [line = ""] = unescapeXml(message).split("\n");
    return [{ test: unescapeXml(test), error: line.slice(0, 300) }];
  });
  return { passed: cases.length - failures.length, failed: failures.length, failures };
}

function unescapeXml(text: string): string {
  const names: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (_, decimal, hex, name) => {
    if (name) return names[name] ?? "";
    return String.fromCodePoint(decimal ? Number(decimal) : parseInt(hex, 16));
  });
}

/** Runs the tests. @throws {Error} A test failed, or none ran. */
export async function measure(
  { quick }: PartRequest,
  save: (result: Operations) => Promise<void>,
): Promise<Operations> {
  using gpu = await openGpu();
  const tests = quick ? QUICK : ALL;
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const args = [
      "test",
      "-A",
      "--parallel",
      "--no-check",
      "--lock=dev.lock",
      `--junit-path=${report}`,
      ...tests,
    ];
    const command = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, env: { NO_COLOR: "1" } });
    const { success, stdout, stderr } = await command.output();
    const result = parseJunit(await Deno.readTextFile(report));
    if (!success && result.failed === 0 || result.passed + result.failed === 0) {
      const text = new TextDecoder();
      throw new Error(`the tests did not run: ${(text.decode(stderr) || text.decode(stdout)).slice(-500)}`);
    }
    await save({ adapter: gpu.name, ...result, tests });
    if (result.failed > 0) throw new Error(`${result.failed} tests failed: ${result.failures[0]!.test}`);
    return { adapter: gpu.name, ...result, tests };
  } finally {
    await Deno.remove(report);
  }
}

/** Name of the adapter. */
export const adapter = (result: Operations): string => result.adapter;

/** The result in one line. */
export const summary = ({ passed, failed }: Operations): string => `${passed} tests passed, ${failed} failed`;

/** The tests that failed as a table. */
export function tables({ passed, failed, failures, tests }: Operations): TitledTable[] {
  const title = `${passed} tests of ${tests.join(", ")} passed, ${failed} failed`;
  return [{ title, head: ["test", "error"], rows: failures.map(({ test, error }) => [test, error]) }];
}
