import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { preferVulkan, subgroupChoice } from "../../cli/backend.ts";
import type { GpuReport } from "../../cli/gpu.ts";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line in a process of its own: the choice of the backend is the process's. */
async function cli(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const main = new URL("../../cli.ts", import.meta.url).href;
  const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", main, ...args], env });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("gpu prints the adapter, as text and as JSON", async () => {
  const [text, json] = await Promise.all([cli(["gpu"]), cli(["gpu", "--json"])]);
  assertEquals([text.code, json.code], [0, 0], text.stderr + json.stderr);
  const report: GpuReport = JSON.parse(json.stdout);
  assert(report.adapter.name);
  assertGreater(report.limits["maxStorageBufferBindingSize"] ?? 0, 0);
  assertStringIncludes(text.stdout, report.adapter.name);
});

Deno.test({
  name: "without an adapter gpu states what to install, in one line, with status 2",
  ignore: Deno.build.os !== "linux", // only there a variable can hide the driver
  fn: async () => {
    const { code, stdout, stderr } = await cli(["gpu"], { VK_DRIVER_FILES: "/nonexistent" });
    assertEquals([code, stdout], [2, ""]);
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    assertStringIncludes(stderr, "mesa-vulkan-drivers");
  },
});

Deno.test("preferVulkan leaves other systems and the user's choice alone", () => {
  const run = (os: string, start: Record<string, string>) => {
    const env = new Map(Object.entries(start));
    preferVulkan(env, os);
    return env.get("DENO_WEBGPU_BACKEND");
  };
  assertEquals(run("linux", {}), "vulkan");
  assertEquals(run("linux", { DENO_WEBGPU_BACKEND: "gl" }), "gl");
  assertEquals(run("darwin", {}), undefined);
});

Deno.test("ESPALIER_SUBGROUPS is 0, 1 or not set", async () => {
  const choice = (value: string) => subgroupChoice(new Map([["ESPALIER_SUBGROUPS", value]]));
  assertEquals([choice("0"), choice("1"), choice("")], [{ subgroups: false }, { subgroups: true }, {}]);
  const { code, stdout, stderr } = await cli(["gpu"], { ESPALIER_SUBGROUPS: "on" });
  assertEquals([code, stdout], [2, ""]);
  assertEquals(stderr.trimEnd(), 'Cannot compute as ESPALIER_SUBGROUPS must be 0 or 1: "on"');
});

Deno.test("an unknown GEMM kernel is refused, in one line, with status 2", async () => {
  const { code, stdout, stderr } = await cli(["gpu"], { ESPALIER_GEMM: "tile-7" });
  assertEquals([code, stdout], [2, ""]);
  assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
  assertStringIncludes(stderr, "tile-64x128");
});
