// What a browser loads is checked against its own types, those of the DOM and of `@webgpu/types`, without Deno's. Files
// that use Deno do so when they are called with paths or by a program; all others must compile.
import { variants } from "../full.ts";
import { assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);

/** Folders that run in a browser as they are: nothing in them may use Deno. */
const PURE = /^(tensor|kernels|random|web)\/|^(model|train|prune)\/[^/]*$/;

/** Files in those folders that use Deno all the same, with what for. */
const EXCEPTIONS: Record<string, string> = {
  "train/metrics.ts": "files of a run with a folder",
  "train/run_folder.ts": "files of a run with a folder",
  "train/run_state.ts": "files of a run with a folder",
};

for (const name of variants(["what a browser loads compiles against the DOM and @webgpu/types"])) {
  Deno.test(name, async () => {
    const args = ["check", "--config", "tests/browser/types.json", "mod.ts", "tests/browser/page.ts"];
    const command = new Deno.Command(Deno.execPath(), { args, cwd: root, env: { NO_COLOR: "1" } });
    const stderr = new TextDecoder().decode((await command.output()).stderr);
    const errors = stderr.split(/\n(?=TS\d+ \[ERROR\])/).filter((part) => part.startsWith("TS"));
    const fileOf = (error: string) => error.split(root.href)[1]?.replace(/:\d+:\d+[^]*/, "") ?? error;
    // Of other files, those that use Deno may have errors, as what it returns has no type.
    const usesDeno = async (file: string) => /\bDeno\b/.test(await Deno.readTextFile(new URL(file, root)));
    const unexpected: string[] = [];
    for (const error of errors) {
      const file = fileOf(error);
      if (!(await usesDeno(file)) || PURE.test(file) && !(file in EXCEPTIONS)) unexpected.push(error);
    }
    assertEquals(unexpected, [], "files that use no Deno must compile, and these folders must use none");
    assertEquals(errors.length > 0, true, stderr); // else the check did not run
  });
}
