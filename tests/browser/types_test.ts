// What a browser loads is checked against its own types, those of the DOM and of `@webgpu/types`, without Deno's. The files
// below use Deno when they are called with paths or by a program; all others must compile.
import { variants } from "../full.ts";
import { assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);

/** Files that use Deno, with what for. */
const DENO: Record<string, string> = {
  "cli/backend.ts": "environment",
  "cli/tuning.ts": "environment, files",
  "data/cache_folder.ts": "environment",
  "files/atomic_file.ts": "files",
  "model/checkpoint/read.ts": "files",
  "model/checkpoint/write.ts": "files",
  "model/decode/arpa.ts": "files",
  "model/hub/cache.ts": "files",
  "model/hub/download.ts": "files",
  "model/hub/fetch_model.ts": "environment",
  "model/hub/request.ts": "environment",
  "model/hub/resolve_model.ts": "files",
  "model/inference/fetch_files.ts": "whether there is Deno",
  "model/inference/model_source.ts": "whether there is Deno",
  "std/assert/format.ts": "Deno.inspect, which the page stands in for",
};

for (const name of variants(["what a browser loads compiles against the DOM and @webgpu/types"])) {
  Deno.test(name, async () => {
    const args = ["check", "--config", "tests/browser/types.json", "mod.ts", "tests/browser/page.ts"];
    const command = new Deno.Command(Deno.execPath(), { args, cwd: root, env: { NO_COLOR: "1" } });
    const stderr = new TextDecoder().decode((await command.output()).stderr);
    const errors = stderr.split(/\n(?=TS\d+ \[ERROR\])/).filter((part) => part.startsWith("TS"));
    const fileOf = (error: string) => error.split(root.href)[1]?.replace(/:\d+:\d+[^]*/, "") ?? error;
    assertEquals(errors.filter((error) => !(fileOf(error) in DENO)), [], "all other files must not use Deno");
    assertEquals([...new Set(errors.map(fileOf))].sort(), Object.keys(DENO).sort(), stderr);
  });
}
